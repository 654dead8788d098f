"""The server's count of a list against the rows that it gave."""

import logging

from resources.errors import AccountingError
from resources.graphql.paging.stretch import Stretch
from resources.graphql.plan import Listed

log = logging.getLogger(__name__)


class Totals:
    """Counts rows and remembers the totals that were said.

    Rows that came again under a position that is counted are not counted again: another one is missing.
    """

    def __init__(self, name: str, plan: Listed) -> None:
        self.received = 0
        self.total: int | None = None
        self._said: list[int] = []
        self._again = 0
        self._name = name
        self._plan = plan

    def add(self, stretch: Stretch) -> None:
        """Take in a page."""
        again = stretch.again if self._plan.is_counted else 0
        self._again += again
        self.received += stretch.number - again
        if stretch.total is None:
            return
        self.total = stretch.total
        if self._said[-1:] != [stretch.total]:
            self._said.append(stretch.total)

    def counted(self) -> tuple[int, list[int], int]:
        """Give the rows received, the totals that were said, and the rows that came again."""
        return self.received, self._said, self._again

    def go_on_from(self, received: int, said: list[int], again: int) -> None:
        """Take what an earlier reading of the same list has counted."""
        self.received, self._said, self._again = received, [*said], again
        self.total = said[-1] if said else None

    def settle(self) -> list[str]:
        """At the list's end, refuse fewer rows than were ever said, and more where one total was said.

        Give what is to be said of a list that changed: nothing of one along a cursor, which loses no row,
        unless there came more than were said.
        """
        if not self._said:
            return []
        least, most = min(self._said), max(self._said)
        if self.received < least or (least == most != self.received):
            raise AccountingError(self._difference(least))
        if least == most:
            return []
        said = f"its total went from {self._said[0]} to {self.total}, {self.received} rows came"
        if self._plan.strategy == "cursor" and self.received <= most:
            log.info("%s: the list changed while it was read: %s", self._name, said)
            return []
        return [changed(said)]

    def _difference(self, least: int) -> str:
        shown = ".".join(self._plan.signals.total or ())
        at_least = "at least " if len(self._said) > 1 else ""
        again = f" ({self._again} more came again)" if self._again else ""
        return (
            f"{self._name}: the server says that the list has {at_least}{least} rows ({shown}) and gave "
            f"{self.received}{again}. If that is no exact count of these rows, leave {shown} out of the "
            "query; if the list is changing, read it again"
        )


def changed(what: str) -> str:
    """Say that a list changed while it was read."""
    return (
        f"the list changed while it was read ({what}): by offset or page number rows may be missing or have "
        "come twice. Read it again, or along a cursor"
    )

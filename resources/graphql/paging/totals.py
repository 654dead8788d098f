"""The server's count of a list against the rows that it gave."""

import logging

from resources.errors import AccountingError
from resources.graphql.paging.stretch import Stretch
from resources.graphql.plan import Listed

log = logging.getLogger(__name__)


class Totals:
    """Counts rows and remembers the totals that were said."""

    def __init__(self, name: str, plan: Listed) -> None:
        self.received = 0
        self.total: int | None = None
        self._first: int | None = None
        self._changed = False
        self._name = name
        self._plan = plan

    def add(self, stretch: Stretch) -> None:
        """Take in a page."""
        self.received += len(stretch.rows)
        if stretch.total is None:
            return
        self._first = stretch.total if self._first is None else self._first
        self._changed = self._changed or stretch.total != self._first
        self.total = stretch.total

    def settle(self) -> list[str]:
        """At the list's end, refuse a count that was the same all along and is not that of the rows.

        Give what is to be said of a list that changed: nothing of one along a cursor, which loses no row.
        """
        if self._changed:
            said = f"its total went from {self._first} to {self.total}, {self.received} rows came"
            if self._plan.strategy == "cursor":
                log.info("%s: the list changed while it was read: %s", self._name, said)
                return []
            return [changed(said)]
        if self.total not in (None, self.received):
            shown = ".".join(self._plan.signals.total or ())
            raise AccountingError(
                f"{self._name}: the server says that the list has {self.total} rows ({shown}) and gave "
                f"{self.received}. If that is no exact count of these rows, leave {shown} out of the query"
            )
        return []


def changed(what: str) -> str:
    """Say that a list changed under a position that is counted."""
    return (
        f"the list changed while it was read ({what}): by offset or page number rows may be missing or have "
        "come twice. Read it again, or along a cursor"
    )

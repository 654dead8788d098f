"""Rows that come again: dropped where they are surely the same, else only counted and said."""

import logging
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import compress

from resources.graphql.paging.identities import Identities
from resources.graphql.paging.likeness import Likeness
from resources.graphql.paging.stretch import Row
from resources.graphql.plan import Listed
from resources.graphql.raw import field_of

log = logging.getLogger(__name__)

AGAIN = (
    "if the list changed while it was read, rows may be missing; if not, the server leaves rows out of pages "
    "that it has cut"
)


class Repeats:
    """Compares each row with all before it by the query's identity; without one, with the page before.

    There an equal row is the same one if it has an id. Rows that are equal without an id, or have the same id
    and other values, may be two: they are kept.
    """

    def __init__(self, name: str, plan: Listed, identity: str | None) -> None:
        self.dropped = 0
        self._name = name
        self._plan = plan
        self._identity = identity
        self._identities = Identities()
        self._likeness = Likeness(plan.rows.id)
        self._before: Sequence[Row] = ()
        self._alike = 0

    def seen(self, identities: Iterable[object]) -> None:
        """Take note of rows that an earlier reading of the same list has given."""
        self._are_fresh(identities)

    def fresh(self, rows: list[Row]) -> list[Row]:
        """Give the rows that have not come yet."""
        kept = self._unseen(rows) if self._identity or not self._plan.is_counted else self._unlike(rows)
        self.dropped += len(rows) - len(kept)
        if rows:
            self._before = rows
        return kept

    def notes(self) -> list[str]:
        """Say what a reader of the table should know."""
        found = []
        if self.dropped and self._plan.is_counted:
            found.append(f"{self.dropped} rows came again and were dropped: {AGAIN}")
        if self._alike:
            found.append(
                f"{self._alike} rows look like those of the page before and were kept, as an identity alone "
                f"tells whether they came twice. If they did: {AGAIN}"
            )
        return found

    def _unseen(self, rows: list[Row]) -> list[Row]:
        if not self._identity:
            return rows
        return list(compress(rows, self._are_fresh(field_of(row, self._identity) for row in rows)))

    def _are_fresh(self, identities: Iterable[object]) -> list[bool]:
        return self._identities.fresh(None if identity is None else str(identity) for identity in identities)

    def _unlike(self, rows: list[Row]) -> list[Row]:
        """Leave out what the page before had, or count it."""
        if rows and self._before and not self._plan.signals.total and not self._plan.rows.id:
            _say_unseen(self._name)
        if not all(map(self._likeness.has_id, rows)):
            self._alike += seam(self._before, rows)
            return rows
        before = {self._likeness.key(row): row for row in self._before}
        again = [self._likeness.key(row) in before for row in rows]
        kept = [row for row in rows if before.get(self._likeness.key(row)) != row]
        self._alike += sum(again) - (len(rows) - len(kept))
        return kept


def seam(before: Sequence[Row], rows: Sequence[Row]) -> int:
    """Say how many rows at the end of a page are those at the start of the next one."""
    longest = min(len(before), len(rows))
    return next((n for n in range(longest, 0, -1) if before[-n:] == rows[:n]), 0)


@cache
def _say_unseen(name: str) -> None:
    log.warning(
        "%s is read by numbers, and nothing selected would show a change of the list meanwhile: select its "
        "total, or an id, to be told",
        name,
    )

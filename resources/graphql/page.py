"""A page: what one step of an extraction gives to its consumer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from resources.errors import AccountingError, TooManyFailed
from resources.graphql.counts import Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Arrow tables by table name, each with the schema that the query gives it.

    `counts` is what happened on the wire since the page before. `asked`, `found`, `not_found` and `failed`
    count this page's keys (or, for a list, its rows as asked and found). `total` is the number of keys or
    rows that the whole extraction will have, where it is known.
    """

    tables: Mapping[str, pa.Table]
    asked: int
    found: int
    not_found: int = 0
    failed: int = 0
    total: int | None = None
    counts: Counts = field(default_factory=Counts)


@dataclass(slots=True)
class Tally:
    """The sum of an extraction's pages."""

    asked: int = 0
    found: int = 0
    not_found: int = 0
    failed: int = 0
    total: int | None = None
    counts: Counts = field(default_factory=Counts)

    def add(self, page: Page) -> None:
        """Take in one page."""
        self.asked += page.asked
        self.found += page.found
        self.not_found += page.not_found
        self.failed += page.failed
        self.total = page.total
        self.counts.add(page.counts)

    def check(self, *, max_failed: int) -> None:
        """Refuse what does not add up, and more failed keys than are allowed."""
        if self.asked != self.found + self.not_found + self.failed or self.total not in (None, self.asked):
            raise AccountingError(f"keys do not add up: {self}")
        if self.failed > max_failed:
            raise TooManyFailed(
                f"{self.failed} of {self.asked} keys failed, {max_failed} may; the server answers for other "
                "keys, so look at these (max_failed allows more)"
            )

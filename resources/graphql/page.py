"""A page: what one step of an extraction gives to its consumer."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from resources.errors import AccountingError, TooManyFailed
from resources.graphql.counts import Counts

SHOWN_CODES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Arrow tables by table name, each with the schema that the query gives it.

    `counts` is what happened on the wire since the page before. `asked`, `found`, `not_found` and `failed`
    count this page's keys (or, for a list, its rows as asked and found); `failures` are the failed ones by
    the server's code. `total` is the number of keys that the whole extraction will have, `list_total` what
    the server says of a list's rows, each where it is known. `notes` are what a reader of the tables should
    know, such as that a list changed while it was read. `group` is the group of keys that the page is of,
    where there are groups (see `GroupedKeys`).
    """

    tables: Mapping[str, pa.Table]
    asked: int
    found: int
    not_found: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    total: int | None = None
    counts: Counts = field(default_factory=Counts)
    group: str | None = None
    list_total: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> int:
        """How many keys failed."""
        return self.failures.total()


@dataclass(slots=True)
class Tally:
    """The sum of an extraction's pages."""

    asked: int = 0
    found: int = 0
    not_found: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    total: int | None = None
    counts: Counts = field(default_factory=Counts)
    list_total: int | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """How many keys failed."""
        return self.failures.total()

    def add(self, page: Page) -> None:
        """Take in one page."""
        self.asked += page.asked
        self.found += page.found
        self.not_found += page.not_found
        self.failures += page.failures
        self.total = page.total
        self.counts.add(page.counts)
        self.list_total = page.list_total
        self.notes += page.notes

    def check(self, *, max_failed: int, what: str = "") -> None:
        """Refuse what does not add up, and more failed keys than are allowed; `what` was extracted."""
        where = f"{what}: " if what else ""
        if self.asked != self.found + self.not_found + self.failed or self.total not in (None, self.asked):
            raise AccountingError(f"{where}keys do not add up: {self}")
        if self.failed > max_failed:
            codes = ", ".join(f"{number} {code}" for code, number in self.failures.most_common(SHOWN_CODES))
            raise TooManyFailed(
                f"{where}{self.failed} of {self.asked} keys failed ({codes}), {max_failed} may; nothing is "
                "published. If more may fail (TARGETDATA_MAX_FAILED or GRAPHQL_MAX_FAILED, --max-failed), "
                "the lookups table names each with the server's message"
            )

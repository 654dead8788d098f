"""A page: what one step of an extraction gives to its consumer."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from resources.errors import NO_DETAILS, AccountingError, TooManyFailed
from resources.graphql.counts import Counts

SHOWN_CODES = 5
EXACTNESS = 1e-12  # of a share as a float

MaxFailed = int | float  # a number of keys, or as a float a share of them
Details = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Arrow tables by table name, each with the schema that the query gives it.

    `counts` is what happened on the wire since the page before. `asked`, `found`, `not_found` and `failed`
    count this page's keys (or, for a list, its rows as asked and found); `failures` are the failed ones by
    the server's code. `filtered` lead to people whom the extract leaves out by choice, `suppressed` to those
    who were erased and may not come back. `total` is the number of keys that the whole extraction will have,
    `list_total` what the server says of a list's rows, each where it is known. `notes` are what a reader of
    the tables should know, such as that a list changed while it was read. `group` is the group of keys that
    the page is of, where there are groups (see `GroupedKeys`); `is_last_of_keys` says that no other page is
    of the same keys. `reached` says how to go on behind the page, where that can be said (see `Resume`).
    """

    tables: Mapping[str, pa.Table] = field(repr=False)
    asked: int
    found: int
    filtered: int = 0
    not_found: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    suppressed: int = 0
    total: int | None = None
    counts: Counts = field(default_factory=Counts)
    group: str | None = None
    list_total: int | None = None
    notes: tuple[str, ...] = ()
    is_last_of_keys: bool = True
    reached: bytes | None = field(default=None, repr=False)

    @property
    def failed(self) -> int:
        """How many keys failed."""
        return self.failures.total()


@dataclass(slots=True)
class Tally:
    """The sum of an extraction's pages; `staged` of the keys (or rows) were asked for by an earlier run.

    `withheld` of the suppressed ones the API was not asked for at all.
    """

    asked: int = 0
    found: int = 0
    filtered: int = 0
    not_found: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    suppressed: int = 0
    withheld: int = 0
    total: int | None = None
    counts: Counts = field(default_factory=Counts)
    list_total: int | None = None
    notes: list[str] = field(default_factory=list)
    staged: int = 0

    @property
    def failed(self) -> int:
        """How many keys failed."""
        return self.failures.total()

    def add(self, page: Page) -> None:
        """Take in one page."""
        self._count(page)
        self.total = None if page.total is None else page.total + self.withheld
        self.counts.add(page.counts)

    def withhold(self, number: int) -> None:
        """Take note of how many keys are suppressed before anything is asked."""
        self.asked += number - self.withheld
        self.suppressed += number - self.withheld
        self.withheld = number

    def add_staged(self, earlier: "Tally") -> None:
        """Take in what an earlier run has left; nothing of it was on the wire now."""
        self._count(earlier)
        self.staged += earlier.asked

    def _count(self, more: "Page | Tally") -> None:
        self.asked += more.asked
        self.found += more.found
        self.filtered += more.filtered
        self.not_found += more.not_found
        self.failures += more.failures
        self.suppressed += more.suppressed
        self.list_total = more.list_total
        self.notes += more.notes

    def check(self, *, max_failed: MaxFailed, what: str = "", details: Details = NO_DETAILS) -> None:
        """Refuse what does not add up, and more failed keys than are allowed; `what` was extracted.

        `details` are what the error says besides, such as where the failed keys are.
        """
        where = f"{what}: " if what else ""
        answered = self.found + self.filtered + self.not_found + self.failed
        if self.asked != answered + self.suppressed or self.total not in (None, self.asked):
            raise AccountingError(
                f"{where}keys do not add up, so it is not published: {self._summed}. Does the loop over "
                "pages() write every page?"
            )
        if not self.exceeds(max_failed):
            return
        advice = (
            f"{details['failed_keys']} has these keys with what the server said; the next run within a day "
            "asks for them alone. "
            if "failed_keys" in details
            else ""
        )
        codes = ", ".join(f"{number} {code}" for code, number in self.failures.most_common(SHOWN_CODES))
        raise TooManyFailed(
            f"{where}{self.failed:,} of {self.asked:,} keys failed ({codes}), {shown(max_failed)} may; it is "
            f"not published. {advice}If more may fail: TARGETDATA_MAX_FAILED or GRAPHQL_MAX_FAILED, "
            "--max-failed",
            details={"keys_failed": self.failed, "codes": dict(self.failures), **details},
        )

    @property
    def _summed(self) -> str:
        keys = self.asked if self.total is None else self.total
        parts = {
            "found": self.found,
            "filtered": self.filtered,
            "not found": self.not_found,
            "failed": self.failed,
            "suppressed": self.suppressed,
        }
        answers = ", ".join(f"{number:,} {name}" for name, number in parts.items())
        return f"of {keys:,} keys {self.asked:,} were asked, and these are {answers}"

    def exceeds(self, max_failed: MaxFailed) -> bool:
        """Say whether more keys failed than may."""
        if isinstance(max_failed, float):  # 0.7 % of 1,000 are 7, though not in binary
            return self.failed > math.floor(max_failed * self.asked * (1 + EXACTNESS))
        return self.failed > max_failed


def shown(max_failed: MaxFailed) -> str:
    """Write a limit of failed keys for a person."""
    return (
        f"{max_failed:.4%}".rstrip("0%").rstrip(".") + "%"
        if isinstance(max_failed, float)
        else str(max_failed)
    )


def read_max_failed(text: str) -> MaxFailed:
    """Read a limit of failed keys: a number, or a share as in `0.5%`; raises ValueError for others."""
    try:
        number: MaxFailed = float(text[:-1]) / 100 if text.endswith("%") else int(text)
    except ValueError:
        number = -1
    if not (0 <= number <= 1 if isinstance(number, float) else number >= 0):
        raise ValueError("it is a number of keys, or a share of them as in 0.5%")
    return number

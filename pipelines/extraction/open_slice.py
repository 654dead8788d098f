"""A slice while its pages come in, and what it counts."""

import time
from collections import Counter

import msgspec

from resources.graphql.page import Page, Tally
from resources.graphql.query import Query

SLICE_KEYS = 10_000  # or rows of a list: so many are asked again after a kill, at most
SLICE_BYTES = 64 * 1024 * 1024  # of Arrow data in memory
SLICE_SECONDS = 120.0  # of a slow API's answers


class Figures(msgspec.Struct):
    """What a slice counts of one group; `child_rows` by table."""

    asked: int = 0
    found: int = 0
    filtered: int = 0
    not_found: int = 0
    failures: dict[str, int] = {}
    suppressed: int = 0
    list_total: int | None = None
    notes: list[str] = []
    rows: int = 0
    child_rows: dict[str, int] = {}

    def add(self, page: Page, query: Query) -> None:
        """Take in a page."""
        self.asked += page.asked
        self.found += page.found
        self.filtered += page.filtered
        self.not_found += page.not_found
        self.failures = dict(Counter(self.failures) + page.failures)
        self.suppressed += page.suppressed
        self.list_total = page.list_total
        self.notes = [*self.notes, *page.notes]
        self.rows += rows_of(page, query)
        self.child_rows = dict(Counter(self.child_rows) + child_rows_of(page, query))

    def tally(self) -> Tally:
        """Give them as the sum of some pages."""
        return Tally(
            asked=self.asked,
            found=self.found,
            filtered=self.filtered,
            not_found=self.not_found,
            failures=Counter(self.failures),
            suppressed=self.suppressed,
            list_total=self.list_total,
            notes=list(self.notes),
        )


def rows_of(page: Page, query: Query) -> int:
    """Give the rows of the extract's own table."""
    rows: int = page.tables[query.name].num_rows
    return rows


def child_rows_of(page: Page, query: Query) -> Counter[str]:
    """Give the rows of each list's table."""
    return Counter({child.name: page.tables[child.name].num_rows for child in query.children})


class OpenSlice:
    """Pages since the last slice."""

    def __init__(self) -> None:
        self.pages: list[tuple[str, Page]] = []
        self._whole = 0  # pages up to the last that ends its keys
        self._keys = self._bytes = 0
        self._since = time.monotonic()

    def add(self, page: Page, group: str) -> None:
        """Take in a page."""
        self.pages.append((group, page))
        self._keys += page.asked
        self._bytes += sum(table.nbytes for table in page.tables.values())
        if page.is_last_of_keys:
            self._whole = len(self.pages)

    @property
    def is_full(self) -> bool:
        """Say whether it is time to stage it."""
        late = time.monotonic() - self._since >= SLICE_SECONDS
        return self._keys >= SLICE_KEYS or self._bytes >= SLICE_BYTES or late

    @property
    def is_cut(self) -> bool:
        """Say whether the last pages' keys are still to come for other groups."""
        return self._whole < len(self.pages)

    @property
    def whole(self) -> list[tuple[str, Page]]:
        """The pages without those whose keys are cut: other groups have yet to get them."""
        return self.pages[: self._whole]

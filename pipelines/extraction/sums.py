"""What is counted of an extraction: by slice, and in all, each by group of keys."""

from collections import Counter
from collections.abc import Collection

import msgspec

from resources.graphql.page import Page, Tally
from resources.graphql.query import Query


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

    def forget_failed(self) -> None:
        """Leave out keys that failed: they are asked again."""
        self.asked -= sum(self.failures.values())
        self.failures = {}

    def forget_suppressed(self) -> None:
        """Leave out keys that have no row among the lookups: they are counted when they are asked again."""
        self.asked -= self.suppressed
        self.suppressed = 0

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


class Sums:
    """The sums of all pages by group; `staged_rows` are those that an earlier run has left."""

    def __init__(self, groups: Collection[str]) -> None:
        self.tallies = {group: Tally() for group in groups}
        self.rows: Counter[str] = Counter()
        self.staged_rows: Counter[str] = Counter()
        self.child_rows: dict[str, Counter[str]] = {group: Counter() for group in groups}

    def add(self, page: Page, query: Query, group: str) -> None:
        """Take in a page."""
        self.tallies[group].add(page)
        self.rows[group] += rows_of(page, query)
        self.child_rows[group].update(child_rows_of(page, query))

    def add_staged(self, group: str, figures: Figures) -> None:
        """Take in what an earlier run has staged."""
        self.tallies[group].add_staged(figures.tally())
        self.rows[group] += figures.rows
        self.staged_rows[group] += figures.rows
        self.child_rows[group].update(figures.child_rows)

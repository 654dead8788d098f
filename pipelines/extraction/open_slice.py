"""A slice while its pages come in."""

import time

import pyarrow as pa

from pipelines.extraction.sums import Figures
from resources.graphql.page import Page
from resources.graphql.query import Query

SLICE_KEYS = 10_000  # or rows of a list: so many are asked again after a kill, at most
SLICE_BYTES = 64 * 1024 * 1024  # of Arrow data in memory
SLICE_SECONDS = 120.0  # of a slow API's answers


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

    def gathered(
        self, query: Query
    ) -> tuple[dict[str, dict[str, list[pa.Table]]], dict[str, Figures], bytes | None]:
        """Give their rows by table and group, the figures of each group, and how to go on behind them."""
        rows: dict[str, dict[str, list[pa.Table]]] = {}
        figures: dict[str, Figures] = {}
        for group, page in self.whole:
            figures.setdefault(group, Figures()).add(page, query)
            for name, table in page.tables.items():
                rows.setdefault(name, {}).setdefault(group, []).append(table)
        return rows, figures, self.whole[-1][1].reached

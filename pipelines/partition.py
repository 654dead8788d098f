"""Partitions of an extract while its pages come in."""

import time
from collections.abc import Mapping

import pyarrow as pa

from pipelines.progress import Progress
from pipelines.publication import OpenPartition
from resources.errors import AccountingError, ConfigurationError
from resources.graphql.page import Page, Tally
from resources.graphql.paging.keys import GroupedKeys
from resources.graphql.query import Query
from resources.lake import Lake


class ExtractPartition:
    """One partition of an extract while its pages come in."""

    def __init__(self, query: Query, partition: OpenPartition) -> None:
        self.name = f"{query.name} {partition.key or ''}".strip()
        self.folder = partition.folder
        self.age = partition.age
        self.end = partition.end
        self.tally = Tally()
        self.rows = 0
        self.started = time.monotonic()
        self.range: ExtractRange | None = None
        self._query = query
        self._writer = partition.writer
        self._window = partition.window
        self._is_bound = query.window is None  # or its variables were taken
        self._has_keys = False
        self._progress = Progress(self.name)

    @property
    def variables(self) -> dict[str, object]:
        """The query's window variables with the bounds of this partition; empty for a query without them."""
        self._is_bound = True
        if self._query.window is None:
            return {}
        if self._window is None:
            raise ConfigurationError(
                f"{self._query.name} has a window ({', '.join(self._query.window.names)}), so its asset "
                "needs partitions by time, such as partitions_def=DAILY"
            )
        return self._query.window_variables(*self._window)

    def check(self, *, max_failed: int) -> None:
        """Refuse what does not add up, too many failures, and rows that no window bounded."""
        if self._query.window and not self._is_bound:
            raise ConfigurationError(
                f"{self._query.name} has a window, and it was not used: "
                f"pages({self._query.name.upper()}, variables=partition.variables); if "
                f"{', '.join(self._query.window.names)} are none, give them other names"
            )
        if self._has_keys and self.tally.total is None:
            raise AccountingError(f"{self.name}: no page was written, so none of its keys was asked")
        self.tally.check(max_failed=max_failed, what=self.name)

    def expect_keys(self) -> None:
        """Take note that there are keys to be asked: without a page of them nothing is published."""
        self._has_keys = True

    def write(self, page: Page) -> None:
        """Add a page's rows, and count them."""
        self.add(page)
        self._progress.show(self.tally)

    def add(self, page: Page) -> None:
        """Add a page's rows, without a word."""
        self._writer.write(page.tables)
        self.rows += page.tables[self._query.name].num_rows
        self.tally.add(page)


class ExtractRange:
    """All partitions of a run while the pages of their keys come in, each distinct key asked once."""

    def __init__(self, name: str, lake: Lake, partitions: Mapping[str, ExtractPartition]) -> None:
        self.partitions = partitions
        self.tally = Tally()
        for partition in partitions.values() if len(partitions) > 1 else ():
            partition.range = self
        self._lake = lake
        self._progress = Progress(name)

    def keys(self, table: str) -> GroupedKeys:
        """Read the keys of each partition from the same partition of a table in the lake."""
        return self.grouped({k: self._lake.read(table, p.folder) for k, p in self.partitions.items()})

    def grouped(self, keys: Mapping[str, pa.Table]) -> GroupedKeys:
        """Take the keys of each partition, by its key, from wherever they are."""
        if keys.keys() != self.partitions.keys():
            odd = ", ".join(map(str, sorted(keys.keys() ^ self.partitions.keys())))
            raise ConfigurationError(f"keys are needed for each partition of the run and no other; see {odd}")
        for partition in self.partitions.values():
            partition.expect_keys()
        return GroupedKeys(keys)

    def write(self, page: Page) -> None:
        """Add a page's rows to the partition that it is of, and count them."""
        partition = self.partitions.get(page.group or "")
        if partition is None:
            raise ConfigurationError(
                "in .range() keys are given by partition: pages(…, keys=days.keys(table)) or days.grouped(…)"
            )
        partition.add(page)
        self.tally.add(page)
        self.tally.total = sum(partition.tally.total or 0 for partition in self.partitions.values())
        self._progress.show(self.tally)

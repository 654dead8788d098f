"""Partitions of an extract while its pages come in."""

import time
from collections.abc import Mapping

import pyarrow as pa

from pipelines.extraction.staging import Staging
from pipelines.progress import Progress
from pipelines.publication import OpenPartition
from resources.errors import AccountingError, ConfigurationError
from resources.graphql.page import MaxFailed, Page, Tally
from resources.graphql.paging.keys import GroupedKeys
from resources.graphql.paging.resume import Resume
from resources.graphql.query import Query
from resources.lake import Lake


class ExtractPartition:
    """One partition of an extract while its pages come in; `group` names it in a run over several."""

    def __init__(self, query: Query, partition: OpenPartition, staging: Staging, group: str = "") -> None:
        self.name = f"{query.name} {partition.key or ''}".strip()
        self.table = query.name
        self.folder = partition.folder
        self.age = partition.age
        self.end = partition.end
        self.started = time.monotonic()
        self.range: ExtractRange | None = None
        self._query = query
        self._staging = staging
        self._group = group
        self._writer = partition.writer
        self._window = partition.window
        self._is_bound = query.window is None  # or its variables were taken
        self._has_keys = False
        self._progress = Progress(self.name)

    @property
    def tally(self) -> Tally:
        """The sum of its pages."""
        return self._staging.sums.tallies[self._group]

    @property
    def rows(self) -> int:
        """The rows of its own table."""
        return self._staging.sums.rows[self._group]

    @property
    def child_rows(self) -> dict[str, int]:
        """The rows of the tables of its lists."""
        counted = self._staging.sums.child_rows[self._group]
        return {child.name: counted[child.name] for child in self._query.children}

    @property
    def new_rows(self) -> int:
        """Those of them that this run has got from the API."""
        return self.rows - self._staging.sums.staged_rows[self._group]

    @property
    def resume(self) -> Resume:
        """For `pages(…, resume=partition.resume)`: what an earlier run has left is not asked again."""
        return self._staging

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

    def keys(self, keys: pa.Table) -> object:
        """Leave out, of keys for `pages(…, keys=partition.keys(…))`, those of people who were erased."""
        return self._staging.left(keys, self._group)

    def write(self, page: Page) -> None:
        """Add a page's rows, and count them."""
        self._staging.add(page, self._group)
        self._progress.show(self.tally)

    def expect_keys(self) -> None:
        """Take note that there are keys to be asked: without a page of them nothing is published."""
        self._has_keys = True

    def check(self, *, max_failed: MaxFailed) -> None:
        """Refuse what does not add up, too many failures, and rows that no window bounded."""
        if self._query.window and not self._is_bound:
            raise ConfigurationError(
                f"{self._query.name} has a window, and it was not used: "
                f"pages({self._query.name.upper()}, variables=partition.variables); if "
                f"{', '.join(self._query.window.names)} are none, give them other names"
            )
        if self._has_keys and self.tally.total is None:
            raise AccountingError(f"{self.name}: no page was written, so none of its keys was asked")
        too_many = self.tally.exceeds(max_failed)
        details = {"failed_keys": self._staging.write_failed(self._group, self.folder)} if too_many else {}
        self.tally.check(max_failed=max_failed, what=self.name, details=details)

    def merge(self) -> None:
        """Write its staged rows to its tables; raises AccountingError where any is missing."""
        lookups = dict.fromkeys(self._query.tables, self.tally.asked - self.tally.suppressed)
        expected = lookups | {self._query.name: self.rows} | self.child_rows
        written = dict.fromkeys(expected, 0)
        for name, rows in self._staging.tables(self._group):
            self._writer.write({name: rows})
            written[name] += rows.num_rows
        if written != expected:
            raise AccountingError(f"{self.name}: {expected} rows came in, {written} were staged")


class ExtractRange:
    """All partitions of a run while the pages of their keys come in, each distinct key asked once."""

    def __init__(
        self, name: str, lake: Lake, partitions: Mapping[str, ExtractPartition], staging: Staging
    ) -> None:
        self.partitions = partitions
        self.tally = Tally()
        for partition in partitions.values() if len(partitions) > 1 else ():
            partition.range = self
        self._lake = lake
        self._staging = staging
        self._progress = Progress(name)

    @property
    def resume(self) -> Resume:
        """For `pages(…, resume=days.resume)`: what an earlier run has left is not asked again."""
        return self._staging

    def keys(self, table: str) -> GroupedKeys:
        """Read the keys of each partition from the same partition of a table in the lake.

        Those of people who were erased are counted, and not asked.
        """
        return self.grouped({k: self._lake.read(table, p.folder) for k, p in self.partitions.items()})

    def grouped(self, keys: Mapping[str, pa.Table]) -> GroupedKeys:
        """Take the keys of each partition, by its key, from wherever they are."""
        if keys.keys() != self.partitions.keys():
            odd = ", ".join(map(str, sorted(keys.keys() ^ self.partitions.keys())))
            raise ConfigurationError(f"keys are needed for each partition of the run and no other; see {odd}")
        for partition in self.partitions.values():
            partition.expect_keys()
        return GroupedKeys({key: self._staging.left(table, key) for key, table in keys.items()})

    def write(self, page: Page) -> None:
        """Add a page's rows to the partition that it is of, and count them."""
        group = page.group or ""
        if group not in self.partitions:
            raise ConfigurationError(
                "in .range() keys are given by partition: pages(…, keys=days.keys(table)) or days.grouped(…)"
            )
        self._staging.add(page, group)
        self.tally.counts.add(page.counts)
        self._progress.show(self._sum)

    def _sum(self) -> Tally:
        """Add up what the progress shows."""
        tallies = [partition.tally for partition in self.partitions.values()]
        return Tally(
            asked=sum(tally.asked for tally in tallies),
            staged=sum(tally.staged for tally in tallies),
            total=sum(tally.total or 0 for tally in tallies),
        )

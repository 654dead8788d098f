"""An extract in a Dagster run: pages in, published partitions and their figures out."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from typing import TypeVar

import dagster as dg
import pyarrow as pa

from pipelines.progress import Progress
from pipelines.publication import OpenPartition, Publication
from resources.errors import ExtractionError
from resources.graphql.counts import Counts
from resources.graphql.page import Page, Tally
from resources.graphql.paging.keys import GroupedKeys
from resources.graphql.query import Query
from resources.lake import Lake

OBSERVED_LATE = timedelta(days=2)  # after its end, what the API shows is not the state of that day

T = TypeVar("T")


class ExtractPartition:
    """One partition of an extract while its pages come in."""

    def __init__(self, name: str, partition: OpenPartition) -> None:
        self.name = f"{name} {partition.key or ''}".strip()
        self.folder = partition.folder
        self.age = partition.age
        self.end = partition.end
        self.tally = Tally()
        self.rows = 0
        self.started = time.monotonic()
        self.range: ExtractRange | None = None
        self._name = name
        self._writer = partition.writer
        self._progress = Progress(self.name)

    def write(self, page: Page) -> None:
        """Add a page's rows, and count them."""
        self.add(page)
        self._progress.show(self.tally)

    def add(self, page: Page) -> None:
        """Add a page's rows, without a word."""
        self._writer.write(page.tables)
        self.rows += page.tables[self._name].num_rows
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
        return GroupedKeys({key: keys[key] for key in self.partitions})

    def write(self, page: Page) -> None:
        """Add a page's rows to the partition that it is of, and count them."""
        self.partitions[page.group or ""].add(page)
        self.tally.add(page)
        self.tally.total = sum(partition.tally.total or 0 for partition in self.partitions.values())
        self._progress.show(self.tally)


class Extraction:
    """The run of one extract; `max_failed` keys of a partition may fail without stopping it."""

    def __init__(
        self, context: dg.AssetExecutionContext, lake: Lake, query: Query, *, max_failed: int = 0
    ) -> None:
        self._context = context
        self._lake = lake
        self._query = query
        self._max_failed = max_failed
        self._publication = Publication(context, lake)

    @property
    def keys(self) -> Sequence[str | None]:
        """The run's partitions, in order."""
        return self._publication.keys

    @contextmanager
    def partition(self, key: str | None) -> Iterator[ExtractPartition]:
        """Open one partition; at the end of the `with` it is checked, published and recorded."""
        with self._publication.failures(), self._open(key) as partition:
            yield partition

    @contextmanager
    def range(self) -> Iterator[ExtractRange]:
        """Open all partitions of the run; at the end of the `with` each is published by itself.

        One that fails its check does not keep the others from being published.
        """
        keys = [key or "" for key in self.keys]
        with (
            self._publication.failures(),
            each_by_itself([self._open(key, beside=len(keys) - 1) for key in self.keys]) as partitions,
        ):
            yield ExtractRange(self._query.name, self._lake, dict(zip(keys, partitions, strict=True)))

    @contextmanager
    def _open(self, key: str | None, *, beside: int = 0) -> Iterator[ExtractPartition]:
        footer = {"query": self._query.hash}
        with self._publication.open(key, self._query.tables, footer=footer, beside=beside) as opened:
            partition = ExtractPartition(self._query.name, opened)
            self._warn_if_late(partition)
            yield partition
            partition.tally.check(max_failed=self._max_failed, what=partition.name)
            opened.metadata.update(figures(partition, time.monotonic() - partition.started))

    def _warn_if_late(self, partition: ExtractPartition) -> None:
        if partition.age > OBSERVED_LATE:
            self._context.log.warning(
                f"{partition.folder} is observed late: the API shows the present only, so its rows have "
                "today's state (fetched_at)"
            )


@contextmanager
def each_by_itself(contexts: Sequence[AbstractContextManager[T]]) -> Iterator[list[T]]:
    """Enter all; at the end leave each by itself, then raise the first failure among them."""
    failures: list[ExtractionError] = []
    with ExitStack() as unfinished:
        stacks = [unfinished.enter_context(ExitStack()) for _ in contexts]
        yield [stack.enter_context(context) for stack, context in zip(stacks, contexts, strict=True)]
        for stack in stacks:
            try:
                stack.close()
            except ExtractionError as failure:
                failures.append(failure)
    if failures:
        raise failures[0]


def figures(partition: ExtractPartition, seconds: float) -> dict[str, dg.MetadataValue]:
    """Give the figures of an extraction as metadata; Dagster plots the numbers over partitions.

    In a run over several partitions what happened on the wire belongs to all of them together.
    """
    tally = partition.tally
    keys = {
        "keys_asked": tally.asked,
        "keys_found": tally.found,
        "keys_not_found": tally.not_found,
        "keys_failed": tally.failed,
    }
    counted = {name: dg.MetadataValue.int(number) for name, number in keys.items()}
    range_ = partition.range
    if range_ is None:
        return counted | on_the_wire(tally.counts, partition.rows, seconds)
    together = on_the_wire(range_.tally.counts, sum(p.rows for p in range_.partitions.values()), seconds)
    shared = {f"range_{name}": value for name, value in together.items()}
    return counted | shared | {"range_partitions": dg.MetadataValue.int(len(range_.partitions))}


def on_the_wire(counts: Counts, rows: int, seconds: float) -> dict[str, dg.MetadataValue]:
    """Give what was sent and received; `lookups` are the distinct keys that were asked."""
    retries = dict(sorted(counts.retries.items()))
    numbers = {
        "lookups": counts.lookups,
        "requests": counts.requests,
        "retries": sum(retries.values()),
        "token_renewals": counts.renewals,
        "answer_bytes": counts.bytes,
    }
    return {
        **{name: dg.MetadataValue.int(number) for name, number in numbers.items()},
        "retries_by_kind": dg.MetadataValue.json(retries),
        "seconds": dg.MetadataValue.float(round(seconds, 3)),
        "rows_per_second": dg.MetadataValue.float(round(rows / seconds, 1)),
    }

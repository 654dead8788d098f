"""An extract in a Dagster run: pages in, published partitions and their figures out."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import dagster as dg

from pipelines.progress import Progress
from pipelines.publication import OpenPartition, Publication
from resources.errors import ConfigurationError
from resources.graphql.page import Page, Tally
from resources.graphql.query import Query
from resources.lake import Lake

OBSERVED_LATE = timedelta(days=2)  # after its end, what the API shows is not the state of that day


class ExtractPartition:
    """One partition of an extract while its pages come in."""

    def __init__(self, query: Query, partition: OpenPartition) -> None:
        name = query.name
        self.folder = partition.folder
        self.age = partition.age
        self.tally = Tally()
        self.rows = 0
        self.started = time.monotonic()
        self._name = name
        self._writer = partition.writer
        self._query = query
        self._window = partition.window
        self._is_bound = query.window is None  # or its variables were taken
        self._progress = Progress(f"{name} {partition.key or ''}".strip())

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
        self.tally.check(max_failed=max_failed)

    def write(self, page: Page) -> None:
        """Add a page's rows, and count them."""
        self._writer.write(page.tables)
        self.rows += page.tables[self._name].num_rows
        self.tally.add(page)
        self._progress.show(self.tally)


class Extraction:
    """The run of one extract; `max_failed` keys of a partition may fail without stopping it."""

    def __init__(
        self, context: dg.AssetExecutionContext, lake: Lake, query: Query, *, max_failed: int = 0
    ) -> None:
        self._context = context
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
        with self._publication.partition(
            key, self._query.tables, footer={"query": self._query.hash}
        ) as opened:
            partition = ExtractPartition(self._query, opened)
            self._warn_if_late(partition)
            yield partition
            partition.check(max_failed=self._max_failed)
            for note in partition.tally.notes:
                self._context.log.warning(f"{self._query.name}: {note}")
            opened.metadata.update(figures(partition, time.monotonic() - partition.started))

    def _warn_if_late(self, partition: ExtractPartition) -> None:
        if partition.age > OBSERVED_LATE:
            self._context.log.warning(
                f"{partition.folder} is observed late: the API shows the present only, so its rows have "
                "today's state (fetched_at)"
            )


def figures(partition: ExtractPartition, seconds: float) -> dict[str, dg.MetadataValue]:
    """Give the figures of an extraction as metadata; Dagster plots the numbers over partitions."""
    tally = partition.tally
    retries = dict(sorted(tally.counts.retries.items()))
    numbers = {
        "keys_asked": tally.asked,
        "keys_found": tally.found,
        "keys_not_found": tally.not_found,
        "keys_failed": tally.failed,
        "requests": tally.counts.requests,
        "retries": sum(retries.values()),
        "token_renewals": tally.counts.renewals,
        "answer_bytes": tally.counts.bytes,
    }
    notes = {"notes": dg.MetadataValue.json(tally.notes)} if tally.notes else {}
    return {
        **notes,
        **{name: dg.MetadataValue.int(number) for name, number in numbers.items()},
        "retries_by_kind": dg.MetadataValue.json(retries),
        "seconds": dg.MetadataValue.float(round(seconds, 3)),
        "rows_per_second": dg.MetadataValue.float(round(partition.rows / seconds, 1)),
    }

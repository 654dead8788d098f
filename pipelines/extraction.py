"""An extract in a Dagster run: pages in, published partitions and their figures out."""

import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from typing import TypeVar

import dagster as dg

from pipelines.figures import figures
from pipelines.partition import ExtractPartition, ExtractRange
from pipelines.publication import Publication
from resources.errors import ConfigurationError, ExtractionError
from resources.graphql.query import Query
from resources.lake import Lake
from resources.lake.columns_policy import SchemaChanges, require_columns

SPARE_FILES = 200  # what Python, Dagster and the connections have open besides
OBSERVED_LATE = timedelta(days=2)  # after its end, what the API shows is not the state of that day

T = TypeVar("T")


class Extraction:
    """The run of one extract; `max_failed` keys of a partition may fail without stopping it.

    Before anything is asked, the query's columns are compared with the table's, as `schema_changes` says.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        lake: Lake,
        query: Query,
        *,
        max_failed: int = 0,
        schema_changes: SchemaChanges = SchemaChanges.FROZEN,
    ) -> None:
        self._context = context
        self._lake = lake
        self._query = query
        self._max_failed = max_failed
        self._schema_changes = schema_changes
        self._publication = Publication(context, lake)

    @property
    def keys(self) -> Sequence[str | None]:
        """The run's partitions, in order."""
        return self._publication.keys

    @contextmanager
    def partition(self, key: str | None) -> Iterator[ExtractPartition]:
        """Open one partition; at the end of the `with` it is checked, published and recorded."""
        with self._publication.failures(), self._same_columns(), self._open(key) as partition:
            yield partition

    @contextmanager
    def range(self) -> Iterator[ExtractRange]:
        """Open all partitions of the run; at the end of the `with` each is published by itself.

        One that fails its check does not keep the others from being published.
        """
        keys = [key or "" for key in self.keys]
        with (
            self._publication.failures(),
            self._same_columns(),
            enough_files(len(keys) * len(self._query.tables)),
            each_by_itself([self._open(key, beside=len(keys) - 1) for key in self.keys]) as partitions,
        ):
            yield ExtractRange(self._query.name, self._lake, dict(zip(keys, partitions, strict=True)))

    @contextmanager
    def _open(self, key: str | None, *, beside: int = 0) -> Iterator[ExtractPartition]:
        footer = {"query": self._query.hash}
        with self._publication.open(key, self._query.tables, footer=footer, beside=beside) as opened:
            partition = ExtractPartition(self._query, opened)
            self._warn_if_late(partition)
            yield partition
            partition.check(max_failed=self._max_failed)
            for note in partition.tally.notes:
                self._context.log.warning(f"{partition.name}: {note}")
            opened.metadata.update(figures(partition, time.monotonic() - partition.started))

    @contextmanager
    def _same_columns(self) -> Iterator[None]:
        replaced, policy = self._publication.folders, self._schema_changes
        require_columns(self._lake, self._query.tables, replaced=replaced, policy=policy)
        yield

    def _warn_if_late(self, partition: ExtractPartition) -> None:
        if partition.age > OBSERVED_LATE:
            self._context.log.warning(
                f"{partition.folder} is observed late: the API shows the present only, so its rows have "
                "today's state (fetched_at)"
            )


@contextmanager
def enough_files(number: int) -> Iterator[None]:
    """Refuse, before anything is opened, more files at once than the system lets a process have."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = number + SPARE_FILES
    if needed > allowed and (most == resource.RLIM_INFINITY or needed <= most):
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, most))
    elif needed > allowed:
        raise ConfigurationError(
            f"this run would have {number} files open at once, the system allows {most}: raise its limit "
            "(ulimit -n), or run fewer partitions at once (TARGETDATA_PARTITIONS_PER_RUN)"
        )
    yield


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

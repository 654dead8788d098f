"""An extract in a Dagster run: pages in, published partitions and their figures out."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

import dagster as dg

from pipelines.checks.evaluations import Evaluations
from pipelines.extraction.figures import figures
from pipelines.extraction.partition import ExtractPartition, ExtractRange
from pipelines.extraction.staging import Staging
from pipelines.privacy import screen_of
from pipelines.publication import OBSERVED_LATE, Publication
from resources.errors import ConfigurationError, ExtractionError
from resources.failures import raise_worst
from resources.graphql.page import MaxFailed
from resources.graphql.query import Query
from resources.lake import Lake
from resources.lake.columns_policy import replaces_columns, require_columns
from resources.privacy import Privacy
from resources.schema_changes import SchemaChanges

T = TypeVar("T")


class Extraction:
    """The run of one extract.

    `max_failed` keys of a partition (an int), or a share of them (a float), may fail without stopping it.
    Before anything is asked, the query's columns are compared with the table's, as `schema_changes` says.
    Before anything is stored, `privacy` is applied to it, and whoever is on the lake's suppression list is
    left out.
    What comes in is staged in the lake; with `pages(…, resume=…)` the run after one that was ended goes on
    there, within a day.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        lake: Lake,
        query: Query,
        *,
        max_failed: MaxFailed = 0,
        schema_changes: SchemaChanges = SchemaChanges.FROZEN,
        privacy: Privacy | None = None,
    ) -> None:
        if privacy and privacy.query is not query:
            raise ConfigurationError(f"the privacy of {privacy.query.name} is not for {query.name}")
        self._context = context
        self._lake = lake
        self._query = query
        self._max_failed = max_failed
        self._schema_changes = schema_changes
        self._privacy = privacy or Privacy.of(query)
        self._publication = Publication(context, lake, checks=self._checks)

    @property
    def keys(self) -> Sequence[str | None]:
        """The run's partitions, in order."""
        return self._publication.keys

    @contextmanager
    def partition(self, key: str | None) -> Iterator[ExtractPartition]:
        """Open one partition; at the end of the `with` it is checked, published and recorded."""
        with (
            self._publication.failures(),
            self._staged([""], [key or ""]) as staging,
            self._open(key, staging) as partition,
        ):
            yield partition
            staging.complete()

    @contextmanager
    def range(self) -> Iterator[ExtractRange]:
        """Open all partitions of the run; at the end of the `with` each is published by itself.

        One that fails its check does not keep the others from being published.
        """
        groups = [key or "" for key in self.keys]
        with self._publication.failures(), self._staged(groups, groups) as staging:
            opened = [self._open(key, staging, group) for key, group in zip(self.keys, groups, strict=True)]
            with each_by_itself(opened, self._context.log.error) as partitions:
                by_group = dict(zip(groups, partitions, strict=True))
                yield ExtractRange(self._query.name, self._lake, by_group, staging)
                staging.complete()
                if replaces_columns(self._lake, self._query.tables, self._publication.folders):
                    for partition in partitions:  # all or none: a table would have two types of a column
                        partition.check(max_failed=self._max_failed)

    @contextmanager
    def _staged(self, groups: Collection[str], partitions: Collection[str]) -> Iterator[Staging]:
        """Remove what is staged when all of it is published; else leave it to the next run."""
        replaced, policy = self._publication.folders, self._schema_changes
        require_columns(self._lake, self._query.tables, replaced=replaced, policy=policy)
        staging = Staging(
            self._lake.root,
            self._query,
            groups,
            run=self._context.run.run_id,
            partitions=partitions,
            screen=screen_of(self._privacy, self._lake.root),
        )
        try:
            yield staging
        except BaseException as error:
            staging.leave(error)
            raise
        staging.remove()

    @contextmanager
    def _open(self, key: str | None, staging: Staging, group: str = "") -> Iterator[ExtractPartition]:
        footer = {"query": self._query.hash, **staging.footer}
        with self._publication.open(key, self._query.tables, footer=footer) as opened:
            partition = ExtractPartition(self._query, opened, staging, group)
            staging.fences.append(opened.writer.require_claim)
            staging.claims.append(opened.writer.require_newest)
            self._warn_if_late(partition)
            yield partition
            partition.check(max_failed=self._max_failed)
            partition.merge()
            staging.require_current()
            self._say(partition)
            opened.metadata.update(figures(partition, time.monotonic() - partition.started))

    def _say(self, partition: ExtractPartition) -> None:
        for note in partition.tally.notes:
            self._context.log.warning(f"{partition.name}: {note}")
        if partition.tally.staged:
            self._context.log.info(
                f"{partition.name}: {partition.tally.staged:,} of {partition.tally.asked:,} were asked for "
                "by an earlier run within a day, and not again"
            )

    def _checks(self, keys: Sequence[str | None]) -> Iterator[dg.AssetCheckEvaluation]:
        """Evaluate what a run that fails has published: it does not come to the step of the checks."""
        checks = self._context.job_def.asset_layer.asset_graph.asset_check_keys  # those of this run
        return Evaluations(
            asset=self._context.asset_key,
            names={check.name for check in checks if check.asset_key == self._context.asset_key},
            query=self._query,
            lake=self._lake,
            partitions=self._context.assets_def.partitions_def,
            instance=self._context.instance,
        ).of(keys)

    def _warn_if_late(self, partition: ExtractPartition) -> None:
        if partition.age > OBSERVED_LATE:
            self._context.log.warning(
                f"{partition.folder} is observed late: the API shows the present only, so its rows have "
                "today's state (fetched_at)"
            )


@contextmanager
def each_by_itself(
    contexts: Sequence[AbstractContextManager[T]], say: Callable[[str], object]
) -> Iterator[list[T]]:
    """Enter all; at the end leave each by itself, then raise one of the failures: a person's before others.

    Each is said, and the one that is raised names the others.
    """
    failures: list[ExtractionError] = []
    with ExitStack() as unfinished:
        stacks = [unfinished.enter_context(ExitStack()) for _ in contexts]
        yield [stack.enter_context(context) for stack, context in zip(stacks, contexts, strict=True)]
        for stack in stacks:
            try:
                stack.close()
            except ExtractionError as failure:
                say(f"{failure} {failure.details or ''}".strip())
                failures.append(failure)
    raise_worst(failures)

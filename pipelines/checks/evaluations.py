"""The checks of an extract, and what they find of each partition as Dagster's events."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

# Public in every way but by its name: what `AssetCheckResult` fills in by itself, for one partition only.
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)

from pipelines.checks.accounting import accounting
from pipelines.checks.finding import Finding
from pipelines.checks.freshness import newest_partition, observed_late
from pipelines.checks.published import PublishedExtract
from pipelines.checks.trends import null_shares, share_not_found
from pipelines.environment import environment
from resources.errors import LakeError
from resources.graphql.query import Query
from resources.graphql.tables import LOOKUPS
from resources.lake import Lake
from resources.lake.place import Place, place_of

ACCOUNTING, NEWEST = "accounting", "newest_partition"
TIME_WINDOWS = dg.TimeWindowPartitionsDefinition

SAYS = {
    ACCOUNTING: "The files say the same as their manifests and are of this partition; keys asked = found + "
    "filtered + not found + failed + suppressed; the rows are those that the found keys lead to.",
    "share_not_found": "The share of keys not found is like that of the partitions before.",
    "null_shares": "The share of nulls in each column is like that of the partitions before.",
    "observed_late": "The rows were fetched soon after the partition's end.",
    NEWEST: "The last partition whose schedule hour has passed is published.",
}


def names_of(query: Query, partitions: dg.PartitionsDefinition | None) -> list[str]:
    """Name the checks that an extract can have: without partitions by time there is only the accounting."""
    if not isinstance(partitions, TIME_WINDOWS):
        return [ACCOUNTING]
    keyed = query.name + LOOKUPS in query.tables
    return [name for name in SAYS if name != "share_not_found" or keyed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluations:
    """Evaluates the checks with these `names` of an extract's asset."""

    asset: dg.AssetKey
    names: Collection[str]
    query: Query
    lake: Lake
    partitions: dg.PartitionsDefinition | None
    instance: dg.DagsterInstance

    def of(self, keys: Iterable[str | None]) -> Iterator[dg.AssetCheckEvaluation]:
        """Evaluate each of some published partitions, and once whether the newest is there."""
        extract = PublishedExtract(self.lake, self.query)
        for key in keys:
            recorded = self._recorded(key)
            for name, judge in self._judges(extract, self._place(key), recorded).items():
                yield self._event(name, judge, key, recorded)
        if NEWEST in self.names and isinstance(partitions := self.partitions, TIME_WINDOWS):
            after, now = environment().scheduled_after, datetime.now(UTC)
            yield self._event(
                NEWEST, lambda: newest_partition(extract, partitions, now=now, scheduled_after=after)
            )

    def _judges(
        self, extract: PublishedExtract, place: Place, recorded: dg.EventLogRecord | None
    ) -> dict[str, Callable[[], Finding]]:
        folder = place.folder
        judges: dict[str, Callable[[], Finding]] = {
            ACCOUNTING: lambda: accounting(extract, folder, asked=self._asked(folder, recorded)),
        }
        if place.key and isinstance(self.partitions, TIME_WINDOWS):
            end = self.partitions.time_window_for_partition_key(place.key).end
            judges["share_not_found"] = lambda: share_not_found(extract, folder)
            judges["null_shares"] = lambda: null_shares(extract, folder)
            judges["observed_late"] = lambda: observed_late(extract, folder, end)
        return {name: judge for name, judge in judges.items() if name in self.names}

    def _event(
        self,
        name: str,
        judge: Callable[[], Finding],
        key: str | None = None,
        recorded: dg.EventLogRecord | None = None,
    ) -> dg.AssetCheckEvaluation:
        try:
            finding = judge()
        except LakeError as error:
            finding = Finding(passed=False, says=str(error))
        is_blocking = name == ACCOUNTING
        return dg.AssetCheckEvaluation(
            asset_key=self.asset,
            check_name=name,
            passed=finding.passed,
            metadata={**finding.figures},
            target_materialization_data=_target(recorded),
            severity=dg.AssetCheckSeverity.ERROR if is_blocking else dg.AssetCheckSeverity.WARN,
            description=finding.says,
            blocking=is_blocking,
            partition=key,
        )

    def _place(self, key: str | None) -> Place:
        return Place() if key is None or self.partitions is None else place_of(key, self.partitions)

    def _recorded(self, key: str | None) -> dg.EventLogRecord | None:
        """Give what Dagster has recorded of a partition when it was last published."""
        wanted = dg.AssetRecordsFilter(asset_key=self.asset, asset_partitions=[key] if key else None)
        return next(iter(self.instance.fetch_materializations(wanted, limit=1).records), None)

    def _asked(self, folder: str, recorded: dg.EventLogRecord | None) -> int | None:
        """Give the keys asked as the run has recorded them, if it is the run that has published.

        Those that are suppressed have no lookup: they are counted, and stored nowhere.
        """
        manifest = self.lake.manifest(self.query.name, folder)
        if recorded is None or manifest is None or manifest.run != recorded.run_id:
            return None
        event = recorded.asset_materialization
        asked, suppressed = (
            value.value
            if isinstance(value := event.metadata.get(name) if event else None, dg.IntMetadataValue)
            else None
            for name in ("keys_asked", "keys_suppressed")
        )
        return None if asked is None else asked - (suppressed or 0)


def _target(recorded: dg.EventLogRecord | None) -> Target | None:
    if recorded is None:
        return None
    return Target(
        storage_id=recorded.storage_id, run_id=recorded.run_id, timestamp=recorded.event_log_entry.timestamp
    )

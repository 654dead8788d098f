"""The plan of a backfill: what is there, what would be asked, and what it costs. Nothing is asked for it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import dagster as dg

from pipelines.api import Api
from pipelines.plan.costs import Costs, Limits, costs_of_lists, costs_of_lookups, unknown_costs
from pipelines.plan.counting import SortedKeys
from pipelines.plan.extracts import Extract, PlannedPartition
from pipelines.plan.keys import FoundKeys, key_plan
from pipelines.plan.seen import SeenRun, pool_limit, seen_runs
from resources.graphql.plan import Keyed
from resources.graphql_resource import ApiResource
from resources.lake import Lake

Reading = Callable[[int, int], object]  # partitions read so far, of so many


@dataclass(frozen=True, slots=True)
class PartitionPlan:
    """A partition; `keys` None is unknown, and `why` says why, or it is a list's."""

    key: str | None
    published_at: datetime | None
    keys: int | None = None
    origin: str | None = None
    why: str = ""


Way = Literal["one_run", "a_run_a_partition", "as_configured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The costs of a backfill by the way in which it runs; figures are `seen` in the last runs, or bounds."""

    extract: str
    keys_from: str | None  # None for a list
    partitions: Sequence[PartitionPlan]
    partitions_per_run: int | None
    ways: dict[Way, Costs]
    seen: Sequence[SeenRun]
    rows_per_partition: tuple[float, float] | None
    pool: str | None
    pool_limit: int | None

    @property
    def configured(self) -> Costs:
        """The costs in the way that the asset's backfills run."""
        return self.ways["as_configured"]

    @property
    def unknown(self) -> list[PartitionPlan]:
        """The partitions whose keys are not known, so that all figures are without them."""
        return [found for found in self.partitions if self.keys_from is not None and found.keys is None]


def plan_backfill(
    extract: Extract,
    partitions: Sequence[PlannedPartition],
    *,
    lake: Lake,
    instance: dg.DagsterInstance,
    reading: Reading = lambda *_: None,
) -> Plan:
    """Plan a backfill of some partitions."""
    query, seen = extract.query, seen_runs(instance, extract.key)
    limits = _limits(extract)
    groups = _groups(len(partitions), extract.partitions_per_run)
    published = {found.partition: found.observed_at for found in lake.manifests(extract.name)}
    at = [published.get(partition.folder) for partition in partitions]
    if isinstance(query.plan, Keyed):
        keys = key_plan(extract, query.plan, lake)
        says: str | None = keys.says
        found, lookups = _counted(keys.of(partitions), groups, reading, len(partitions))
        known = any(one.keys is not None for one in found)
        ways = {
            way: costs_of_lookups(of_runs, seen, limits) if known else unknown_costs(len(of_runs))
            for way, of_runs in lookups.items()
        }
    else:
        says = None
        found = [FoundCount(FoundKeys(partition)) for partition in partitions]
        ways = {way: costs_of_lists([len(run) for run in runs], seen, limits) for way, runs in groups.items()}
    rows = [run.rows / run.partitions for run in seen]
    return Plan(
        extract=extract.name,
        keys_from=says,
        partitions=[one.planned(when) for one, when in zip(found, at, strict=True)],
        partitions_per_run=extract.partitions_per_run,
        ways=ways,
        seen=seen,
        rows_per_partition=(min(rows), max(rows)) if rows and says is None else None,
        pool=extract.pool,
        pool_limit=pool_limit(instance, extract.pool),
    )


@dataclass(frozen=True, slots=True)
class FoundCount:
    """A partition's keys, counted."""

    found: FoundKeys
    keys: int | None = None
    place: range = range(0)

    def planned(self, published_at: datetime | None) -> PartitionPlan:
        """Make the plan's partition of it."""
        found = self.found
        return PartitionPlan(found.partition.key, published_at, self.keys, found.origin, found.why)


def _counted(
    found: Iterator[FoundKeys], groups: dict[Way, list[range]], reading: Reading, number: int
) -> tuple[list[FoundCount], dict[Way, list[int]]]:
    """Count the keys of each partition, and the distinct ones of each run."""
    counted: list[FoundCount] = []
    with SortedKeys() as sorted_:
        for one in found:
            place = sorted_.add(one.keys) if one.keys is not None else range(0)
            keys = one.keys.num_rows if one.keys is not None else None
            counted.append(FoundCount(FoundKeys(one.partition, None, one.origin, one.why), keys, place))
            reading(len(counted), number)
        lookups = sorted_.distinct(
            [[counted[at].place for at in run] for runs in groups.values() for run in runs]
        )
    rest = iter(lookups)
    return counted, {way: [next(rest) for _ in runs] for way, runs in groups.items()}


def _groups(number: int, per_run: int | None) -> dict[Way, list[range]]:
    """Share the partitions out among runs."""

    def by(size: int) -> list[range]:
        return [range(at, min(at + size, number)) for at in range(0, number, size)]

    return {"a_run_a_partition": by(1), "one_run": by(number), "as_configured": by(per_run or number)}


def _limits(extract: Extract) -> Limits:
    api: ApiResource = extract.api.resource(None, {})
    plan = extract.query.plan
    return Limits(
        max_batch=api.max_batch,
        kinds=max(1, len(plan.kinds)) if isinstance(plan, Keyed) else 1,
        requests_per_second=api.requests_per_second,
        has_tokens=extract.api is Api.TARGETDATA,
    )

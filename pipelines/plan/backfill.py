"""The plan of a backfill: what is there, what would be asked, and what it costs. Nothing is asked for it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from resources.connection import Connection
from resources.graphql.plan import Keyed
from resources.lake import Lake

Reading = Callable[[int], object]  # so many partitions are read


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
    ways: Mapping[Way, Costs]
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
    reading: Reading = lambda _: None,
) -> Plan:
    """Plan a backfill of some partitions."""
    query, limits, seen = extract.query, _limits(extract), seen_runs(instance, extract.key)
    runs = _groups(len(partitions), extract.partitions_per_run)
    published = {found.partition: found.observed_at for found in lake.manifests(extract.name)}
    if isinstance(query.plan, Keyed):
        keys = key_plan(extract, query.plan, lake)
        says: str | None = keys.says
        plans, lookups = _counted(
            keys.of(partitions), runs, lambda found: _partition(found, published), reading
        )
        if all(plan.keys is None for plan in plans):
            ways = {way: unknown_costs(len(of_way)) for way, of_way in runs.items()}
        else:
            ways = {way: costs_of_lookups(of_way, seen, limits) for way, of_way in lookups.items()}
    else:
        says = None
        plans = [_partition(FoundKeys(partition), published) for partition in partitions]
        ways = {
            way: costs_of_lists([len(run) for run in of_way], seen, limits) for way, of_way in runs.items()
        }
    rows = [run.rows / run.partitions for run in seen]
    return Plan(
        extract=extract.name,
        keys_from=says,
        partitions=plans,
        partitions_per_run=extract.partitions_per_run,
        ways=ways,
        seen=seen,
        rows_per_partition=(min(rows), max(rows)) if rows and says is None else None,
        pool=extract.pool,
        pool_limit=pool_limit(instance, extract.pool),
    )


def _partition(found: FoundKeys, published: Mapping[str, datetime]) -> PartitionPlan:
    keys = None if found.keys is None else found.keys.num_rows
    place = found.partition
    return PartitionPlan(place.key, published.get(place.folder), keys, found.origin, found.why)


def _counted(
    found: Iterator[FoundKeys],
    runs: Mapping[Way, Sequence[range]],
    planned: Callable[[FoundKeys], PartitionPlan],
    reading: Reading,
) -> tuple[list[PartitionPlan], dict[Way, list[int]]]:
    """Plan each partition with its keys, and count the distinct ones of each run."""
    plans: list[PartitionPlan] = []
    places: list[range] = []
    with SortedKeys() as kept:
        for one in found:
            places.append(range(0) if one.keys is None else kept.add(one.keys))
            plans.append(planned(one))
            reading(len(plans))
        groups = [[places[at] for at in run] for of_way in runs.values() for run in of_way]
        lookups = iter(kept.distinct(groups))
    return plans, {way: [next(lookups) for _ in of_way] for way, of_way in runs.items()}


def _groups(number: int, per_run: int | None) -> dict[Way, list[range]]:
    """Share the partitions out among runs."""

    def by(size: int) -> list[range]:
        return [range(at, min(at + size, number)) for at in range(0, number, size)]

    return {"a_run_a_partition": by(1), "one_run": by(number), "as_configured": by(per_run or number)}


def _limits(extract: Extract) -> Limits:
    api: Connection = extract.api.resource(None, {})
    plan = extract.query.plan
    return Limits(
        max_batch=api.max_batch,
        kinds=max(1, len(plan.kinds)) if isinstance(plan, Keyed) else 1,
        requests_per_second=api.requests_per_second,
        has_tokens=extract.api is Api.TARGETDATA,
    )

"""A plan as plain values for a script."""

from dataclasses import asdict
from datetime import UTC, datetime

from pipelines.plan.backfill import PartitionPlan, Plan
from pipelines.plan.budget import Budget
from pipelines.plan.costs import Costs
from pipelines.plan.seen import SeenRun


def facts(plan: Plan, budget: Budget) -> dict[str, object]:
    """Give it as plain values; null is unknown, and a pair is from a number to another."""
    return {
        "extract": plan.extract,
        "keys_from": plan.keys_from,
        "partitions": [_partition(partition) for partition in plan.partitions],
        "published": sum(partition.published_at is not None for partition in plan.partitions),
        "unknown": len(plan.unknown),
        "keys": sum(partition.keys or 0 for partition in plan.partitions),
        "partitions_per_run": plan.partitions_per_run,
        "seen": [_run(run) for run in plan.seen],
        "pool": {"name": plan.pool, "limit": plan.pool_limit} if plan.pool else None,
        "budget": {"lookups": budget.lookups, "requests": budget.requests, "unset": budget.unset},
        **{way: _costs(costs) for way, costs in plan.ways.items()},
    }


def _partition(partition: PartitionPlan) -> dict[str, object]:
    at = partition.published_at
    return {
        "partition": partition.key,
        "published_at": at and _instant(at),
        "keys": partition.keys,
        "origin": partition.origin,
        "why": partition.why or None,
    }


def _run(run: SeenRun) -> dict[str, object]:
    return asdict(run) | {"at": _instant(run.at)}


def _costs(costs: Costs) -> dict[str, object]:
    spans = {
        "request_bounds": costs.bounds,
        "requests": costs.requests,
        "seconds": costs.seconds,
        "token_renewals": costs.renewals,
    }
    pairs = {name: None if span is None else [span.low, span.high] for name, span in spans.items()}
    return {"runs": costs.runs, "lookups": costs.lookups, **pairs, "beyond_seen": costs.beyond_seen}


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

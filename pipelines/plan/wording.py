"""A plan as text for a person."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from pipelines.plan.backfill import PartitionPlan, Plan, Way
from pipelines.plan.costs import BEYOND, Costs, Span
from pipelines.plan.keys import Origin

ROWS = ("runs", "lookups", "requests", "  at least, at most", "time of asking", "token renewals")
SHOWN = 10  # partitions with unknown keys
UNKNOWN = "unknown"
ORIGINS = {
    Origin.LAKE: "read in the lake",
    Origin.FEED: "read from the feed now",
    Origin.CHOSEN: "chosen now",
}
TITLES: dict[Way, str] = {"a_run_a_partition": "a run a partition", "one_run": "all in one run"}


def text(plan: Plan) -> str:
    """Write it as lines."""
    return "\n".join([*_head(plan), *_table(plan), *_notes(plan)])


def _head(plan: Plan) -> Iterator[str]:
    keys = [partition.key for partition in plan.partitions]
    yield plan.extract if keys == [None] else f"{plan.extract}, {keys[0]} to {keys[-1]}"
    published = sum(partition.published_at is not None for partition in plan.partitions)
    yield f"partitions: {len(keys):,}; published already, and would be replaced: {published:,}"
    if plan.keys_from is None:
        yield "keys: none, it reads a list"
        return
    known = [partition.keys for partition in plan.partitions if partition.keys is not None]
    read = Counter(partition.origin for partition in plan.partitions if partition.origin)
    origins = [f"{number:,} {ORIGINS[Origin(origin)]}" for origin, number in read.items()]
    unknown = [f"{len(plan.unknown):,} unknown"] if plan.unknown else []
    summed = f"{sum(known):,}, {plan.keys_from}" if known else UNKNOWN
    yield f"keys: {summed} (partitions: {', '.join([*origins, *unknown])})"
    yield from _unknown(plan.unknown)


def _unknown(partitions: Sequence[PartitionPlan]) -> Iterator[str]:
    for partition in partitions[:SHOWN]:
        yield f"  {partition.key or 'all'}: {UNKNOWN}, {partition.why}"
    if len(partitions) > SHOWN:
        yield f"  and {len(partitions) - SHOWN:,} more"


def _table(plan: Plan) -> Iterator[str]:
    columns = [["", *ROWS], *([title, *_cells(plan, plan.ways[way])] for way, title in _titles(plan).items())]
    widths = [max(map(len, column)) for column in columns]
    yield ""
    for cells in zip(*columns, strict=True):
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    yield ""


def _titles(plan: Plan) -> dict[Way, str]:
    """Choose the ways that differ, the configured one first."""
    if len(plan.partitions) == 1:
        return {"as_configured": "one run"}
    number = plan.partitions_per_run
    same: dict[int | None, Way] = {1: "a_run_a_partition", None: "one_run"}
    configured = same.get(number, "as_configured")
    titles = TITLES | {"as_configured": f"{number} partitions a run"}
    first = {configured: f"{titles[configured]} (as set)"}
    return {**first, **{way: title for way, title in TITLES.items() if way != configured}}


def _cells(plan: Plan, costs: Costs) -> list[str]:
    least = "at least " if plan.unknown and costs.lookups is not None else ""
    lookups = "none" if plan.keys_from is None else UNKNOWN
    about = "about " if costs.requests else ""
    return [
        f"{costs.runs:,}",
        lookups if costs.lookups is None else f"{least}{costs.lookups:,}",
        about + _span(costs.bounds if costs.beyond_seen else costs.requests, _number),
        _span(costs.bounds, _number),
        about + _span(costs.seconds, _time),
        _span(costs.renewals, _number),
    ]


def _span(span: Span | None, shown: Callable[[float], str]) -> str:
    if span is None:
        return UNKNOWN
    low = shown(span.low)
    if span.high is None:
        return f"{low} or more"
    high = shown(span.high)
    return low if low == high else f"{low} to {high}"


def _number(number: float) -> str:
    return f"{number:,.0f}"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:,.1f} s" if seconds < 10 else f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _notes(plan: Plan) -> Iterator[str]:
    """Say what the figures are made of, and what they leave out."""
    if plan.seen:
        yield _seen(plan)
        yield from _beyond(plan)
    else:
        yield (
            f"No run of {plan.extract} that asked anything is recorded in Dagster. Run one "
            "partition, and the next plan knows requests and time"
        )
    if plan.rows_per_partition:
        low, high = plan.rows_per_partition
        yield f"Rows of a partition: {_span(Span(low, high), _number)}"
    if plan.pool:
        limit = plan.pool_limit
        together = "any number of runs" if limit is None else f"{limit:,} run{'s' if limit > 1 else ''}"
        yield (
            f"Pool {plan.pool}: {together} at a time; the time is that of one after the other, without their "
            "starts"
        )
    if plan.unknown and len(plan.unknown) < len(plan.partitions):
        yield "The partitions with unknown keys are in none of the figures"


def _seen(plan: Plan) -> str:
    last, others = plan.seen[0], len(plan.seen) - 1
    more = f", and {others:,} before it" if others else ""
    what = f"{last.rows:,} rows" if plan.keys_from is None else f"{last.lookups:,} lookups"
    return (
        f"Figures of run {last.run_id[:8]}, {last.at:%Y-%m-%d %H:%M} UTC ({what} in {last.requests:,} "
        f"requests and {_time(last.seconds)}){more}"
    )


def _beyond(plan: Plan) -> Iterator[str]:
    beyond = [title for way, title in _titles(plan).items() if plan.ways[way].beyond_seen]
    if beyond:
        yield (
            f"These runs are too small for {', '.join(beyond)}: a run there has over {BEYOND} times the "
            "lookups of the largest. Its requests are between bounds, its time is unknown"
        )

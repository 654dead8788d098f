"""What the last runs of an extract have recorded in Dagster, which is read only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

import dagster as dg

from pipelines.variables import dagster_home
from resources.errors import ConfigurationError

RUNS = 5  # the last ones that count
RECORDS = 200  # materializations to look through for them; a run over a month has thirty
COMPARABLE = 0.1  # of the lookups of the largest: a smaller one, such as a rest, tells nothing of the rate


@dataclass(frozen=True, slots=True)
class SeenRun:
    """A run's figures, of all its partitions of the extract together."""

    run_id: str
    at: datetime
    partitions: int
    lookups: int
    requests: int
    rows: int
    seconds: float
    renewals: int


def open_instance() -> dg.DagsterInstance:
    """Open the instance that DAGSTER_HOME names, or the one of this checkout."""
    home = dagster_home()
    if not home.is_dir():
        raise ConfigurationError(
            f"there is no Dagster instance at {home}: set DAGSTER_HOME to the folder that the runs use"
        )
    return dg.DagsterInstance.from_config(str(home))


def seen_runs(instance: dg.DagsterInstance, asset: dg.AssetKey) -> list[SeenRun]:
    """Give the last runs that asked the API, the newest first, without those that asked for a rest only."""
    records = instance.fetch_materializations(asset, limit=RECORDS).records
    cut = records[-1].run_id if len(records) == RECORDS else None  # its first partitions may be missing
    by_run = groupby(sorted(records, key=lambda r: r.run_id), key=lambda r: r.run_id)
    runs = [run for run_id, group in by_run for run in _run(list(group), cut=run_id == cut)]
    last = sorted(runs, key=lambda run: run.at, reverse=True)[:RUNS]
    most = max((run.lookups for run in last), default=0)
    return [run for run in last if run.lookups >= most * COMPARABLE]


def _run(records: Sequence[dg.EventLogRecord], *, cut: bool) -> Iterator[SeenRun]:
    figures = [_figures(record) for record in records]
    if cut and "range_partitions" not in figures[0]:
        return
    shared = "range_" if "range_requests" in figures[0] else ""
    sums = {
        name: (max if shared else sum)(of_one.get(shared + name, 0) for of_one in figures)
        for name in ("lookups", "requests", "seconds", "token_renewals")
    }
    partitions = int(max(of_one.get("range_partitions", len(records)) for of_one in figures))
    # Where only some of a range's partitions are recorded, the others have as many rows as these.
    rows = sum(of_one.get("rows", 0) for of_one in figures) * partitions / len(records)
    if sums["requests"] and sums["seconds"]:
        yield SeenRun(
            run_id=records[0].run_id,
            at=max(datetime.fromtimestamp(record.timestamp, UTC) for record in records),
            partitions=partitions,
            lookups=int(sums["lookups"]),
            requests=int(sums["requests"]),
            rows=round(rows),
            seconds=float(sums["seconds"]),
            renewals=int(sums["token_renewals"]),
        )


def _figures(record: dg.EventLogRecord) -> dict[str, float]:
    event = record.asset_materialization
    values = {name: value.value for name, value in event.metadata.items()} if event else {}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}


def pool_limit(instance: dg.DagsterInstance, pool: str | None) -> int | None:
    """Give how many runs of a pool may be at work together; None where there is no limit."""
    if pool is None:
        return None
    limits = {found.name: found.limit for found in instance.event_log_storage.get_pool_limits()}
    default = instance.get_concurrency_config().pool_config.default_pool_limit
    return limits.get(pool, default)

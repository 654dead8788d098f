"""The job that drops partitions which have been kept long enough, and its schedule."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import dagster as dg

from pipelines.environment import environment
from pipelines.retention import Expired, drop_expired, expired
from resources.failures import named_failures
from resources.lake import Lake
from resources.warehouse.resource import Warehouse

HALF_AN_HOUR = timedelta(minutes=30)

_settings = environment()
_hours, _minutes = divmod((_settings.scheduled_after + HALF_AN_HOUR) // timedelta(minutes=1), 60)


@dg.op
def drop_old_partitions(context: dg.OpExecutionContext, lake: Lake, warehouse: Warehouse) -> None:
    """Drops each partition that its asset keeps no more, in all its tables, and records it with the asset."""
    from resources.warehouse.retention import WarehouseHolder

    with named_failures(context.instance, context.run_id):
        assets = context.repository_def.assets_defs_by_key.values()
        holders = {"warehouse": WarehouseHolder(warehouse, run=f"run {context.run_id}")}
        found = expired(
            assets, lake, now=datetime.now(UTC), prefix=_settings.key_prefix, holders=holders.values()
        )
        rows: Counter[str] = Counter()
        partitions: Counter[str] = Counter()
        for each, dropped in drop_expired(list(found), lake, run=context.run_id, holders=holders):
            context.log_event(_observation(each, dropped))
            context.log.info(f"dropped {each.table} {each.folder}: {sum(each.rows.values()):,} rows")
            rows.update(each.rows)
            partitions[each.table] += 1
        context.add_output_metadata(
            {
                "partitions_dropped": dg.MetadataValue.json(dict(partitions)),
                "rows_dropped": dg.MetadataValue.json(dict(rows)),
            }
        )


def _observation(each: Expired, dropped: dict[str, int]) -> dg.AssetObservation:
    return dg.AssetObservation(
        each.asset,
        partition=each.key,
        description=f"{each.folder} was dropped: it is kept for {each.days} days",
        metadata={f"rows_dropped_{place}": dg.MetadataValue.int(number) for place, number in dropped.items()},
    )


@dg.job(
    name="_".join(["retention", *_settings.key_prefix]),
    description="Drops partitions that have been kept long enough; see docs/retention.md.",
)
def retention() -> None:
    """Drops partitions that have been kept long enough."""
    drop_old_partitions()


retention_every_morning = dg.ScheduleDefinition(
    name="retention_every_morning",
    job=retention,
    cron_schedule=f"{_minutes} {_hours % 24} * * *",
    execution_timezone=_settings.timezone,
    # Who has set a limit has said what is to be done; who has not has nothing that could be dropped.
    default_status=dg.DefaultScheduleStatus.RUNNING
    if _settings.retention_days
    else dg.DefaultScheduleStatus.STOPPED,
    description="Drops partitions whose end is longer ago than TARGETDATA_RETENTION_DAYS.",
)

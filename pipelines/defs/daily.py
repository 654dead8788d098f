"""The daily line: partitions, the job that makes a day, and its schedule."""

import warnings

import dagster as dg

from pipelines.environment import environment
from resources.lake.retention import RETENTION_DAYS

# Said at every start, of a parameter that the pinned minor version keeps as it is.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=dg.BetaWarning)

_settings = environment()

POOL = _settings.pool
DAILY = dg.DailyPartitionsDefinition(start_date=_settings.start_date.isoformat(), timezone=_settings.timezone)
BACKFILL = (
    dg.BackfillPolicy.multi_run(_settings.partitions_per_run)
    if _settings.partitions_per_run
    else dg.BackfillPolicy.single_run()
)

RETENTION: dict[str, int] = {RETENTION_DAYS: _settings.retention_days} if _settings.retention_days else {}

LAST = [[*_settings.key_prefix, name] for name in ("profiles_wide", "profiles_refresh")]

profiles_daily = dg.define_asset_job(
    "_".join(["profiles_daily", *_settings.key_prefix]),
    selection=dg.AssetSelection.assets(*LAST).upstream(),
    description="A day's keys from the feed, their profiles, these as a flat table, and old ones again.",
)

profiles_every_morning = dg.build_schedule_from_partitioned_job(
    profiles_daily,
    name="profiles_every_morning",
    hour_of_day=_settings.schedule_hour,
    minute_of_hour=_settings.schedule_minute,
    description="Yesterday's partition, in the partitions' time zone.",
)

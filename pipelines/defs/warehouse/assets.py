"""The warehouse's tables: each partition is loaded when it was published, by itself."""

import dagster as dg

from pipelines.defs.daily import BACKFILL
from pipelines.defs.profiles.assets import PROFILES, profiles
from pipelines.defs.profiles_refresh.assets import REFRESH, profiles_refresh
from pipelines.defs.profiles_refresh.staleness import ID
from pipelines.defs.profiles_wide.assets import WIDE, profiles_wide
from pipelines.environment import environment
from pipelines.loads import tables_of_extract, warehouse_loads
from pipelines.loads.check import WAREHOUSE, load_check
from resources.schema_changes import SchemaChanges
from resources.warehouse.flat import flat_tables

_policy = environment().schema_changes

_wide = flat_tables("profiles_wide", WIDE.schema, [ID])

load_profiles = warehouse_loads(profiles, PROFILES, schema_changes=_policy, backfill_policy=BACKFILL)
load_profiles_refresh = warehouse_loads(
    profiles_refresh, REFRESH, schema_changes=_policy, backfill_policy=BACKFILL
)
load_profiles_wide = warehouse_loads(
    profiles_wide,
    _wide,
    schema_changes=SchemaChanges.ADDITIVE,  # who names another attribute wants its column from then on
    backfill_policy=BACKFILL,
)
checks = [load_check(tables) for tables in (tables_of_extract(PROFILES), tables_of_extract(REFRESH), _wide)]

warehouse_daily = dg.define_asset_job(
    "_".join(["warehouse_daily", *environment().key_prefix]),
    selection=dg.AssetSelection.groups(WAREHOUSE),
    description="A day's tables into the warehouse; what is loaded already is left as it is.",
)

loads_follow_extracts = dg.AutomationConditionSensorDefinition(
    "loads_follow_extracts",
    target=dg.AssetSelection.groups(WAREHOUSE),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Loads each partition that was published, whatever published it.",
)

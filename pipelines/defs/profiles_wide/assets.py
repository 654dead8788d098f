"""Profiles as one flat table: attributes, permissions and identifiers by name as columns."""

import dagster as dg

from pipelines.defs.daily import BACKFILL, DAILY, RETENTION
from pipelines.defs.profiles.assets import PROFILES
from pipelines.defs.profiles_wide.names import parse_names
from pipelines.defs.profiles_wide.wide import Wide
from pipelines.environment import environment
from pipelines.lineage import table_metadata
from resources.lake import Dataset, EachPartition
from resources.privacy.entry_fields import parse_fields

_settings = environment()
WIDE = Wide.plan(
    PROFILES.tables["profiles"],
    {
        "attributes": parse_names(_settings.wide_attributes, "TARGETDATA_WIDE_ATTRIBUTES"),
        "permissions": parse_names(_settings.wide_permissions, "TARGETDATA_WIDE_PERMISSIONS"),
        "identifiers": parse_names(_settings.wide_identifiers, "TARGETDATA_WIDE_IDENTIFIERS"),
    },
    parse_fields(_settings.wide_fields),
)
_made_of = {
    name: [(table, column) for table in ("profiles", "profiles_refresh")]
    for name, column in WIDE.made_of.items()
}


@dg.asset(
    partitions_def=DAILY,
    backfill_policy=BACKFILL,
    code_version=WIDE.hash,
    kinds={"pandas", "parquet"},
    group_name="targetdata",
    metadata={**table_metadata("profiles_wide", WIDE.schema, _made_of), **RETENTION},
)
def profiles_wide(
    context: dg.AssetExecutionContext,
    profiles: dict[str, Dataset],
    profiles_refresh: dict[str, Dataset],
) -> EachPartition:
    """One row per profile of the day: its flat columns, then one for each configured name.

    They are those of `profiles` and of `profiles_refresh`; of a profile in both, the row fetched last.
    Where a profile has several entries of one name, the newest counts; the first, where times are equal or
    there are none. Names that have no column are counted in the run's metadata.
    """
    for reason in WIDE.left_out:
        context.log.warning(reason)

    def frame(day: str) -> object:
        made = WIDE.day(profiles[day], profiles_refresh[day])
        metadata = {"names_without_column": dg.MetadataValue.json(made.without_column)}
        context.add_asset_metadata(metadata, partition_key=day)
        return made.frame

    return EachPartition((day, frame(day)) for day in profiles)

"""Keys of a day: the distinct umids of its event files, or what a query gives."""

import dagster as dg

from pipelines.defs.daily import BACKFILL, DAILY, RETENTION
from pipelines.environment import environment
from pipelines.feed_keys import publish_keys
from pipelines.lineage import FEED, table_metadata
from resources.feed import KeySource
from resources.key_files.columns import schema_of
from resources.lake import Lake

_settings = environment()
_columns = {name: [(FEED, column)] for name, column in _settings.key_columns.items()}


@dg.asset(
    deps=[FEED],
    partitions_def=DAILY,
    backfill_policy=BACKFILL,
    kinds={"parquet"},
    group_name="targetdata",
    metadata={**table_metadata("profile_keys", schema_of(_settings.key_columns), _columns), **RETENTION},
)
def profile_keys(context: dg.AssetExecutionContext, feed: KeySource, lake: Lake) -> None:
    """One row per umid that has an event in the day's files of the feed."""
    publish_keys(context, feed, lake, table="profile_keys")

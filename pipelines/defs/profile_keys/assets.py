"""Keys of a day: the distinct umids of its event files, or what a query gives."""

import dagster as dg
import pyarrow as pa

from pipelines.defs.daily import BACKFILL, DAILY, RETENTION
from pipelines.environment import environment
from pipelines.lineage import FEED, table_metadata
from pipelines.privacy import suppression_of
from pipelines.publication import Publication
from resources.feed import FeedKeys, KeySource
from resources.key_files.columns import schema_of
from resources.lake import Lake
from resources.privacy.keys import left_to_ask

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
    publication = Publication(context, lake)
    with publication.apart() as attempt:
        for key in publication.unpublished("profile_keys"):
            with attempt(key, {"profile_keys": feed.schema}) as day:
                start, end = day.bounds
                found = feed.read(start=start, end=end)
                if not found.events:
                    context.log.warning(f"the feed of {key} has no events; the day has no keys")
                keys = left_to_ask(suppression_of(lake.root), found.keys, kinds=feed.schema.names)
                day.writer.write({"profile_keys": keys})
                day.metadata.update(figures(found, keys))
                day.version = found.version


def figures(found: FeedKeys, keys: pa.Table) -> dict[str, dg.MetadataValue]:
    """Give what was read as metadata: names of files and counts, no keys."""
    numbers = {
        "events": found.events,
        "null_keys": found.null_keys,
        "duplicate_keys": found.duplicate_keys,
        "keys_suppressed": found.keys.num_rows - keys.num_rows,
        "feed_bytes": found.bytes,
    }
    return {
        **{name: dg.MetadataValue.int(number) for name, number in numbers.items()},
        "files": dg.MetadataValue.json(list(found.files)),
    }

"""Keys of a day: the distinct umids of its event files."""

from datetime import timedelta

import dagster as dg
import pyarrow as pa

from pipelines.defs.daily import BACKFILL, DAILY
from pipelines.environment import environment
from pipelines.publication import Publication
from resources.feed import FeedKeys, read_keys
from resources.lake import Lake

KEY = "umid"
LATE = timedelta(days=2)  # after a day's end, a feed that has not come will not come by waiting


@dg.asset(partitions_def=DAILY, backfill_policy=BACKFILL, kinds={"parquet"}, group_name="targetdata")
def profile_keys(context: dg.AssetExecutionContext, lake: Lake) -> None:
    """One row per umid that has an event in the day's files of the feed."""
    feed = environment()
    publication = Publication(context, lake)
    for key in publication.keys:
        with publication.partition(key, {"profile_keys": pa.schema([(KEY, pa.string())])}) as day:
            found = read_keys(
                feed.feed,
                day=day.start,
                column=feed.feed_column,
                name=KEY,
                late_seconds=feed.feed_late_seconds if day.age < LATE else None,
            )
            if not found.events:
                context.log.warning(f"the feed of {key} has no events; the day has no keys")
            day.writer.write({"profile_keys": found.keys})
            day.metadata.update(figures(found))


def figures(found: FeedKeys) -> dict[str, dg.MetadataValue]:
    """Give what was read as metadata: names of files and counts, no keys."""
    numbers = {
        "events": found.events,
        "null_keys": found.null_keys,
        "duplicate_keys": found.duplicate_keys,
        "feed_bytes": found.bytes,
    }
    return {
        **{name: dg.MetadataValue.int(number) for name, number in numbers.items()},
        "files": dg.MetadataValue.json(list(found.files)),
    }

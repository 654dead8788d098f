"""Keys of a day: the distinct umids of its event files, or what a query gives."""

import dagster as dg

from pipelines.defs.daily import BACKFILL, DAILY
from pipelines.publication import Publication
from resources.feed import FeedKeys, KeySource
from resources.lake import Lake


@dg.asset(partitions_def=DAILY, backfill_policy=BACKFILL, kinds={"parquet"}, group_name="targetdata")
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
                day.writer.write({"profile_keys": found.keys})
                day.metadata.update(figures(found))
                day.version = found.version


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

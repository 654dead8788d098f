"""Keys of a day: what a feed has of it, published as a table, without those of people who were erased."""

import dagster as dg
import pyarrow as pa

from pipelines.privacy import suppression_of
from pipelines.publication import Publication
from resources.feed import FeedKeys, KeySource
from resources.lake import Lake
from resources.privacy.keys import left_to_ask


def publish_keys(context: dg.AssetExecutionContext, feed: KeySource, lake: Lake, *, table: str) -> None:
    """Read each day of the run from the feed and publish its keys; one that fails keeps no other back."""
    publication = Publication(context, lake)
    with publication.apart() as attempt:
        for key in publication.unpublished(table):
            with attempt(key, {table: feed.schema}) as day:
                start, end = day.bounds
                found = feed.read(start=start, end=end)
                if not found.events:
                    context.log.warning(f"the feed of {key} has no events; the day has no keys")
                keys = left_to_ask(suppression_of(lake.root), found.keys, kinds=feed.schema.names)
                day.writer.write({table: keys})
                day.metadata.update(figures(found, keys))
                day.version = found.version


def source_name(table: str) -> str:
    """Name what a table of keys that is defined in YAML is read from: its resource and its asset."""
    return f"{table}_source"


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

"""How long partitions are kept, and a partition dropped: all its tables at once, as it was published."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from resources.errors import ConfigurationError
from resources.lake.place import HOUR_NAME, folder_of
from resources.lake.publishing.aside import Aside
from resources.lake.publishing.claim import Claims
from resources.lake.publishing.commit import Commit
from resources.lake.publishing.level import level_of
from resources.lake.publishing.manifest import FILE, NAME
from resources.lake.publishing.published import recover
from resources.lake.resource import Lake
from resources.table_file import lake_errors

RETENTION_DAYS = "retention_days"  # in an asset's metadata
CLOCKS_CHANGE = timedelta(hours=1)  # which makes a day longer
TIME_WINDOWS = dg.TimeWindowPartitionsDefinition


def days_kept(metadata: Mapping[str, object], name: str) -> int | None:
    """Read for how many days an asset's partitions are kept; None for all time."""
    value = metadata.get(RETENTION_DAYS)
    if isinstance(value, dg.IntMetadataValue):
        value = value.value
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise ConfigurationError(f"{name}: {RETENTION_DAYS} in its metadata is no number of whole days")
    return value


def require_kept(
    name: str, keys: Sequence[str | None], partitions: dg.PartitionsDefinition | None, days: int | None
) -> None:
    """Raise ConfigurationError where a run has partitions that would be dropped again."""
    if days is None or not isinstance(partitions, TIME_WINDOWS):
        return
    now = datetime.now(UTC)
    ends = {key: partitions.time_window_for_partition_key(key).end for key in keys if key}
    gone = [key for key, end in ends.items() if is_over(end, days, now)]
    if gone:
        raise ConfigurationError(
            f"{name} {gone[0]} ended at {ends[gone[0]]:%Y-%m-%d %H:%M %Z} and is kept for {days} days: "
            f"it would be dropped again, so nothing was asked. Leave out {len(gone)} partitions of this run, "
            f"{gone[0]} to {gone[-1]}; or keep them longer, by TARGETDATA_RETENTION_DAYS or "
            f"{RETENTION_DAYS} in the asset's metadata"
        )


def is_over(end: datetime, days: int, now: datetime) -> bool:
    """Say whether what ended then is not to be kept any more."""
    return end < now - timedelta(days=days)


def folders_over(
    folders: Sequence[str], partitions: dg.PartitionsDefinition | None, days: int, now: datetime
) -> dict[str, str | None]:
    """Give those of a table's folders that are not to be kept any more, with the partition's key.

    The key is None where the definition has no such partition any more, as when it begins later than it
    did. A table that has no partitions by time has none that is over.
    """
    first = partitions.get_first_partition_window() if isinstance(partitions, TIME_WINDOWS) else None
    if first is None or not isinstance(partitions, TIME_WINDOWS):
        return {}
    keys = {}
    for key in partitions.get_partition_keys(current_time=now - timedelta(days=days)):
        window = partitions.time_window_for_partition_key(key)
        if is_over(window.end, days, now):
            keys[folder_of(key, (window.start, window.end))] = key
    found: dict[str, str | None] = {folder: keys[folder] for folder in folders if folder in keys}
    longest = first.end - first.start + CLOCKS_CHANGE
    for folder in folders:
        start = _start(folder, first.start)
        if start and folder not in found and is_over(start + longest, days, now):
            found[folder] = None
    return found


def _start(folder: str, like: datetime) -> datetime | None:
    """Tell from its folder when a partition began; None if its folder does not say."""
    kind, _, text = folder.partition("=")
    try:
        match kind:
            case "date":
                return datetime.fromisoformat(text).replace(tzinfo=like.tzinfo)
            case "hour":
                return datetime.strptime(text, HOUR_NAME).replace(tzinfo=UTC)
    except ValueError:
        pass
    return None


def drop(lake: Lake, table: str, folder: str, tables: Sequence[str], *, run: str) -> None:
    """Drop a partition of an asset, named by its own table: its files in all these tables, or none.

    A run that is at it publishes nothing.
    """
    root = lake.root
    claims = Claims(root, table, folder)
    with lake_errors(root), claims.locked():
        recover(root, table, folder)
        generations = [found.generation for each in tables if (found := lake.manifest(each, folder))]
        claim = claims.add(run, above=max(generations, default=0))
        commit = Commit(
            table=table,
            folder=folder,
            run=run,
            generation=claim.generation,
            moves=(),
            drops=tuple(str(Path(each, folder, name)) for each in tables for name in (NAME, FILE)),
        )
        aside = Aside.make(root, table, f"{level_of(folder)}.drop-{claim.generation}-{run}")
        try:
            commit.put(root, aside.path)
            commit.finish(root)
        finally:
            aside.remove()

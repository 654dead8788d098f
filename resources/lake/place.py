"""Where a partition of an asset is in the lake, and what its folder says of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote, unquote

import dagster as dg
import pyarrow as pa

from resources.errors import ConfigurationError

HOUR = timedelta(hours=1)
DAY = timedelta(hours=23)  # the shortest day, when clocks go forward
HOUR_NAME = "%Y%m%dT%HZ"  # in UTC
# By the name of the level.
TYPES = {"date": pa.date32(), "hour": pa.timestamp("us", tz="UTC"), "partition": pa.string()}


@dataclass(frozen=True, slots=True)
class Place:
    """A partition's key and its folder; both are empty for a table without partitions."""

    key: str | None = None
    folder: str = ""

    @property
    def column(self) -> tuple[pa.Field, pa.Scalar] | None:
        """The column that the folder stands for, and its value: all rows of the partition have it."""
        if not self.folder:
            return None
        name, _, text = self.folder.partition("=")
        match name:
            case "date":
                value = pa.scalar(date.fromisoformat(text))
            case "hour":
                hour = datetime.strptime(text, HOUR_NAME).replace(tzinfo=UTC)
                value = pa.scalar(hour, TYPES[name])
            case _:
                value = pa.scalar(unquote(text))
        return pa.field(name, value.type), value


def place_of(key: str, partitions: dg.PartitionsDefinition) -> Place:
    """Find a partition."""
    return Place(key, folder_of(key, window_of(key, partitions)))


def window_of(key: str, partitions: dg.PartitionsDefinition | None) -> tuple[datetime, datetime] | None:
    """Give the start and the end of a partition by time; None for one that is not."""
    if not isinstance(partitions, dg.TimeWindowPartitionsDefinition):
        return None
    window = partitions.time_window_for_partition_key(key)
    return window.start, window.end


def folder_of(key: str | None, window: tuple[datetime, datetime] | None = None) -> str:
    """Name a partition's folder: by date, by hour in UTC, by its key, or no level at all."""
    if key is None:
        return ""
    if window is None:
        return f"partition={quote(key, safe='')}"
    start, end = window
    length = end.astimezone(UTC) - start.astimezone(UTC)  # in one zone, clocks are compared instead
    if length < HOUR:
        raise ConfigurationError(
            "partitions shorter than an hour have no folder of their own: make them longer"
        )
    if length < DAY:
        return f"hour={start.astimezone(UTC):{HOUR_NAME}}"
    return f"date={start:%Y-%m-%d}"


def table_of(key: dg.AssetKey, prefix: Sequence[str] = ()) -> str:
    """Name an asset's table: what stands before it in the key, but for `prefix`, with two underscores."""
    path = list(key.path)
    return "__".join(path[len(prefix) :] if path[: len(prefix)] == [*prefix] else path)


def partition_column(partitions: dg.PartitionsDefinition | None) -> pa.Field | None:
    """Give the column that stands for the partitions of an asset; None where it has none."""
    if partitions is None:
        return None
    key = "any"
    if isinstance(partitions, dg.TimeWindowPartitionsDefinition):
        key = partitions.start.strftime(partitions.fmt)
    name = place_of(key, partitions).folder.partition("=")[0]
    return pa.field(name, TYPES[name])

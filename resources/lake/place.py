"""Where a partition of an asset is in the lake, and what its folder says of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import unquote

import dagster as dg
import pyarrow as pa

from resources.lake.resource import folder_of

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
                hour = datetime.strptime(text, "%Y%m%dT%HZ").replace(tzinfo=UTC)
                value = pa.scalar(hour, TYPES[name])
            case _:
                value = pa.scalar(unquote(text))
        return pa.field(name, value.type), value


def place_of(key: str, partitions: dg.PartitionsDefinition) -> Place:
    """Find a partition."""
    if isinstance(partitions, dg.TimeWindowPartitionsDefinition):
        window = partitions.time_window_for_partition_key(key)
        return Place(key, folder_of(key, (window.start, window.end)))
    return Place(key, folder_of(key))


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

"""Partitions that are not to be kept any more: found by what their assets declare, and dropped."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import dagster as dg

from resources.lake import Lake
from resources.lake.place import table_of
from resources.lake.publishing.aside import LEFT_FOR, remove_dead
from resources.lake.publishing.publications import publications
from resources.lake.retention import days_kept, drop, folders_over


class Holder(Protocol):
    """A place beside the lake that has partitions of its tables, such as a warehouse."""

    def folders(self, table: str) -> Collection[str]:
        """Name the partitions that it has of a table of the lake."""

    def drop(self, tables: Sequence[str], folder: str) -> int:
        """Drop a partition of some tables, and count the rows; 0 where there is none."""


@dataclass(frozen=True, slots=True)
class Expired:
    """A partition that has been kept long enough: `rows` by table; the asset's own table comes first.

    `key` is None where the asset's definition has no such partition any more.
    """

    asset: dg.AssetKey
    table: str
    folder: str
    key: str | None
    days: int
    rows: dict[str, int]


def expired(
    assets: Iterable[dg.AssetsDefinition],
    lake: Lake,
    *,
    now: datetime,
    prefix: Sequence[str] = (),
    holders: Iterable[Holder] = (),
) -> Iterator[Expired]:
    """Find the partitions in the lake, or at a holder, that are not to be kept any more, by their assets."""
    rows: dict[str, dict[str, dict[str, int]]] = {}
    for publication in publications(lake.root):
        found = rows.setdefault(publication.own, {}).setdefault(publication.folder, {})
        found.update({table: manifest.rows for table, manifest in publication.manifests.items()})
    for asset in assets:
        for key in asset.keys:
            table = table_of(key, prefix)
            days = days_kept(asset.metadata_by_key.get(key, {}), table)
            if days:
                folders = {folder: {table: 0} for holder in holders for folder in holder.folders(table)}
                folders |= rows.get(table, {})
                over = folders_over(list(folders), asset.partitions_def, days, now)
                for folder, partition in sorted(over.items()):
                    yield Expired(key, table, folder, partition, days, folders[folder])


def drop_expired(
    found: Iterable[Expired], lake: Lake, *, run: str, holders: Mapping[str, Holder]
) -> Iterator[tuple[Expired, dict[str, int]]]:
    """Drop partitions, in the lake first: what is loaded from then on finds none. What an interrupted one
    has left is found again at the holders.

    Gives each with the rows that were dropped by place.
    """
    for each in found:
        tables = list(each.rows)
        drop(lake, each.table, each.folder, tables, run=run)
        remove_dead(lake.root, each.table, older_than=LEFT_FOR)
        dropped = {name: holder.drop(tables, each.folder) for name, holder in holders.items()}
        yield each, {**dropped, "lake": sum(each.rows.values())}

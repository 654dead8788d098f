"""What is published in a lake: the tables that one run has published together, partition by partition."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from resources.lake.publishing.claim import CLAIMS
from resources.lake.publishing.level import level_of
from resources.lake.publishing.manifest import Manifest
from resources.lake.publishing.published import manifests


@dataclass(frozen=True, slots=True)
class Publication:
    """One generation of the tables of a partition; `own` is the asset's own table, which the claims name.

    Its manifests are by table. Usually there is one generation of a partition; a table that its extract has
    no more is of an older one.
    """

    own: str
    folder: str
    manifests: dict[str, Manifest]

    @property
    def name(self) -> str:
        """The partition, for a person."""
        return f"{self.own} {self.folder}".strip()


def tables(root: Path) -> list[str]:
    """Name the folders of a lake that may be tables."""
    try:
        found = [path.name for path in root.iterdir() if path.is_dir() and path.name[0] not in "_."]
    except FileNotFoundError:
        return []
    return sorted(found)


def publications(root: Path) -> list[Publication]:
    """Give all that is published, by the assets' tables and their partitions."""
    found: dict[tuple[str, str, str, int], dict[str, Manifest]] = {}
    names = tables(root)
    for table in names:
        for manifest in manifests(root, table):
            own = _own(root, names, table, manifest.partition)
            stamp = (own, manifest.partition, manifest.run, manifest.generation)
            found.setdefault(stamp, {})[table] = manifest
    return [Publication(own, folder, by_table) for (own, folder, _, _), by_table in sorted(found.items())]


def _own(root: Path, names: list[str], table: str, folder: str) -> str:
    """Name the table of the asset that a table is of: the one that the partition is claimed by."""
    above = list(_above(table))
    for name in (table, *reversed(above)):
        if (root / CLAIMS / name / level_of(folder)).is_dir():
            return name
    return next((name for name in above if name in names), table)


def _above(table: str) -> Iterator[str]:
    """Give the tables that it may belong to: `a` and `a__b` for `a__b__c`."""
    parts = table.split("__")
    for number in range(1, len(parts)):
        yield "__".join(parts[:number])

"""The published partitions of an extract, read from their files."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.checks.shares import Share, null_shares, status_shares
from resources.errors import LakeError
from resources.graphql.child_table import POSITION
from resources.graphql.plan import Keyed
from resources.graphql.query import Query
from resources.graphql.tables import FETCHED_AT, LOOKUPS
from resources.lake import Lake
from resources.lake.publishing.manifest import FILE, Manifest
from resources.lake.publishing.published import LOOK_SECONDS, LOOKS


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One table's file of a partition, open, and the manifest beside it."""

    file: pa.NativeFile
    manifest: Manifest

    @property
    def footer(self) -> pq.FileMetaData:
        """The Parquet footer."""
        return pq.read_metadata(self.file)

    @property
    def generation(self) -> int:
        """The generation that the footer says."""
        return int((self.footer.metadata or {}).get(b"generation", b"0"))

    @property
    def sha256(self) -> str:
        """A digest of the whole file."""
        self.file.seek(0)
        return hashlib.file_digest(self.file, "sha256").hexdigest()

    @property
    def schema(self) -> pa.Schema:
        """The columns of the file."""
        return pq.read_schema(self.file)

    def columns(self, names: Sequence[str]) -> pa.Table:
        """Read some columns, in this order."""
        return pq.read_table(self.file, columns=list(names)).select(names)


class PublishedExtract:
    """An extract in the lake; what it has read of earlier partitions it remembers."""

    def __init__(self, lake: Lake, query: Query) -> None:
        self.table = query.name
        self.lookups = query.name + LOOKUPS if query.name + LOOKUPS in query.tables else None
        self.identity = query.identity_column
        self.keys = query.key_names
        self.children = query.children
        self.lacks_keys = isinstance(query.plan, Keyed) and bool(query.plan.kinds)
        self._tables = query.tables
        self._lake = lake
        self._shares: dict[tuple[str, str], dict[str, Share]] = {}

    @cached_property
    def folders(self) -> list[str]:
        """The folders of all published partitions, by time."""
        return sorted(found.partition for found in self._lake.manifests(self.table))

    def before(self, folder: str, number: int) -> list[str]:
        """Give so many published partitions before one, at most."""
        return [earlier for earlier in self.folders if earlier < folder][-number:]

    @contextmanager
    def open(self, folder: str) -> Iterator[dict[str, PublishedFile]]:
        """Open the files of a partition by table; while it is being replaced they are looked at again."""
        children = [child.name for child in self.children]
        tables = [self.table, *([self.lookups] if self.lookups else []), *children]
        with ExitStack() as stack:
            for look in range(LOOKS):
                time.sleep(LOOK_SECONDS if look else 0)
                stack.close()
                files = {table: self._open(stack, table, folder) for table in tables}
                seen = {f.generation for f in files.values()} | {
                    f.manifest.generation for f in files.values()
                }
                if len(seen) == 1:
                    break
            with self._lake.readable(self.table, folder):
                for table, found in files.items():
                    self._require(found.file, table, folder, self._compared(table))
                yield files

    def others(self, table: str, folder: str) -> list[str]:
        """Name the Parquet files in a partition's folder that are not the published one."""
        place = self._lake.root / table / folder
        found = place.rglob("*.parquet") if folder else place.glob("*.parquet")
        return sorted(str(path.relative_to(place)) for path in found if path != place / FILE)

    def _compared(self, table: str) -> list[str]:
        """Name the columns that an accounting reads."""
        if table == self.lookups:
            return [*self.keys, "status", "identity", "code", FETCHED_AT.name]
        for child in self.children:
            if table == child.name:
                return [*child.keys, POSITION, FETCHED_AT.name]
        own = [self.identity] if self.identity else self.keys
        return [*(own if self.lookups or self.children else []), FETCHED_AT.name]

    def _require(self, file: pa.NativeFile, table: str, folder: str, names: Sequence[str]) -> None:
        """Raise LakeError where a file has not the columns of a table that are to be read."""
        there = {field.name: field.type for field in pq.read_schema(file)}
        wanted = [self._tables[table].field(name) for name in names]
        wrong = [
            f"{field.name} is {there.get(field.name, 'not there')}, not {field.type}"
            for field in wanted
            if there.get(field.name) != field.type
        ]
        if wrong:
            raise LakeError(
                f"{table} {folder} has not the columns of the query {self.table}: {', '.join(wrong)}. Run "
                "the partition again"
            )

    def _open(self, stack: ExitStack, table: str, folder: str) -> PublishedFile:
        file = stack.enter_context(self._lake.open(table, folder))
        manifest = self._lake.manifest(table, folder)
        if manifest is None:
            raise LakeError(f"{table} {folder} has lost its manifest: run the partition again")
        return PublishedFile(file, manifest)

    def statuses(self, folder: str) -> dict[str, Share]:
        """Give the share of the keys asked that have each status; none where no key was asked."""
        if ("statuses", folder) not in self._shares:
            with self._file(self.lookups or self.table, folder, "status") as file:
                self._shares["statuses", folder] = status_shares(file)
        return self._shares["statuses", folder]

    def nulls(self, folder: str) -> dict[str, Share]:
        """Give the share of nulls in each column, a nested one by its leaves, from the footer's statistics.

        A leaf of a list counts an empty list as one null; a list's own table has no row for it.
        """
        if ("nulls", folder) not in self._shares:
            with self._file(self.table, folder) as file:
                self._shares["nulls", folder] = null_shares(file) | self._nulls_of_lists(folder)
        return self._shares["nulls", folder]

    def _nulls_of_lists(self, folder: str) -> dict[str, Share]:
        """Give those of the lists' own tables; an earlier partition may lack a table that is new."""
        found: dict[str, Share] = {}
        for child in self.children:
            if self._lake.manifest(child.name, folder):
                with self._file(child.name, folder) as file:
                    shares = null_shares(file).items()
                found |= {".".join((*child.path, name)): share for name, share in shares}
        return found

    def fetched(self, folder: str) -> tuple[datetime, datetime] | None:
        """Give when the first and the last key or row was fetched, from the footer's statistics."""
        with self._file(self.lookups or self.table, folder, FETCHED_AT.name) as file:
            footer = pq.read_metadata(file)
        at = [footer.schema.column(i).path for i in range(footer.num_columns)].index(FETCHED_AT.name)
        chunks = [footer.row_group(i).column(at).statistics for i in range(footer.num_row_groups)]
        known = [chunk for chunk in chunks if chunk is not None and chunk.has_min_max]
        return (min(c.min for c in known), max(c.max for c in known)) if known else None

    @contextmanager
    def _file(self, table: str, folder: str, *names: str) -> Iterator[pa.NativeFile]:
        with self._lake.open(table, folder) as file, self._lake.readable(table, folder):
            self._require(file, table, folder, names)
            yield file

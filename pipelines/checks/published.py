"""The published partitions of an extract, read from their files."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq

from resources.errors import LakeError
from resources.graphql.plan import Keyed
from resources.graphql.query import Query
from resources.graphql.tables import FETCHED_AT, LOOKUPS
from resources.lake import Lake
from resources.lake.manifest import Manifest
from resources.lake.published import LOOK_SECONDS, LOOKS

ROWS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, which is not zero."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """The share as a number from 0 to 1."""
        return self.part / self.whole


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

    def column(self, name: str) -> pa.ChunkedArray:
        """Read one column."""
        return pq.read_table(self.file, columns=[name]).column(0)


class PublishedExtract:
    """An extract in the lake; what it has read of earlier partitions it remembers."""

    def __init__(self, lake: Lake, query: Query) -> None:
        self.table = query.name
        self.lookups = query.name + LOOKUPS if query.name + LOOKUPS in query.tables else None
        self.identity = next((c.field.name for c in query.columns if c.key == query.identity), None)
        self.keys = [field.name for field in query.plan.key_fields] if isinstance(query.plan, Keyed) else []
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
        tables = [self.table, *([self.lookups] if self.lookups else [])]
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
                yield files

    def _open(self, stack: ExitStack, table: str, folder: str) -> PublishedFile:
        file = stack.enter_context(self._lake.open(table, folder))
        manifest = self._lake.manifest(table, folder)
        if manifest is None:
            raise LakeError(f"{table} {folder} has lost its manifest: run the partition again")
        return PublishedFile(file, manifest)

    def statuses(self, folder: str) -> dict[str, Share]:
        """Give the share of the keys asked that have each status; none where no key was asked."""
        return self._remember("statuses", folder)

    def nulls(self, folder: str) -> dict[str, Share]:
        """Give the share of nulls in each column, a nested one by its leaves, from the footer's statistics.

        A leaf of a list counts an empty list as one null.
        """
        return self._remember("nulls", folder)

    def fetched(self, folder: str) -> tuple[datetime, datetime] | None:
        """Give when the first and the last key or row was fetched, from the footer's statistics."""
        with self._file(self.lookups or self.table, folder) as file:
            footer = pq.read_metadata(file)
        at = footer.schema.names.index(FETCHED_AT.name)
        chunks = [footer.row_group(i).column(at).statistics for i in range(footer.num_row_groups)]
        known = [chunk for chunk in chunks if chunk is not None and chunk.has_min_max]
        return (min(c.min for c in known), max(c.max for c in known)) if known else None

    def _remember(self, what: str, folder: str) -> dict[str, Share]:
        if (what, folder) not in self._shares:
            table = self.lookups if what == "statuses" and self.lookups else self.table
            with self._file(table, folder) as file:
                self._shares[what, folder] = status_shares(file) if what == "statuses" else null_shares(file)
        return self._shares[what, folder]

    @contextmanager
    def _file(self, table: str, folder: str) -> Iterator[pa.NativeFile]:
        with self._lake.open(table, folder) as file, self._lake.readable(table, folder):
            yield file


def status_counts(file: pa.NativeFile) -> Counter[str | None]:
    """Count the lookups by status."""
    counts: Counter[str | None] = Counter()
    parquet = pq.ParquetFile(file, read_dictionary=["status"])
    for rows in parquet.iter_batches(ROWS_AT_ONCE, columns=["status"]):
        grouped = pa.table({"status": rows.column(0)}).group_by("status").aggregate([([], "count_all")])
        for row in grouped.to_pylist():
            counts[row["status"]] += row["count_all"]
    return counts


def status_shares(file: pa.NativeFile) -> dict[str, Share]:
    """Give the share of each status."""
    counts = status_counts(file)
    return {str(status): Share(number, counts.total()) for status, number in counts.items()}


def null_shares(file: pa.NativeFile) -> dict[str, Share]:
    """Give the share of nulls of each leaf that has statistics."""
    footer = pq.read_metadata(file)
    nulls: Counter[str] = Counter()
    values: Counter[str] = Counter()
    for group in range(footer.num_row_groups):
        for leaf in range(footer.num_columns):
            chunk = footer.row_group(group).column(leaf)
            if chunk.statistics is not None and chunk.statistics.has_null_count:
                name = chunk.path_in_schema.replace(".list.element", "")
                nulls[name] += chunk.statistics.null_count
                values[name] += chunk.num_values
    return {name: Share(nulls[name], whole) for name, whole in values.items() if whole}

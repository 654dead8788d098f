"""The Dagster resource for the lake; usable in a notebook without a Dagster run."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from resources.errors import LakeError
from resources.lake.publishing.manifest import Manifest
from resources.lake.publishing.partition import PartitionWriter
from resources.lake.publishing.published import Opened, manifest, manifests, readable, together


class Lake(dg.ConfigurableResource[Any]):
    """A folder of tables: `<path>/<table>/date=2026-11-22/part-00000.parquet` with `_manifest.json`."""

    path: str = Field(description="The lake's folder on a local disk.")

    @property
    def root(self) -> Path:
        """The lake's folder."""
        if "://" in self.path:
            raise LakeError(
                f"{self.path}: a lake is a folder on a local disk; object stores are not supported"
            )
        return Path(self.path).expanduser().resolve()

    def write(
        self,
        folder: str,
        schemas: Mapping[str, pa.Schema],
        *,
        run: str,
        footer: Mapping[str, str] | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> PartitionWriter:
        """Open one partition of some tables for writing, in a `with`; the first is the asset's own.

        Raises Fenced at its end if another run has claimed the partition since, or `is_cancelled` says that
        this one has nothing to publish any more.
        """
        return PartitionWriter(
            self.root, folder, schemas, run=run, footer=footer or {}, is_cancelled=is_cancelled
        )

    def read(self, table: str, folder: str = "", *, columns: Sequence[str] | None = None) -> pa.Table:
        """Read one partition of a table, for example `read("profiles", "date=2026-11-22")`."""
        with self.open(table, folder) as file, self.readable(table, folder):
            return pq.read_table(file, columns=columns)

    def open(self, table: str, folder: str = "") -> pa.NativeFile:
        """Open one partition's file for reading; what is open stays as it is when the partition is replaced.

        Raises LakeError where there is none, or where it is not its manifest's.
        """
        return together(self.root, folder, [table])[0].file

    def together(self, folder: str, tables: Sequence[str]) -> dict[str, pa.NativeFile]:
        """Open several tables of a partition as one run has published them together, by their names.

        Raises PartitionMissing where one lacks, or where they are of different runs.
        """
        return {name: opened.file for name, opened in self.opened(folder, tables).items()}

    def opened(self, folder: str, tables: Sequence[str]) -> dict[str, Opened]:
        """Do as `together`, and give each table's manifest beside its file."""
        return dict(zip(tables, together(self.root, folder, tables), strict=True))

    def readable(self, table: str, folder: str) -> AbstractContextManager[None]:
        """Name what is read in the errors of reading."""
        return readable(self.root, table, folder)

    def manifest(self, table: str, folder: str = "") -> Manifest | None:
        """Give what is known of a published partition, None if there is none."""
        return manifest(self.root, table, folder)

    def manifests(self, table: str) -> list[Manifest]:
        """Give the manifests of all published partitions of a table."""
        return manifests(self.root, table)

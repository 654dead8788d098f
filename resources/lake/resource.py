"""The Dagster resource for the lake; usable in a notebook without a Dagster run."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from resources.errors import ConfigurationError, LakeError, PartitionMissing
from resources.lake.manifest import Manifest
from resources.lake.partition import FILE, PartitionWriter
from resources.lake.table_file import BUFFER_BYTES, LEAST_BUFFER_BYTES

HOUR = timedelta(hours=1)
DAY = timedelta(hours=23)  # the shortest day, when clocks go forward
LOOKS, LOOK_SECONDS = 10, 0.05  # at a partition that is being put in place


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
        beside: int = 0,
    ) -> PartitionWriter:
        """Open one partition of some tables for writing, in a `with`; they buffer less if others are open."""
        buffer_bytes = max(LEAST_BUFFER_BYTES, BUFFER_BYTES // (1 + beside))
        return PartitionWriter(
            self.root, folder, schemas, run=run, footer=footer or {}, buffer_bytes=buffer_bytes
        )

    def read(self, table: str, folder: str = "", *, columns: Sequence[str] | None = None) -> pa.Table:
        """Read one partition of a table, for example `read("profiles", "date=2026-11-22")`."""
        with self.open(table, folder) as file, self.readable(table, folder):
            return pq.read_table(file, columns=columns)

    def open(self, table: str, folder: str = "") -> pa.NativeFile:
        """Open one partition's file for reading; what is open stays as it is when the partition is replaced.

        Raises LakeError where there is none, or where it is not its manifest's: whoever published it was
        killed between the two. They are put in place a moment apart, so that is looked at more than once.
        """
        for look in range(LOOKS):
            time.sleep(LOOK_SECONDS if look else 0)
            with self.readable(table, folder):
                file = pa.OSFile(str(self.root / table / folder / FILE))
                footer = pq.read_schema(file).metadata or {}
            manifest = self.manifest(table, folder)
            if manifest and footer.get(b"generation") == str(manifest.generation).encode():
                return file
            file.close()
        raise LakeError(f"{table} {folder} was published by half: run the partition again")

    @contextmanager
    def readable(self, table: str, folder: str) -> Iterator[None]:
        """Name what is read in the errors of reading."""
        try:
            yield
        except FileNotFoundError as error:
            raise PartitionMissing(
                f"{table} has no partition {folder or '(whole)'} in {self.root}: materialize {table} first"
            ) from error
        except (OSError, pa.ArrowInvalid) as error:
            number = error.errno if isinstance(error, OSError) else None
            reason = os.strerror(number) if number else type(error).__name__
            raise LakeError(
                f"{table} {folder} in {self.root} cannot be read as Parquet ({reason})"
            ) from error

    def manifest(self, table: str, folder: str = "") -> Manifest | None:
        """Give what is known of a published partition, None if there is none."""
        return Manifest.read(self.root / table / folder)

    def manifests(self, table: str) -> list[Manifest]:
        """Give the manifests of all published partitions of a table."""
        folders = [self.root / table, *sorted((self.root / table).glob("*=*"))]
        return [found for found in map(Manifest.read, folders) if found]


def folder_of(key: str | None, window: tuple[datetime, datetime] | None = None) -> str:
    """Name a partition's folder: by date, by hour in UTC, by its key, or no level at all."""
    if key is None:
        return ""
    if window is None:
        return f"partition={quote(key, safe='')}"
    start, end = window
    if end - start < HOUR:
        raise ConfigurationError(
            "partitions shorter than an hour have no folder of their own: make them longer"
        )
    if end - start < DAY:
        return f"hour={start.astimezone(UTC):%Y%m%dT%HZ}"
    return f"date={start:%Y-%m-%d}"

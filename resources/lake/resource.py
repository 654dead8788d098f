"""The Dagster resource for the lake; usable in a notebook without a Dagster run."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from resources.errors import LakeError
from resources.lake.manifest import Manifest
from resources.lake.partition import FILE, PartitionWriter
from resources.lake.table_file import BUFFER_BYTES, LEAST_BUFFER_BYTES

DAY = timedelta(hours=23)  # the shortest day, when clocks go forward


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

    def folders(self, table: str) -> list[str]:
        """Name the published partitions of a table, sorted; an unpartitioned one is the empty name."""
        root = self.root / table
        return sorted(str(path.parent.relative_to(root)).lstrip(".") for path in root.glob(f"**/{FILE}"))

    def read(self, table: str, folder: str = "", *, columns: Sequence[str] | None = None) -> pa.Table:
        """Read one partition of a table, for example `read("profiles", "date=2026-11-22")`."""
        path = self.root / table / folder / FILE
        try:
            with pq.ParquetFile(path) as file:
                self._require_whole(file, table, folder)
                return file.read(columns)
        except FileNotFoundError as error:
            raise LakeError(
                f"{table} has no partition {folder or '(whole)'} in {self.root}: materialize {table} first"
            ) from error
        except (OSError, pa.ArrowInvalid) as error:
            raise LakeError(f"{path} cannot be read as Parquet ({type(error).__name__})") from error

    def _require_whole(self, file: pq.ParquetFile, table: str, folder: str) -> None:
        """Refuse a file that is not its manifest's: whoever published it was killed between the two."""
        manifest = self.manifest(table, folder)
        footer = file.schema_arrow.metadata or {}
        if manifest is None or footer.get(b"generation") != str(manifest.generation).encode():
            raise LakeError(f"{table} {folder} was published by half: run the partition again")

    def manifest(self, table: str, folder: str = "") -> Manifest | None:
        """Give what is known of a published partition, None if there is none."""
        return Manifest.read(self.root / table / folder)


def folder_of(key: str | None, window: tuple[datetime, datetime] | None = None) -> str:
    """Name a partition's folder: by date, by hour in UTC, by its key, or no level at all."""
    if key is None:
        return ""
    if window is None:
        return f"partition={quote(key, safe='')}"
    start, end = window
    if end - start < DAY:
        return f"hour={start.astimezone(UTC):%Y%m%dT%HZ}"
    return f"date={start:%Y-%m-%d}"

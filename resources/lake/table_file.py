"""One Parquet file, written aside and read back before anybody else may see it."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from resources.errors import AccountingError

BUFFER_BYTES = 32 * 1024 * 1024  # of Arrow data that become one row group
LEAST_BUFFER_BYTES = 1024 * 1024  # where many files are open at once


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a verified file holds."""

    rows: int
    bytes: int
    sha256: str


class TableFile:
    """Collects tables of one schema into row groups of a Parquet file (zstd).

    `metadata` goes into the footer. An empty file has the full schema.
    """

    def __init__(
        self, path: Path, schema: pa.Schema, metadata: Mapping[str, str], *, buffer_bytes: int = BUFFER_BYTES
    ) -> None:
        self.path = path
        self.rows = 0
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema.with_metadata(dict(metadata)), compression="zstd")
        self._buffer: list[pa.Table] = []
        self._buffered = 0
        self._buffer_bytes = buffer_bytes

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self.rows += table.num_rows
        self._buffer.append(table)
        self._buffered += table.nbytes
        if self._buffered >= self._buffer_bytes:
            self._flush()

    def close(self) -> None:
        """Write what is buffered and the footer, down to the disk."""
        self._flush()
        self._writer.close()
        with self.path.open("rb") as file:
            os.fsync(file.fileno())

    def discard(self) -> None:
        """Close without caring for the file."""
        self._buffer = []
        self._writer.close()

    def verify(self) -> FileFacts:
        """Read the closed file back; raise AccountingError where it is not what was written."""
        footer = pq.ParquetFile(self.path)
        if footer.metadata.num_rows != self.rows or not footer.schema_arrow.equals(self._schema):
            raise AccountingError(
                f"{self.path.name} holds {footer.metadata.num_rows} rows, {self.rows} were written, or its "
                "schema differs"
            )
        with self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileFacts(self.rows, self.path.stat().st_size, digest)

    def _flush(self) -> None:
        if self._buffer:
            rows = pa.concat_tables(self._buffer)
            self._writer.write_table(rows, row_group_size=max(1, rows.num_rows))
        self._buffer, self._buffered = [], 0


def write_file(path: Path, content: bytes) -> Path:
    """Write a small file down to the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return path


def replace(source: Path, target: Path) -> None:
    """Move a file into place in one step, and make the step last."""
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

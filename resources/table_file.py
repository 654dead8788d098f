"""One Parquet file, written aside and read back before anybody else may see it."""

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from resources.errors import AccountingError, LakeError

if TYPE_CHECKING:
    from typing_extensions import Buffer

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)  # what msgspec raises for JSON that is damaged
ARROW = "Detail: [errno"  # how Arrow words what the system says
BUFFER_BYTES = 32 * 1024 * 1024  # of Arrow data that become one row group


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a verified file holds."""

    rows: int
    bytes: int
    sha256: str


class TableFile:
    """Collects tables of one schema into row groups of a Parquet file (zstd).

    `metadata` goes into the footer. An empty file has the full schema. A row group is written in a thread
    while the next one is collected; what goes wrong there is raised by the call that comes after.
    """

    def __init__(self, path: Path, schema: pa.Schema, metadata: Mapping[str, str]) -> None:
        self.path = path
        self.rows = 0
        self.schema = schema
        self._sink = _Hashed(path)
        self._writer = pq.ParquetWriter(self._sink, schema.with_metadata(dict(metadata)), compression="zstd")
        self._buffer: list[pa.Table] = []
        self._buffered = 0
        self._thread = ThreadPoolExecutor(1, "row-groups")
        self._writing: Future[None] | None = None

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self.rows += table.num_rows
        self._buffer.append(table)
        self._buffered += table.nbytes
        if self._buffered >= BUFFER_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is buffered and the footer, down to the disk."""
        self._flush()
        self._wait()
        self._thread.shutdown()
        self._writer.close()
        self._sink.flush()
        os.fsync(self._sink.fileno())
        self._sink.close()

    def discard(self) -> None:
        """Close without caring for the file."""
        self._buffer = []
        self._thread.shutdown()
        for opened in (self._writer, self._sink):
            with suppress(OSError):  # a full disk does not take the footer either
                opened.close()

    def verify(self) -> FileFacts:
        """Read the closed file back; raise AccountingError where it is not what was written."""
        digest = sha256(self.path)
        if digest != self._sink.digest.hexdigest():
            raise AccountingError(f"{self.path.name} is not on the disk as it was written")
        footer = pq.ParquetFile(self.path)
        if footer.metadata.num_rows != self.rows or not footer.schema_arrow.equals(self.schema):
            raise AccountingError(
                f"{self.path.name} holds {footer.metadata.num_rows} rows, {self.rows} were written, or its "
                "schema differs"
            )
        return FileFacts(self.rows, self.path.stat().st_size, digest)

    def _flush(self) -> None:
        if self._buffer:
            self._wait()
            rows = pa.concat_tables(self._buffer)
            size = max(1, rows.num_rows)
            self._writing = self._thread.submit(self._writer.write_table, rows, row_group_size=size)
        self._buffer, self._buffered = [], 0

    def _wait(self) -> None:
        """Wait until the last row group is written, and raise what went wrong."""
        if self._writing:
            writing, self._writing = self._writing, None
            writing.result()


class _Hashed(io.BufferedWriter):
    """A file that knows the checksum of what was written to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path, "wb"))
        self.digest = hashlib.sha256()

    def write(self, data: "Buffer", /) -> int:
        """Write, and count it in."""
        self.digest.update(data)
        return super().write(data)


def sha256(path: Path) -> str:
    """Give the checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_file(path: Path, content: bytes) -> Path:
    """Write a small file down to the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return path


def replace(source: Path, target: Path) -> None:
    """Move a file into place in one step, and make the step last."""
    make_folder(target.parent)
    os.replace(source, target)
    sync(target.parent)


def make_folder(path: Path, *, new: bool = False) -> None:
    """Make a folder and those above it, and make them last; `new`: FileExistsError where it is there."""
    if path.is_dir() and not new:
        return
    if not path.parent.exists():
        make_folder(path.parent)
    path.mkdir(exist_ok=not new)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Bring the names in a folder down to the disk: without that, what was moved there may be gone."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def lake_errors(root: Path) -> Iterator[None]:
    """Give the file system's errors their name, for the lake at `root`."""
    with writing_errors(f"the lake {root}", setting="TARGETDATA_LAKE"):
        yield


@contextmanager
def writing_errors(place: str, *, setting: str) -> Iterator[None]:
    """Give the file system's errors their name, for a place that a setting has chosen."""
    try:
        yield
    except OSError as error:
        said = error.strerror or type(error).__name__
        if error.errno and ARROW in said:
            said = os.strerror(error.errno)
        raise LakeError(
            f"{place} cannot be written: {said}. Choose another place ({setting}) or mend its permissions or "
            "space"
        ) from error

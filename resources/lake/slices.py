"""Slices of an extraction that is not finished: Arrow files with their checksums, one index each."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec
import pyarrow as pa

from resources.errors import LakeError
from resources.table_file import replace, sha256, write_file

OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")  # written and read once: speed counts, not size


class SliceFile(msgspec.Struct, frozen=True):
    """One table's rows of a slice; `groups` names the group of each record batch."""

    file: str
    bytes: int
    sha256: str
    groups: list[str]


class Slice(msgspec.Struct, frozen=True):
    """What one index says: the files by table, figures by group, and how to go on behind it."""

    tables: dict[str, SliceFile]
    figures: dict[str, msgspec.Raw]
    reached: str | None = None

    @classmethod
    def read(cls, index: Path) -> Self | None:
        """Read an index; None where it or a file of it is not what was written."""
        try:
            checksum, _, text = index.read_bytes().partition(b"\n")
            if checksum != _checksum(text):
                return None
            found = msgspec.json.decode(text, type=cls)
            whole = all(sha256(index.parent / file.file) == file.sha256 for file in found.tables.values())
        except FileNotFoundError:
            return None
        return found if whole else None

    def write(self, index: Path) -> None:
        """Put the index in place in one step, its checksum above it: from then on its files count."""
        text = msgspec.json.encode(self)
        replace(write_file(index.with_suffix(".part"), _checksum(text) + b"\n" + text), index)

    def batches(self, folder: Path, table: str, group: str | None = None) -> Iterator[tuple[str, pa.Table]]:
        """Give a table's rows with their group, batch by batch; those of one group where it is named."""
        file = self.tables[table]
        wanted = [i for i, name in enumerate(file.groups) if group in (None, name)]
        if not wanted:
            return
        with opened(folder / file.file) as source:
            reader = pa.ipc.open_file(source)
            for i in wanted:
                yield file.groups[i], pa.Table.from_batches([reader.get_batch(i)])


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()


def write_table(path: Path, schema: pa.Schema, rows: Mapping[str, Sequence[pa.Table]]) -> SliceFile:
    """Write a table's rows by group, down to the disk."""
    groups: list[str] = []
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema, options=OPTIONS) as writer:
        for group, tables in rows.items():
            for batch in pa.concat_tables(tables).combine_chunks().to_batches():
                writer.write_batch(batch)
                groups.append(group)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return SliceFile(path.name, path.stat().st_size, sha256(path), groups)


def filtered(
    found: Slice, folder: Path, table: str, schema: pa.Schema, keep: Callable[[pa.Table], pa.Table]
) -> SliceFile:
    """Write a slice's table again with those rows only that are to be kept; the old file stays."""
    rows: dict[str, list[pa.Table]] = {}
    for group, batch in found.batches(folder, table):
        rows.setdefault(group, []).append(keep(batch))
    return write_table(folder / f"again-{found.tables[table].file}", schema, rows)


def opened(path: Path) -> pa.NativeFile:
    """Map a slice's file into memory; raises LakeError where it is gone."""
    try:
        return pa.memory_map(str(path))
    except OSError as error:
        raise LakeError(
            f"the staged slice {path} cannot be read any more ({error.strerror}): run the partition again"
        ) from error

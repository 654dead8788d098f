"""A person searched for in every file of a lake, and in the files' names."""

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from resources.privacy.person import Person, among

TELLING = 6  # characters: a shorter value is a part of many a text


@dataclass(frozen=True, slots=True, repr=False)
class Search:
    """Finds a person's values: as a whole text, as a part of one if they are long, and as numbers in the
    columns that are named as they are.
    """

    person: Person

    def in_file(self, path: Path) -> int:
        """Count where they are in a file; raises OSError or ArrowInvalid for a table that cannot be read."""
        if path.suffix == ".parquet":
            with pq.ParquetFile(path) as file:
                said = [*(file.schema_arrow.metadata or {}).values()]
                batches = file.iter_batches()
                return sum(map(self._in_text, said)) + sum(map(self._in_rows, batches))
        if path.suffix == ".arrow":
            with pa.memory_map(str(path)) as source:
                return sum(map(self._in_rows, pa.ipc.open_file(source).read_all().to_batches()))
        return self._in_bytes(path)

    def in_name(self, path: Path) -> bool:
        """Say whether the name of a file, or of a folder above it, has them."""
        return bool(self._in_text(str(path).encode()))

    def masked(self, path: Path) -> str:
        """Write a path without what it says of the person."""
        text = str(path)
        for value in self._telling:
            text = text.replace(value, "…")
        return text

    def _in_rows(self, rows: pa.RecordBatch) -> int:
        found = sum(self._in_texts(leaf) for column in rows.columns for leaf in _texts(column))
        for name, values in (*self.person.identities.items(), *self.person.keys.items()):
            if name in rows.schema.names and pt.is_integer(rows.schema.field(name).type):
                found += pc.sum(among(rows.column(name), values), min_count=0).as_py()
        return found

    def _in_texts(self, column: pa.Array) -> int:
        marks = among(column, self.person.values)
        if pattern := self._pattern:
            marks = pc.or_(marks, pc.fill_null(pc.match_substring_regex(column, pattern), False))
        return int(pc.sum(marks, min_count=0).as_py())

    def _in_text(self, text: bytes) -> int:
        return sum(text.count(value.encode()) for value in self._telling)

    def _in_bytes(self, path: Path) -> int:
        if not path.stat().st_size:
            return 0
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return sum(content.find(value.encode()) >= 0 for value in self._telling)

    @property
    def _telling(self) -> list[str]:
        return sorted(value for value in self.person.values if len(value) >= TELLING)

    @property
    def _pattern(self) -> str:
        return "|".join(map(re.escape, self._telling))


def _texts(column: pa.Array) -> Iterator[pa.Array]:
    """Give the texts of a column, at any depth."""
    if pt.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pt.is_string(column.type) or pt.is_large_string(column.type):
        yield column
    elif pt.is_map(column.type):
        yield from (*_texts(column.keys), *_texts(column.items))
    elif pt.is_list(column.type) or pt.is_large_list(column.type) or pt.is_fixed_size_list(column.type):
        yield from _texts(column.flatten())
    elif pt.is_struct(column.type):
        for field in column.flatten():
            yield from _texts(field)

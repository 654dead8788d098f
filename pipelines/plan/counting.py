"""Counts the distinct keys of many partitions: on disk, and merged in the order that they have there."""

import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from resources.graphql.paging.keys import ascending
from resources.graphql.texts import joined

ROWS = 1 << 14  # of a partition in memory while partitions are merged
SCHEMA = pa.schema([("key", pa.string())])


class SortedKeys:
    """The keys of partitions in a file without a name, which is gone when the process is.

    Memory: the keys of the partition that is added, and `rows` of each while they are merged.
    """

    def __init__(self, rows: int = ROWS) -> None:
        self._rows = rows
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed in __exit__)
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._writer = pa.ipc.new_file(self._file, SCHEMA, options=options)
        self._batches = 0

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the file."""
        self._file.close()

    def add(self, keys: pa.Table) -> range:
        """Add the distinct keys of a partition; give their place."""
        column = joined(keys)
        if not ascending(column):
            column = column.take(pc.sort_indices(column))
        first = self._batches
        for batch in pa.table([column], schema=SCHEMA).combine_chunks().to_batches(max_chunksize=self._rows):
            self._writer.write_batch(batch)
            self._batches += 1
        return range(first, self._batches)

    def distinct(self, groups: Sequence[Sequence[range]]) -> list[int]:
        """Count the distinct keys of each group of places; nothing can be added afterwards."""
        self._writer.close()
        reader = pa.ipc.open_file(self._file)
        return [sum(_merged([_columns(reader, place) for place in group])) for group in groups]


def _columns(reader: pa.ipc.RecordBatchFileReader, place: range) -> Iterator[pa.Array]:
    return (reader.get_batch(number).column(0) for number in place)


def _merged(parts: Sequence[Iterator[pa.Array]]) -> Iterator[int]:
    """Count the distinct values up to the nearest end of a part, of all parts, over and over."""
    heads = [(head, part) for part in parts for head in [next(part, None)] if head is not None]
    while heads:
        end = min(head[-1].as_py() for head, _ in heads)
        below, above = [], []
        for head, part in heads:
            number = _until(head, end)
            below.append(head.slice(0, number))
            left = head.slice(number) if number < len(head) else next(part, None)
            if left is not None:
                above.append((left, part))
        yield pc.count_distinct(pa.chunked_array(below)).as_py()
        heads = above


def _until(values: pa.Array, end: str) -> int:
    """Say how many of some sorted values are not beyond an end."""

    def value(at: int) -> str:
        found: str = values[at].as_py()
        return found

    return bisect_right(range(len(values)), end, key=value)

"""Keys of Parquet files, batch by batch, the key columns only."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from resources.errors import FeedError
from resources.key_files.columns import Cells
from resources.key_files.complaints import ambiguous, no_column
from resources.key_files.place import File
from resources.key_files.texts import is_key, key_texts

BATCH_ROWS = 1 << 16
BUFFER_BYTES = 1 << 20


def parquet_keys(file: File, column: str) -> Iterator[str | None]:
    """Yield the key of every row."""
    for (texts,) in _batches(file, [column]):
        yield from texts


def parquet_rows(file: File, columns: Sequence[str]) -> Iterator[Cells]:
    """Yield the key columns of every row."""
    for texts in _batches(file, columns):
        yield from zip(*texts, strict=True)


def _batches(file: File, columns: Sequence[str]) -> Iterator[list[list[str | None]]]:
    try:
        with file.random() as source, pq.ParquetFile(source, buffer_size=BUFFER_BYTES) as parquet:
            paths = [_path(file, column, parquet.schema_arrow) for column in columns]
            for batch in parquet.iter_batches(BATCH_ROWS, columns=list(columns)):
                yield [
                    _texts(file, column, _leaf(batch, path))
                    for column, path in zip(columns, paths, strict=True)
                ]
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise FeedError(
            f"{file.shown} cannot be read as Parquet: {' '.join(str(error).split())} Have it delivered again."
        ) from error


def _path(file: File, column: str, schema: pa.Schema) -> list[str]:
    """Return the names that lead to the column, after checking its type."""
    path = [column] if column in schema.names else column.split(".")
    if schema.names.count(path[0]) > 1:
        raise ambiguous(file.shown, path[0])
    fields, kind = {field.name: field.type for field in schema}, None
    for depth, name in enumerate(path):
        if name not in fields:
            raise no_column(file.shown, column, [".".join([*path[:depth], inner]) for inner in fields])
        kind = fields[name]
        fields = {field.name: field.type for field in kind} if pa.types.is_struct(kind) else {}
    if not is_key(kind):
        raise FeedError(
            f"{file.shown}: {column!r} is {kind}, expected text, integers or UUIDs. Mend the column."
        )
    return path


def _leaf(batch: pa.RecordBatch, path: list[str]) -> pa.Array:
    top = batch.column(path[0])
    return pc.struct_field(top, path[1:]) if len(path) > 1 else top


def _texts(file: File, column: str, values: pa.Array) -> list[str | None]:
    try:
        texts: list[str | None] = key_texts(values).to_pylist()
    except pa.ArrowInvalid:  # its message may quote the text
        raise FeedError(f"{file.shown}: {column!r} is not UTF-8. Have it delivered again.") from None
    return texts

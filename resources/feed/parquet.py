"""Keys of Parquet files, batch by batch, one column only."""

import uuid
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from resources.errors import FeedError
from resources.feed.complaints import ambiguous, no_column
from resources.feed.place import File
from resources.feed.text import usable

BATCH_ROWS = 1 << 16
BUFFER_BYTES = 1 << 20
UUID_TYPE = pa.binary(16)


def parquet_keys(file: File, column: str) -> Iterator[str | None]:
    """Yield the key of every row."""
    try:
        with file.random() as source, pq.ParquetFile(source, buffer_size=BUFFER_BYTES) as parquet:
            path = _path(file, column, parquet.schema_arrow)
            for batch in parquet.iter_batches(BATCH_ROWS, columns=[column]):
                yield from _texts(_leaf(batch, path))
    except (pa.ArrowException, OSError) as error:
        raise FeedError(
            f"{file.shown} cannot be read as Parquet: {error}. Have it delivered again."
        ) from error
    except UnicodeDecodeError as error:
        why = f"not UTF-8 ({error.reason})"
        raise FeedError(f"{file.shown}: {column!r} is {why}. Have it delivered again.") from None


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
    if not _is_key(_plain(kind)):
        raise FeedError(
            f"{file.shown}: {column!r} is {kind}, expected text, integers or UUIDs. Mend the column."
        )
    return path


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type below dictionaries and extensions."""
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(kind.storage_type)
    return _plain(kind.value_type) if pa.types.is_dictionary(kind) else kind


def _is_key(kind: pa.DataType) -> bool:
    textual = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return bool(textual or pa.types.is_integer(kind) or pa.types.is_null(kind) or kind == UUID_TYPE)


def _leaf(batch: pa.RecordBatch, path: list[str]) -> pa.Array:
    top = batch.column(path[0])
    return pc.struct_field(top, path[1:]) if len(path) > 1 else top


def _texts(values: pa.Array) -> Iterator[str | None]:
    if isinstance(values.type, pa.BaseExtensionType):
        values = values.storage
    kind = _plain(values.type)
    for value in values.cast(kind).to_pylist():
        if isinstance(value, bytes):
            yield str(uuid.UUID(bytes=value))
        else:
            yield None if value is None else usable(str(value))

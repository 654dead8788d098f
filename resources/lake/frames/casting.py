"""Tables into the schema that their files shall have: each value as it was, or the table is refused."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from resources.errors import LakeError

DECLARE = "Declare the table's columns in the asset's metadata, as dagster/column_schema"
FAMILIES: list[tuple[str, Callable[[pa.DataType], object]]] = [
    ("null", pt.is_null),
    ("text", lambda type_: pt.is_string(type_) or pt.is_large_string(type_) or pt.is_string_view(type_)),
    ("binary", lambda type_: pt.is_binary(type_) or pt.is_large_binary(type_) or pt.is_binary_view(type_)),
    ("list", lambda type_: pt.is_list(type_) or pt.is_large_list(type_)),
    ("struct", pt.is_struct),
    ("integer", pt.is_integer),
    ("float", pt.is_floating),
    ("decimal", pt.is_decimal),
    ("date", pt.is_date),
    ("time", pt.is_time),
    ("duration", pt.is_duration),
]
ROOM = 38 - 20  # digits of a decimal128 after those of any 64-bit integer
CHECKED = [("integer", "float"), ("integer", "decimal"), ("float", "integer"), ("decimal", "integer")]


def cast(table: pa.Table, schema: pa.Schema, name: str) -> pa.Table:
    """Give a table the columns and types of a schema; raise LakeError naming the column that does not fit."""
    lacking = [field for field in schema.names if field not in table.column_names]
    unknown = [column for column in table.column_names if column not in schema.names]
    if lacking or unknown:
        said = [f"it lacks {', '.join(lacking)}"] * bool(lacking)
        said += [f"it has {', '.join(unknown)}, which the table has not"] * bool(unknown)
        raise LakeError(
            f"the frame for {name} has other columns than the table: {'; '.join(said)}. {DECLARE}"
        )
    return pa.Table.from_arrays([_column(table[field.name], field, name) for field in schema], schema=schema)


def _column(column: pa.ChunkedArray, field: pa.Field, name: str) -> pa.ChunkedArray:
    if column.null_count and not field.nullable:
        raise LakeError(f"{name}.{field.name} has nulls, which its schema does not allow")
    if column.type == field.type:
        return column
    if not exact(column.type, field.type):
        raise LakeError(
            f"{name}.{field.name} is {column.type} in the frame, {field.type} in the table. {DECLARE}"
        )
    try:
        return _with_room(column, field.type).cast(field.type)
    except pa.ArrowInvalid:  # its message holds a value
        raise LakeError(
            f"{name}.{field.name} has values of {column.type} that are not exact as {field.type}. {DECLARE}"
        ) from None


def _with_room(column: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray:
    """Make integers decimals of all digits first: Arrow asks a decimal for room for any integer."""
    if (family(column.type), family(target)) == ("integer", "decimal") and target.scale <= ROOM:
        return column.cast(pa.decimal128(38, target.scale))
    return column


def exact(source: pa.DataType, target: pa.DataType) -> bool:
    """Say whether a cast keeps each value or fails; never one that rounds, parses or assumes a time zone."""
    if pt.is_dictionary(source):
        return exact(source.value_type, target)
    match family(source), family(target):
        case "null", _:
            return True
        case "list", "list":
            return exact(source.value_type, target.value_type)
        case "struct", "struct":
            named = [field.name for field in source] == [field.name for field in target]
            return named and all(exact(a.type, b.type) for a, b in zip(source, target, strict=True))
        case "integer", "float" if pt.is_float16(target):  # where Arrow rounds without a check
            return bool(source.bit_width < target.bit_width)
        case "float", "float":
            return bool(source.bit_width <= target.bit_width)
        case kinds:
            return kinds[0] == kinds[1] or kinds in CHECKED


def family(type_: pa.DataType) -> str:
    """Name what a type's values are, however they are stored; a type of its own is its own family."""
    if pt.is_timestamp(type_):
        return "instant" if type_.tz else "local time"
    return next((name for name, holds in FAMILIES if holds(type_)), str(type_))


def derived(frame: pa.Schema, name: str) -> pa.Schema:
    """Give the schema that a frame has by itself: plain text and lists, timestamps in microseconds."""
    schema = pa.schema([(field.name, plain(field.type, f"{name}.{field.name}")) for field in frame])
    return storable(schema, name)


def plain(type_: pa.DataType, path: str) -> pa.DataType:
    """Give the type that stands for all that libraries have for the same: large, view, encoded."""
    if pt.is_dictionary(type_):
        return plain(type_.value_type, path)
    match family(type_):
        case "null":
            raise LakeError(f"{path} has no value, so that its type is not known. {DECLARE}")
        case "list":
            return pa.list_(plain(type_.value_type, path))
        case "struct":
            return pa.struct([(field.name, plain(field.type, f"{path}.{field.name}")) for field in type_])
        case "instant":
            return pa.timestamp("us", tz="UTC")
        case "local time":
            return pa.timestamp("us")
        case "text":
            return pa.string()
        case "binary":
            return pa.binary()
    return type_


def storable(schema: pa.Schema, name: str) -> pa.Schema:
    """Refuse a schema that Parquet does not give back as it is."""
    for field in schema:
        if not _survives(pa.schema([field])):
            raise LakeError(f"{name}.{field.name}: Parquet has no {field.type}, declare another type for it")
    return schema.remove_metadata()


def _survives(schema: pa.Schema) -> bool:
    file = pa.BufferOutputStream()
    try:
        pq.write_table(schema.empty_table(), file)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return False
    return bool(pq.read_schema(pa.BufferReader(file.getvalue())).equals(schema))

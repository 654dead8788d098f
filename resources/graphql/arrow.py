"""The one exact decoder: answers in, an Arrow table out, column by column.

Every value arrives as it was sent or the table is refused: a field that is missing, a number that would
lose digits, a text that is no instant. What servers do differ in is accepted: `ID` as a number, integers
and floats as text, a whole float for an integer. Instants are truncated to microseconds.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from resources.graphql.columns import SCALARS, Column, ColumnType, ListOf, Scalar, Struct

NONE = type(None)
INTEGER = re.compile(r"[+-]?\d+")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
BEYOND_MICROSECONDS = r"(\.\d{6})\d+"
ENCODER = msgspec.json.Encoder(decimal_format="number")
BEYOND_64_BITS = 2**64
EXACT_INTEGER = 2**53  # a float beyond it may have lost digits


class Misfit(ValueError):
    """A value that does not fit; `row` counts from 0, `path` names the column."""

    def __init__(self, row: int, path: str, reason: str) -> None:
        super().__init__(reason)
        self.row = row
        self.path = path
        self.reason = reason


def table(rows: Sequence[Mapping[str, object]], columns: Sequence[Column]) -> pa.Table:
    """Decode objects of one type into a table with these columns, or raise Misfit."""
    arrays = [_column(rows, column) for column in columns]
    return pa.Table.from_arrays(arrays, schema=pa.schema([column.field for column in columns]))


def _column(rows: Sequence[Mapping[str, object] | None], column: Column) -> pa.Array:
    try:
        return array([_member(row, column.key, i) for i, row in enumerate(rows)], column.type)
    except Misfit as misfit:
        path = f"{column.name}.{misfit.path}" if misfit.path else column.name
        raise Misfit(misfit.row, path, misfit.reason) from misfit


def _member(row: Mapping[str, object] | None, key: str, index: int) -> object:
    if row is None:
        return None
    try:
        return row[key]
    except KeyError:
        raise Misfit(index, "", "the answer lacks this field") from None


def array(values: list[object], type_: ColumnType) -> pa.Array:
    """Decode values of one type."""
    match type_:
        case Scalar():
            return _scalars(values, type_)
        case ListOf():
            return _lists(values, type_)
        case Struct():
            return _structs(values, type_)


def _structs(values: list[object], type_: Struct) -> pa.Array:
    objects = [_object(value, index) for index, value in enumerate(values)]
    children = [_column(objects, column) for column in type_.fields]
    absent = pa.array([value is None for value in values], pa.bool_())
    return pa.StructArray.from_arrays(children, fields=[column.field for column in type_.fields], mask=absent)


def _object(value: object, index: int) -> Mapping[str, object] | None:
    if value is None or isinstance(value, dict):
        return value
    raise Misfit(index, "", f"an object is expected, not {_kind(value)}")


def _lists(values: list[object], type_: ListOf) -> pa.Array:
    offsets, items = [0], []
    for index, value in enumerate(values):
        if value is not None:
            if not isinstance(value, list):
                raise Misfit(index, "", f"a list is expected, not {_kind(value)}")
            items += value
        offsets.append(len(items))
    try:
        children = array(items, type_.item)
    except Misfit as misfit:
        row = bisect_right(offsets, misfit.row) - 1
        raise Misfit(row, misfit.path, misfit.reason) from misfit
    absent = pa.array([value is None for value in values], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), children, type=type_.arrow, mask=absent)


def _scalars(values: list[object], type_: Scalar) -> pa.Array:
    read = READERS.get(type_.name) or (_text if type_.name in SCALARS else _json_text)
    plain = {pa.int64(): int, pa.float64(): float, pa.bool_(): bool}.get(type_.arrow, str)
    if type_.name in ALWAYS_JSON or not set(map(type, values)) <= {plain, NONE}:
        values = [_each(value, read, i, type_) for i, value in enumerate(values)]
    wire = type_.arrow if plain is not str else pa.string()
    try:
        return _typed(pa.array(values, wire), type_.arrow)
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
        raise _culprit(values, type_, wire) from None  # Arrow's message holds the value


def _typed(texts: pa.Array, arrow: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(arrow):
        texts = pc.replace_substring_regex(texts, BEYOND_MICROSECONDS, r"\1")
    return texts if texts.type == arrow else texts.cast(arrow)


def _culprit(values: list[object], type_: Scalar, wire: pa.DataType) -> Misfit:
    """Find the first value that cannot be stored; Arrow does not say which one it was."""
    for index, value in enumerate(values):
        try:
            _typed(pa.array([value], wire), type_.arrow)
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            return Misfit(index, "", f"{_kind(value)} does not fit {type_.name} ({type_.arrow})")
    return Misfit(0, "", f"values do not fit {type_.name} ({type_.arrow})")


def _each(value: object, read: Callable[[object], object], index: int, type_: Scalar) -> object:
    if value is None:
        return None
    try:
        return read(value)
    except ValueError as error:
        reason = f"{_kind(value)} does not fit {type_.name} ({type_.arrow})"
        raise Misfit(index, "", reason) from error


def _text(value: object) -> str:
    """Text as it is; a number, as some servers send an ID, by its digits."""
    match value:
        case str():
            return value
        case bool():
            raise ValueError
        case int() | float() | Decimal():
            return str(value)
        case _:
            raise ValueError


def _json_text(value: object) -> str:
    """Text as it is; anything else as JSON."""
    return value if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    return ENCODER.encode(value).decode()


def _integer(value: object) -> int:
    match value:
        case bool():
            raise ValueError
        case int():
            return value
        case float() if value.is_integer() and abs(value) <= EXACT_INTEGER:
            return int(value)
        case Decimal() if -BEYOND_64_BITS < value < BEYOND_64_BITS and value == value.to_integral_value():
            return int(value)
        case str() if INTEGER.fullmatch(value):
            return int(value)
        case _:
            raise ValueError


def _float(value: object) -> float:
    match value:
        case bool():
            raise ValueError
        case float():
            return value
        case int() if abs(value) <= EXACT_INTEGER:
            return float(value)
        case Decimal():
            return _finite(float(value))
        case str() if NUMBER.fullmatch(value):
            return _finite(float(value))
        case _:
            raise ValueError


def _finite(value: float) -> float:
    if math.isinf(value):
        raise ValueError
    return value


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError


def _exactly_text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError


def _kind(value: object) -> str:
    """Describe a value without showing it: it may be personal."""
    match value:
        case str():
            return f"a text of {len(value)} characters"
        case bool():
            return "a boolean"
        case int() | float() | Decimal():
            return "a number"
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            return "null"


ALWAYS_JSON = frozenset({"JSON", "JSONObject"})  # a text in it is JSON too, so it keeps its quotes
READERS: dict[str, Callable[[object], object]] = {
    **{name: _integer for name, arrow in SCALARS.items() if arrow == pa.int64()},
    **{name: _exactly_text for name, arrow in SCALARS.items() if pa.types.is_temporal(arrow)},
    **dict.fromkeys(ALWAYS_JSON, _json),
    "Float": _float,
    "Boolean": _boolean,
}

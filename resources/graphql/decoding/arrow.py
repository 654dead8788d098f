"""The one exact decoder: answers in, an Arrow table out, column by column.

Every value arrives as it was sent or the table is refused: a field that is missing, a number that would
lose digits, a text that is no instant. What servers do differ in is accepted: `ID` as a number, integers
and floats as text, `3.0` for an integer. Instants and times are truncated to microseconds.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

import pyarrow as pa

from resources.graphql.columns import Column, ColumnType, ListOf, Scalar, Struct
from resources.graphql.decoding.advice import misfit_reason
from resources.graphql.decoding.cells import UNSTORABLE, cells
from resources.graphql.decoding.values import Read, kind_of, reader
from resources.graphql.gaps import filled

NONE = type(None)
PLAIN = {"int64": int, "bool": bool}  # what Arrow takes as it is; text for all others
NEVER_PLAIN = frozenset({"json", "decimal", "float64"})


class Misfit(ValueError):
    """A value that does not fit; `row` counts from 0, `path` names the column."""

    def __init__(self, row: int, path: str, reason: str) -> None:
        super().__init__(reason)
        self.row = row
        self.path = path
        self.reason = reason


def table(rows: Sequence[Mapping[str, object]], columns: Sequence[Column]) -> pa.Table:
    """Decode objects into a table with these columns, or raise Misfit.

    Objects of other types than a column's have null in it.
    """
    whole = filled(rows, columns)
    arrays = [_column(whole, column) for column in columns]
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
    raise Misfit(index, "", f"an object is expected, not {kind_of(value)}")


def _lists(values: list[object], type_: ListOf) -> pa.Array:
    offsets, items = [0], []
    for index, value in enumerate(values):
        if value is not None:
            if not isinstance(value, list):
                raise Misfit(index, "", f"a list is expected, not {kind_of(value)}")
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
    word = type_.kept.word
    if word in NEVER_PLAIN or not set(map(type, values)) <= {PLAIN.get(word, str), NONE}:
        read = reader(type_.kept)
        values = [_each(value, read, i, type_) for i, value in enumerate(values)]
    try:
        return cells(values, type_.arrow)
    except UNSTORABLE:
        raise _culprit(values, type_) from None  # Arrow's message holds the value


def _each(value: object, read: Read, index: int, type_: Scalar) -> object:
    if value is None:
        return None
    try:
        return read(value)
    except ValueError:
        raise Misfit(index, "", misfit_reason(value, type_)) from None


def _culprit(values: list[object], type_: Scalar) -> Misfit:
    """Find the first value that cannot be stored; Arrow does not say which one it was."""
    for index, value in enumerate(values):
        try:
            cells([value], type_.arrow)
        except UNSTORABLE:
            return Misfit(index, "", misfit_reason(value, type_))
    return Misfit(0, "", f"values do not fit {type_.name} ({type_.arrow})")

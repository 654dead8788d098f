"""The fast decoder: rows as they were sent become JSON lines, which Arrow parses outside of Python's lock.

It gives the table that the exact decoder would give, or nothing where only that one can tell: Arrow's parser
refuses what is of another type or no field, and takes a missing field for null, so fields are counted.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.json

from resources.graphql.columns import Column, ColumnType, ListOf, Scalar, Struct, every_scalar, innermost
from resources.graphql.decoding import decimals, doubles
from resources.graphql.decoding.cells import UNSTORABLE, times
from resources.graphql.raw import RawRow

# Words of what it decodes; the text of JSON is written anew, so that is for the exact one.
TEXTS = frozenset({"date", "time", "timestamp", "local timestamp", "decimal"})  # parsed as texts, cast later
WORDS = TEXTS.union(("text", "enum", "unknown", "int64", "float64", "bool"))
QUOTE, COLON = b'":'
IN_NAMES = np.zeros(256, dtype=np.bool_)
IN_NAMES[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")] = True


class Lines:
    """Parses rows of these columns."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._columns = columns
        self._schema = pa.schema([column.field for column in columns])
        sent = pa.schema([pa.field(column.key, _sent(column.type)) for column in columns])
        self._has_doubles = "float64" in _words(columns)
        self._numbers = decimals.number_pattern(columns)
        self._options = pa.json.ParseOptions(explicit_schema=sent, unexpected_field_behavior="error")

    @classmethod
    def of(cls, columns: tuple[Column, ...]) -> Self | None:
        """Give the decoder of columns that it knows exactly; None where one is beyond it."""
        known = _words(columns) <= WORDS
        return cls(columns) if known and not any(column.varies for column in columns) else None

    def table(self, rows: Sequence[RawRow]) -> pa.Table | None:
        """Decode at least one row; None where the exact decoder has to."""
        text = b"\n".join([row.raw for row in rows])
        if self._numbers:
            text = decimals.quoted(text, self._numbers)
        try:
            whole = pa.json.ReadOptions(use_threads=False, block_size=len(text) + 1)
            sent = pa.json.read_json(pa.BufferReader(text), read_options=whole, parse_options=self._options)
            arrays = [column.chunk(0) for column in sent.columns]  # the text is one block
            if sent.num_rows != len(rows) or _keys(self._columns, arrays, len(rows)) != _keys_in(text):
                return None
            if self._has_doubles and not doubles.are_exact(arrays, text):
                return None
            typed = [_typed(array, column.type) for array, column in zip(arrays, self._columns, strict=True)]
        except UNSTORABLE:
            return None
        return pa.Table.from_arrays(typed, schema=self._schema)


def _words(columns: tuple[Column, ...]) -> set[str]:
    """Give the words for what the leaves are kept as."""
    return {scalar.kept.word for scalar in every_scalar(columns)}


def _sent(type_: ColumnType) -> pa.DataType:
    """Give the type as which a value is parsed: by response names, times and decimals as texts."""
    match type_:
        case ListOf():
            return pa.list_(_sent(type_.item))
        case Struct():
            return pa.struct([pa.field(column.key, _sent(column.type)) for column in type_.fields])
        case Scalar():
            return pa.string() if type_.kept.word in TEXTS else type_.arrow


def _typed(array: pa.Array, type_: ColumnType) -> pa.Array:
    """Name the fields of a parsed array as in the table, without copying, and cast its texts."""
    match type_:
        case ListOf():
            children, buffers = [_typed(array.values, type_.item)], array.buffers()[:2]
        case Struct():
            children = [_typed(array.field(i), column.type) for i, column in enumerate(type_.fields)]
            buffers = array.buffers()[:1]
        case Scalar():
            return _cast(array, type_.arrow)
    return pa.Array.from_buffers(
        type_.arrow, len(array), buffers, array.null_count, array.offset, children=children
    )


def _cast(array: pa.Array, arrow: pa.DataType) -> pa.Array:
    if pa.types.is_temporal(arrow):
        return times(array, arrow)
    return decimals.cast(array, arrow) if pa.types.is_decimal(arrow) else array


def _keys(columns: Sequence[Column], arrays: Sequence[pa.Array], objects: int) -> int:
    """Count the fields that so many whole objects have, those of the objects in them included."""
    return len(columns) * objects + sum(
        _keys_below(array, column.type) for array, column in zip(arrays, columns, strict=True)
    )


def _keys_below(array: pa.Array, type_: ColumnType) -> int:
    inner = innermost(type_)
    if not isinstance(inner, Struct):
        return 0
    while not pa.types.is_struct(array.type):
        array = array.flatten()
    fields = [array.field(i) for i in range(len(inner.fields))]  # null, and so without keys, where it is null
    return _keys(inner.fields, fields, len(array) - array.null_count)


def _keys_in(text: bytes) -> int:
    """Count the keys of JSON objects: only a key ends with a character of names, a quote and a colon.

    A quote within a text has a backslash before it, one that begins a text has punctuation or white space.
    Not counted is a key with white space behind its quote: then there are too few.
    """
    sent = np.frombuffer(text, dtype=np.uint8)
    before = np.flatnonzero((sent[1:-1] == QUOTE) & (sent[2:] == COLON))
    return int(np.count_nonzero(IN_NAMES[sent[before]]))

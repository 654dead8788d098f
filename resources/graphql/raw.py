"""JSON that is not decoded yet: rows stay bytes of the answer until Arrow reads them.

msgspec checks the grammar of what it leaves alone, and Arrow that it is UTF-8.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cache
from typing import TypedDict

import msgspec
import numpy as np
import pyarrow as pa

from resources.errors import QueryError

DECODER = msgspec.json.Decoder(float_hook=Decimal)  # as many digits as were sent
UNDECODABLE = (
    msgspec.DecodeError,
    UnicodeDecodeError,
    ArithmeticError,  # a number beyond what a Decimal holds
    RecursionError,  # nested deeper than JSON is read
)
BRACE = ord("{")
NULL = msgspec.Raw(b"null")

Fields = dict[str, msgspec.Raw]
FIELDS = msgspec.json.Decoder(Fields)


class RawRow(Mapping[str, object]):
    """An object as it was sent; a field is decoded when it is looked at."""

    __slots__ = ("_fields", "raw")

    def __init__(self, raw: msgspec.Raw) -> None:
        self.raw = raw
        self._fields: Fields | None = None

    @property
    def fields(self) -> Fields:
        """The values as they were sent, by their names."""
        if self._fields is None:
            self._fields = FIELDS.decode(self.raw)
        return self._fields

    def __getitem__(self, key: str) -> object:
        """Decode one field."""
        return _read(self.fields[key])

    def __iter__(self) -> Iterator[str]:
        """Give the names of the fields."""
        return iter(self.fields)

    def __len__(self) -> int:
        """Count the fields."""
        return len(self.fields)

    def __eq__(self, other: object) -> bool:
        """Compare the values, however they are written; the first that differs is mostly the first of all."""
        if not isinstance(other, RawRow):
            return super().__eq__(other)
        if self.raw == other.raw:
            return True
        mine, theirs = self.fields, other.fields
        return mine.keys() == theirs.keys() and all(self[key] == other[key] for key in mine)

    __hash__ = None  # type: ignore[assignment]

    def whole(self) -> Mapping[str, object]:
        """Decode all of it; raises one of UNDECODABLE for a number that nothing holds."""
        row: Mapping[str, object] = DECODER.decode(self.raw)
        return row


def opened(value: object) -> object:
    """Give an object as a RawRow, and all else that is raw decoded."""
    if not isinstance(value, msgspec.Raw):
        return value
    return RawRow(value) if memoryview(value)[0] == BRACE else _read(value)


def field_of(row: Mapping[str, object], name: str) -> object:
    """Give one field, None where there is none; of a RawRow it alone is read, in half the time of all."""
    if not isinstance(row, RawRow):
        return row.get(name)
    raw = _one_field(name).decode(row.raw).get(name)
    return None if raw is None else _read(raw)


@cache
def _one_field(name: str) -> "msgspec.json.Decoder[Fields]":
    return msgspec.json.Decoder(TypedDict("Field", {name: msgspec.Raw}, total=False))  # type: ignore


def _read(raw: msgspec.Raw) -> object:
    try:
        return DECODER.decode(raw)
    except UNDECODABLE:
        raise QueryError("the server answered with a number that is beyond all that can be kept") from None


def decoded(body: bytes, type_: type | None) -> object:
    """Decode a whole answer, into a type that leaves some of it raw where it is of that type."""
    if type_ is not None:
        with suppress(msgspec.ValidationError):
            answer = _decoder(type_).decode(body)
            _require_utf8(body)
            return answer
    return DECODER.decode(body)


def _require_utf8(body: bytes) -> None:
    """Refuse what is not UTF-8, as msgspec does in what it decodes; Arrow sees it much faster than Python."""
    try:
        as_array(body, pa.large_string()).validate(full=True)
    except pa.ArrowInvalid as error:
        raise msgspec.DecodeError(str(error)) from None


def as_array(text: bytes, type_: pa.DataType) -> pa.Array:
    """Give a whole text as an array of one value, without copying or importing pandas, as pa.array does."""
    ends = pa.py_buffer(np.array([0, len(text)], np.int64))
    return pa.Array.from_buffers(type_, 1, [None, ends, pa.py_buffer(text)])


def answer_type(data: object) -> type:
    """Give the type of an answer whose data is of some type; it may lack any part."""
    fields = {"data": data, "errors": object, "extensions": object}
    return TypedDict("Answer", fields, total=False)  # type: ignore


@cache
def _decoder(type_: type) -> "msgspec.json.Decoder[object]":
    return msgspec.json.Decoder(type_, float_hook=Decimal)


LOOKUPS = answer_type(Fields | None)  # by alias, each left raw

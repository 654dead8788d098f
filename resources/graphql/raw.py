"""JSON that is not decoded yet: rows stay bytes of the answer until Arrow reads them.

msgspec checks the grammar of what it leaves alone; the gate has seen to it that it is UTF-8.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cache

import msgspec

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
        return DECODER.decode(self.fields[key])

    def __iter__(self) -> Iterator[str]:
        """Give the names of the fields."""
        return iter(self.fields)

    def __len__(self) -> int:
        """Count the fields."""
        return len(self.fields)

    def whole(self) -> Mapping[str, object]:
        """Decode all of it; raises one of UNDECODABLE for a number that nothing holds."""
        row: Mapping[str, object] = DECODER.decode(self.raw)
        return row


def opened(value: object) -> object:
    """Give an object as a RawRow, and all else that is raw decoded."""
    if not isinstance(value, msgspec.Raw):
        return value
    return RawRow(value) if memoryview(value)[0] == BRACE else DECODER.decode(value)


def fields_of(value: object) -> Fields | None:
    """Give the fields of an object as they were sent; None where it is no raw object."""
    if not (isinstance(value, msgspec.Raw) and memoryview(value)[0] == BRACE):
        return None
    return FIELDS.decode(value)


def decoded(raw: msgspec.Raw, type_: type | None) -> object:
    """Decode, into a type that leaves some of it raw where it is of that type."""
    if type_ is not None:
        with suppress(msgspec.ValidationError):
            return _decoder(type_).decode(raw)
    return DECODER.decode(raw)


@cache
def _decoder(type_: type) -> "msgspec.json.Decoder[object]":
    return msgspec.json.Decoder(type_, float_hook=Decimal)

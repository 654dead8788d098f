"""Values of leaves, one by one: as they were sent, or refused.

Numbers with a point or an exponent are Decimals, as the decoder gives them.
"""

import math
import re
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import partial

import msgspec
import pyarrow as pa

from resources.graphql.columns import Kept

INTEGER = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
ENCODER = msgspec.json.Encoder(decimal_format="number")
BEYOND_64_BITS = 2**64
EXACT_INTEGER = 2**53  # from here on a double cannot hold every integer

Read = Callable[[object], object]


def reader(kept: Kept) -> Read:
    """Give the function that reads one value for Arrow; it raises ValueError."""
    if pa.types.is_decimal(kept.arrow):
        return partial(_decimal, arrow=kept.arrow)
    return READERS[kept.word]


def _text(value: object) -> str:
    """Text as it is; a number, as some servers send an ID, by its digits."""
    match value:
        case str():
            return value
        case bool():
            raise ValueError
        case int() | Decimal():
            return str(value)
        case _:
            raise ValueError


def _json_text(value: object) -> str:
    """Text as it is; anything else as JSON."""
    return value if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    try:
        return ENCODER.encode(value).decode()
    except RecursionError:
        raise ValueError("nested too deep") from None


def _integer(value: object) -> int:
    match value:
        case bool():
            raise ValueError
        case int():
            return value
        case Decimal() if -BEYOND_64_BITS < value < BEYOND_64_BITS and value == value.to_integral_value():
            return int(value)
        case str() if INTEGER.fullmatch(value):
            return int(value)
        case _:
            raise ValueError


def _float(value: object) -> float:
    """Give the nearest double, unless the digits that were sent would not come back from it."""
    try:
        number = _number(value)
        double = float(number)
    except ArithmeticError:
        raise ValueError from None
    if math.isinf(double) or not _is_kept(number, double):
        raise ValueError
    return double


def _is_kept(number: Decimal, double: float) -> bool:
    """Say whether a double is the number; only a fraction may be rounded, and not to zero.

    Doubles have more digits than servers write, as in 1e23 or 123456789012345680000: the shortest that lead
    back to it, or 17.
    """
    if 0 < abs(double) < EXACT_INTEGER:
        return True
    return number in (Decimal(double), Decimal(repr(double)), Decimal(f"{double:.16e}"))


def _decimal(value: object, *, arrow: pa.DataType) -> Decimal:
    """Give the number with the type's digits, none of them rounded away; Arrow itself may get that wrong."""
    context = Context(prec=arrow.precision, traps=[Inexact, InvalidOperation])
    try:
        return _number(value).quantize(Decimal(1).scaleb(-arrow.scale), context=context)
    except ArithmeticError:
        raise ValueError from None


def _number(value: object) -> Decimal:
    match value:
        case bool():
            raise ValueError
        case int() | Decimal():
            return Decimal(value)
        case str() if NUMBER.fullmatch(value):
            return Decimal(value)
        case _:
            raise ValueError


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError


def _exactly_text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError


def kind_of(value: object) -> str:
    """Describe a value without showing it: it may be personal."""
    match value:
        case str():
            return f"a text of {len(value)} characters"
        case bool():
            return "a boolean"
        case int() | Decimal():
            return "a number"
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            return "null"


READERS: dict[str, Read] = {
    "text": _text,
    "enum": _text,
    "unknown": _json_text,
    "json": _json,  # a text in it is JSON too, so it keeps its quotes
    "int64": _integer,
    "float64": _float,
    "bool": _boolean,
    **dict.fromkeys(("date", "time", "timestamp", "local timestamp"), _exactly_text),
}

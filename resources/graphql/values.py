"""Values of leaves, one by one: as they were sent, or refused with the setting that may help."""

import math
import re
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import partial

import msgspec
import pyarrow as pa

from resources.graphql.columns import Scalar

INTEGER = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
ENCODER = msgspec.json.Encoder(decimal_format="number")
BEYOND_64_BITS = 2**64
EXACT_INTEGER = 2**53  # a float beyond it may have lost digits

Read = Callable[[object], object]


def reader(type_: Scalar) -> Read:
    """Give the function that reads one value for Arrow; it raises ValueError."""
    if pa.types.is_decimal(type_.arrow):
        return partial(_decimal, arrow=type_.arrow)
    return READERS[type_.kept.word]


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
        case float():
            return Decimal(repr(value))
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
        case int() | float() | Decimal():
            return "a number"
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            return "null"


def misfit_reason(value: object, type_: Scalar) -> str:
    """Say what does not fit, and which setting keeps such values if the server means them."""
    reason = f"{kind_of(value)} does not fit {type_.name} ({type_.arrow})"
    words = _words(value, type_)
    if not words:
        return reason
    settings = " or ".join(f"{type_.name}={word}" for word in words)
    return f"{reason}; if the server means it so, scalars (TARGETDATA_SCALARS) with {settings} keeps it"


def _words(value: object, type_: Scalar) -> tuple[str, ...]:
    word = type_.kept.word
    match value:
        case _ if word in ("enum", "json", "unknown"):
            return ()
        case bool() | dict() | list():
            return ("json",)
        case int() | float() | Decimal() if pa.types.is_temporal(type_.arrow):
            return ("int64",)
        case _:
            return OTHER_WORDS.get(word, ("text",))


OTHER_WORDS = {
    "text": (),
    "int64": ("text", "decimal(38,0)"),
    "decimal": ("text", "decimal(p,s) with more digits"),
    "date": ("text", "timestamp"),
    "timestamp": ("text", "local timestamp"),
    "local timestamp": ("text", "timestamp"),
}
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

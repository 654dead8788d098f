"""Advice: which setting keeps a value that does not fit, found by trying it."""

from decimal import Decimal

from graphql import specified_scalar_types

from resources.graphql.columns import Scalar
from resources.graphql.decoding.cells import holds
from resources.graphql.decoding.values import kind_of
from resources.graphql.scalars import kept_as

TIMES = ("date", "time", "timestamp", "local timestamp")
FRACTIONS = ("decimal(38,9)", "decimal(38,18)", "decimal(38,28)")
DECIMALS = ("decimal(38,0)", *FRACTIONS)
NOT_CONFIGURED = frozenset({"enum", "json", "unknown"})  # these refuse what nothing else could keep


def misfit_reason(value: object, type_: Scalar) -> str:
    """Say what does not fit, and which setting keeps such values if the server means them."""
    reason = f"{kind_of(value)} does not fit {type_.name} ({type_.arrow})"
    words = [] if type_.kept.word in NOT_CONFIGURED else _words(value)
    if not words:
        return reason
    settings = " or ".join(f"{type_.field or type_.name}={word}" for word in words)
    setting = f"scalars (TARGETDATA_SCALARS or GRAPHQL_SCALARS) with {settings}"
    advice = f"if the server means it so, {setting} keeps it"
    is_own = type_.field and type_.name not in specified_scalar_types
    return f"{reason}; {advice}" + (f" ({type_.name}=… for all of its fields)" if is_own else "")


def _words(value: object) -> list[str]:
    """Give the words that keep a value, from the one that says most of it to the one that takes anything."""
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        return _fitting(value, "bool", "json")
    exact = _fitting(value, *TIMES, "int64")[:1] or _fitting(value, *DECIMALS)[:1]
    floats = _fitting(value, "float64") if exact and exact[0] in FRACTIONS and _is_double(value) else []
    return [*exact, *floats, *_fitting(value, "text")]


def _is_double(value: str | int | Decimal) -> bool:
    """Say whether a number has the digits by which a double is written, so that none is rounded away."""
    return Decimal(repr(float(value))) == Decimal(value)


def _fitting(value: object, *words: str) -> list[str]:
    return [word for word in words if (kept := kept_as(word)) and holds(kept, value)]

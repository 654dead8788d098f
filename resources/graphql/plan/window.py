"""Windows: the two variables that bound a query in time, filled from a partition."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import pyarrow as pa
from graphql import GraphQLError, OperationDefinitionNode, print_ast

from resources.errors import ConfigurationError
from resources.graphql.columns import TIMESTAMP, Scalar, snake_case
from resources.graphql.scalars import UNKNOWN, Scalars

BOUNDS = (
    ("from", "to"),
    ("since", "until"),
    ("start", "end"),
    ("begin", "end"),
    ("after", "before"),
    ("gte", "lt"),
)
ALONE = frozenset({"after", "before"})  # as whole names these are cursors
INSTANTS = re.compile(r"timestamptz|\w*DateTime(Utc|ISO)?", re.IGNORECASE)
DATES = re.compile(r"(ISO8601|AWS|Local)?Date", re.IGNORECASE)

Kind = Literal["instant", "date"]


@dataclass(frozen=True, slots=True)
class Window:
    """Two variables and what each is: from `start` on, and before `end`."""

    start: str
    end: str
    start_kind: Kind
    end_kind: Kind

    @property
    def names(self) -> tuple[str, str]:
        """Both variables."""
        return self.start, self.end

    def values(self, start: datetime, end: datetime) -> dict[str, object]:
        """Give the variables their values for a stretch of time, both with a time zone."""
        return {self.start: _written(start, self.start_kind), self.end: _written(end, self.end_kind)}


def _written(moment: datetime, kind: Kind) -> str:
    """Write `2026-11-22T00:00:00Z`, or `2026-11-22` where the type has days only."""
    if moment.tzinfo is None:
        raise ConfigurationError("a window's start and end need a time zone")
    if kind == "instant":
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if moment.time() != moment.min.time():
        raise ConfigurationError(
            f"the query's window has days only, and {moment.isoformat()} is within one: use daily partitions "
            "or variables of a type with a time"
        )
    return moment.date().isoformat()


def temporal(scalar: Scalar) -> Kind | None:
    """Say what a scalar holds, if it is a time in ISO 8601: as it is kept, or by its name."""
    is_unknown = scalar.kept == UNKNOWN
    if scalar.arrow == TIMESTAMP or (is_unknown and INSTANTS.fullmatch(scalar.name)):
        return "instant"
    return "date" if scalar.arrow == pa.date32() or (is_unknown and DATES.fullmatch(scalar.name)) else None


def infer_window(
    operation: OperationDefinitionNode,
    chosen: tuple[str, str] | None,
    keys: Collection[str],
    scalars: Scalars,
) -> Window | None:
    """Find the two variables of a window; texts that are all of a lookup's keys are none."""
    types = {d.variable.name.value: print_ast(d.type).rstrip("!") for d in operation.variable_definitions}
    if chosen is not None and (unknown := [name for name in chosen if name not in types]):
        raise GraphQLError(f"the window's variable {', '.join(unknown)} is not in the query", operation)
    pair = chosen or _pair(types)
    if pair is None:
        return None
    timed = all(temporal(scalars.scalar(types[name])) for name in pair)
    if chosen is None and keys and set(keys) <= set(pair) and not timed:
        return None
    start, end = (_kind(name, types[name], operation, scalars) for name in pair)
    return Window(*pair, start, end)


def _pair(types: Mapping[str, str]) -> tuple[str, str] | None:
    """Find two variables whose names differ in a bound only, as in changedFrom and changedTo."""
    names = {snake_case(name): name for name in types}
    for words in (name.split("_") for name in names):
        for low, high in BOUNDS:
            other = "_".join(high if word == low else word for word in words)
            if low in words and other in names and not (len(words) == 1 and low in ALONE):
                return names["_".join(words)], names[other]
    return None


def _kind(name: str, type_name: str, operation: OperationDefinitionNode, scalars: Scalars) -> Kind:
    kind: Kind | None = "instant" if type_name == "String" else temporal(scalars.scalar(type_name))
    if kind is None:
        raise GraphQLError(
            f"${name} is {type_name}, and a window needs a DateTime, a Date or a String; if it is the bound "
            "of something else, give the variable another name",
            operation,
        )
    return kind

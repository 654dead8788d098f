"""Windows: the two variables that bound a query in time, filled from a partition."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

import pyarrow as pa
from graphql import GraphQLError, OperationDefinitionNode

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
# What is bounded, where it is certainly no time, as in startCursor and endCursor.
NO_TIMES = frozenset({"cursor", "token", "page", "offset", "position", "index", "row", "id", "key", "number"})
NO_TIMES |= {
    "version",
    "code",
    "address",
    "airport",
    "station",
    "city",
    "country",
    "currency",
    "price",
    "amount",
}
INSTANTS = re.compile(r"timestamptz|\w*DateTime(Utc|ISO)?", re.IGNORECASE)
DATES = re.compile(r"(ISO8601|AWS|Local)?Date", re.IGNORECASE)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Form = Literal["instant", "date", "local", "seconds", "milliseconds"]
FORMS: tuple[Form, ...] = get_args(Form)
UNITS: dict[Form, timedelta] = {"seconds": timedelta(seconds=1), "milliseconds": timedelta(milliseconds=1)}


@dataclass(frozen=True, slots=True)
class Window:
    """Two variables that bound a query in time: from `start` on, and before `end`.

    `form` is how both are written: `instant` in UTC (`2026-11-22T00:00:00Z`), `date` (`2026-11-22`), `local`
    (`2026-11-22T00:00:00`), the wall time in the partition's own zone, or `seconds` or `milliseconds` since
    1970, as numbers. Without it the variables' types decide.
    """

    start: str
    end: str
    form: Form | None = None

    @property
    def names(self) -> tuple[str, str]:
        """Both variables."""
        return self.start, self.end

    def values(self, start: datetime, end: datetime) -> dict[str, object]:
        """Give the variables their values for a stretch of time, both with a time zone."""
        form = self.form or "instant"
        return {self.start: _written(start, form), self.end: _written(end, form)}


def _written(moment: datetime, form: Form) -> object:
    """Write one bound; what the form cannot hold is refused."""
    if moment.tzinfo is None:
        raise ConfigurationError("a window's start and end need a time zone")
    match form:
        case "instant":
            return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case "local":
            return moment.replace(tzinfo=None).isoformat()
        case "date":
            return _day(moment)
    number, rest = divmod(moment - EPOCH, UNITS[form])
    if rest:
        raise ConfigurationError(f"the query's window has {form}, and {moment.isoformat()} is between two")
    return number


def _day(moment: datetime) -> str:
    if moment.time() != moment.min.time():
        raise ConfigurationError(
            f"the query's window has days only, and {moment.isoformat()} is within one: use daily partitions "
            "or variables of a type with a time"
        )
    return moment.date().isoformat()


def temporal(scalar: Scalar) -> Form | None:
    """Say what a scalar holds, if it is a time in ISO 8601: as it is kept, or by its name."""
    is_unknown = scalar.kept == UNKNOWN
    if scalar.arrow == TIMESTAMP or (is_unknown and INSTANTS.fullmatch(scalar.name)):
        return "instant"
    if scalar.arrow == pa.timestamp("us"):
        return "local"
    return "date" if scalar.arrow == pa.date32() or (is_unknown and DATES.fullmatch(scalar.name)) else None


def infer_window(
    operation: OperationDefinitionNode,
    chosen: Window | tuple[str, str] | None,
    keys: Collection[str],
    scalars: Scalars,
) -> Window | None:
    """Find the two variables of a window; texts that are all of a lookup's keys are none."""
    types = {d.variable.name.value: scalars.of_variable(d) for d in operation.variable_definitions}
    if chosen is not None:
        window = chosen if isinstance(chosen, Window) else Window(*chosen)
        if unknown := [name for name in window.names if name not in types]:
            raise GraphQLError(f"the window's variable {', '.join(unknown)} is not in the query", operation)
        return _formed(window, types, operation)
    pairs = list(_pairs(types))
    timed = [pair for pair in pairs if all(temporal(types[name]) for name in pair)]
    found = timed or [pair for pair in pairs if not keys or not set(keys) <= set(pair)]
    if len(found) > 1:
        options = " or ".join(f'window=("{start}", "{end}")' for start, end in found)
        raise GraphQLError(
            f"which variables bound the query in time? Say it in Query.load: {options}", operation
        )
    return _formed(Window(*found[0]), types, operation) if found else None


def _pairs(types: Mapping[str, Scalar]) -> Iterator[tuple[str, str]]:
    """Give the variables, two by two, whose names differ in a bound only, as in changedFrom and changedTo."""
    names = {snake_case(name): name for name in types}
    for words in (name.split("_") for name in names):
        for low, high in BOUNDS:
            other = "_".join(high if word == low else word for word in words)
            if low in words and other in names and not (len(words) == 1 and low in ALONE):
                pair = names["_".join(words)], names[other]
                bounded = [word for word in words if word != low]
                is_time = not bounded or bounded[-1] not in NO_TIMES
                if is_time or all(temporal(types[name]) for name in pair):
                    yield pair


def _formed(window: Window, types: Mapping[str, Scalar], operation: OperationDefinitionNode) -> Window:
    """Find the form that both variables take, or refuse the one that the user chose for them."""
    if window.form not in (None, *FORMS):
        raise GraphQLError(f"a window's form is one of {', '.join(FORMS)}, not {window.form}", operation)
    start, end = (window.form or _form(name, types[name], window, operation) for name in window.names)
    if start != end:
        raise GraphQLError(
            f"a window has one form, and ${window.start} has that of {start}, ${window.end} that of {end}",
            operation,
        )
    for name in window.names:
        if not _takes(types[name], start):
            raise GraphQLError(f"${name} is {types[name].name}, which does not hold {start}", operation)
    return replace(window, form=start)


def _form(name: str, type_: Scalar, window: Window, operation: OperationDefinitionNode) -> Form:
    form: Form | None = "instant" if type_.name == "String" else temporal(type_)
    if form:
        return form
    ways = []
    if _takes(type_, "local"):
        words = " or ".join(f"{type_.name}={word}" for word in ("timestamp", "local timestamp", "date"))
        ways.append(f"what the scalar is, as in {words} (scalars, TARGETDATA_SCALARS or GRAPHQL_SCALARS)")
    if _takes(type_, "seconds"):
        ways.append(f'its form, as in window=Window("{window.start}", "{window.end}", "seconds")')
    way_out = f"; if it is a time, say {', or '.join(ways)}" if ways else ""
    raise GraphQLError(
        f"${name} is {type_.name}, and a window needs a DateTime, a Date or a String{way_out}; if it is the "
        "bound of something else, give the variable another name",
        operation,
    )


def _takes(type_: Scalar, form: Form) -> bool:
    """Say whether a variable of this type can have a bound of this form; Int has 32 bits in GraphQL."""
    kept, is_open = type_.arrow, type_.kept == UNKNOWN
    if form not in UNITS:
        return is_open or bool(pa.types.is_temporal(kept) or pa.types.is_string(kept))
    is_number = pa.types.is_integer(kept) or pa.types.is_floating(kept) or pa.types.is_decimal(kept)
    return (is_open or bool(is_number)) and not (type_.name == "Int" and form == "milliseconds")

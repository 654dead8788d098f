"""A person who is to be erased: all that names them, and which rows of a table are theirs."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from resources.graphql.columns import column_name
from resources.graphql.tables import LOOKUPS
from resources.privacy.suppression import Suppression

IDENTITY = "identity"  # the column of lookups
Values = Mapping[str, frozenset[str]]  # by column


@dataclass(frozen=True, slots=True, repr=False)
class Rule:
    """Which rows of a table are a person's: those with one of their identities; where a row has none at
    all, or the table no such column, those with one of their keys.

    So a row of somebody else stays that shares a key with them, such as a device.
    """

    identities: Values
    keys: Values

    @property
    def columns(self) -> list[str]:
        """The columns that tell."""
        return [*self.identities, *self.keys]

    def marks(self, rows: pa.RecordBatch) -> pa.Array:
        """Mark the person's rows."""
        none = pa.repeat(pa.scalar(False), rows.num_rows)
        by_key = reduce(pc.or_, [among(rows.column(name), self.keys[name]) for name in self.keys], none)
        if not self.identities:
            return by_key
        own = [rows.column(name) for name in self.identities]
        anonymous = reduce(pc.and_, [pc.is_null(column) for column in own])
        found = [among(rows.column(name), self.identities[name]) for name in self.identities]
        return reduce(pc.or_, found, pc.and_(anonymous, by_key))


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """One person, or several that one command erases.

    `identities` and `keys` are values by column; `names` are all kinds and values as others write them, also
    of identifiers that are no column. `identified` is the identity's column of each keyed extract of the
    lake, empty where it has a row for each key.
    """

    identities: Values = field(default_factory=dict)
    keys: Values = field(default_factory=dict)
    names: frozenset[tuple[str, str]] = frozenset()
    identified: Mapping[str, str] = field(default_factory=dict)

    def and_(self, other: "Person") -> "Person":
        """Put two together."""
        return Person(
            merged(self.identities, other.identities),
            merged(self.keys, other.keys),
            self.names | other.names,
            {**self.identified, **other.identified},
        )

    @property
    def kinds(self) -> list[str]:
        """What is known of them, without a value."""
        return sorted({kind for kind, _ in self.suppressed()})

    @property
    def values(self) -> frozenset[str]:
        """All values that name them, whatever their kind."""
        return frozenset(value for _, value in self.suppressed())

    def suppressed(self) -> Iterator[tuple[str, str]]:
        """Give the kinds and values that are to be on the suppression list, in either spelling."""
        for column, values in (*self.identities.items(), *self.keys.items()):
            for value in values:
                yield column, value
        for kind, value in self.names:
            yield kind, value
            yield column_name(kind), value

    def kind_of(self, table: str, column: str) -> str:
        """Name what a column's values are: those of the lookups' identity are their extract's identities."""
        if column == IDENTITY and table.endswith(LOOKUPS):
            return self.identified.get(table.removesuffix(LOOKUPS), "")
        return column

    def listed(self, suppression: Suppression, kind: str, values: pa.Array | pa.ChunkedArray) -> "Person":
        """Give whom of some values of a kind a suppression list holds: by identity, or by key."""
        found = {kind: texts(values.filter(suppression.holds(kind, values)))}
        return Person(found) if kind in self.identified.values() else Person(keys=found)

    def rule(self, table: str, schema: pa.Schema) -> Rule | None:
        """Tell their rows in a table of the lake or a warehouse; None where no column names anybody."""
        known = {column.name for column in schema if is_name(column.type)}
        if table.endswith(LOOKUPS):
            column = self.identified.get(table.removesuffix(LOOKUPS))
            own = {IDENTITY: self.identities.get(column, frozenset())} if column else {}
        elif self.identified.get(table) == "":  # a row for each key, as among its lookups
            own = {}
        else:
            columns = {*self.identified.values(), *self.identities} & known
            own = {name: self.identities.get(name, frozenset()) for name in sorted(columns)}
        keys = {name: values for name, values in self.keys.items() if name in known and name not in own}
        return Rule(own, keys) if own or keys else None


def is_name(type_: pa.DataType) -> bool:
    """Say whether values of a type may name a person."""
    return bool(pt.is_string(type_) or pt.is_large_string(type_) or pt.is_integer(type_))


def among(column: pa.Array | pa.ChunkedArray, values: Collection[str]) -> pa.Array:
    """Mark those that are one of some values, which are texts; null is none."""
    if not pt.is_integer(column.type):
        return pc.is_in(column, value_set=pa.array(sorted(values), column.type))
    return pc.is_in(column.cast(pa.string()), value_set=pa.array(sorted(values), pa.string()))


def texts(column: pa.Array | pa.ChunkedArray) -> frozenset[str]:
    """Give the different values of a column as texts."""
    return frozenset(column.drop_null().unique().cast(pa.string()).to_pylist())


def merged(first: Values, second: Values) -> dict[str, frozenset[str]]:
    """Put values by column together."""
    return {
        name: first.get(name, frozenset()) | second.get(name, frozenset()) for name in {**first, **second}
    }

"""The shape of a table: Arrow types that follow from a GraphQL schema and a selection."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")

SCALARS: dict[str, pa.DataType] = {
    "String": pa.string(),
    "ID": pa.string(),
    "Int": pa.int64(),
    "Float": pa.float64(),
    "Boolean": pa.bool_(),
    "Instant": TIMESTAMP,
    "DateTime": TIMESTAMP,
    "OffsetDateTime": TIMESTAMP,
    "Date": pa.date32(),
    "Long": pa.int64(),
    "BigInt": pa.int64(),
}


@dataclass(frozen=True, slots=True)
class Scalar:
    """A leaf; `name` is its GraphQL type."""

    name: str

    @property
    def arrow(self) -> pa.DataType:
        """Text for a scalar that is not known."""
        return SCALARS.get(self.name, pa.string())


@dataclass(frozen=True)
class ListOf:
    """A list of anything."""

    item: "ColumnType"

    @cached_property
    def arrow(self) -> pa.DataType:
        """A list of the item's type."""
        return pa.list_(self.item.arrow)


@dataclass(frozen=True)
class Struct:
    """An object with the selected fields."""

    fields: tuple["Column", ...]

    @cached_property
    def arrow(self) -> pa.DataType:
        """A struct of the fields' types."""
        return pa.struct([column.field for column in self.fields])


ColumnType = Scalar | ListOf | Struct


@dataclass(frozen=True)
class Column:
    """A selected field: `key` in the answer, `name` in the table."""

    key: str
    type: ColumnType

    @cached_property
    def name(self) -> str:
        """The response name in snake_case."""
        return snake_case(self.key)

    @cached_property
    def field(self) -> pa.Field:
        """The Arrow field; every column may be null, so that a table's schema never depends on its data."""
        return pa.field(self.name, self.type.arrow)


def snake_case(name: str) -> str:
    """Turn `profileId` into `profile_id` and `URLPath` into `url_path`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def column_name(text: str) -> str:
    """Turn any name, such as `customer-id`, into that of a column: `customer_id`."""
    return re.sub(r"\W+", "_", snake_case(text)).strip("_")


def unknown_scalars(columns: tuple[Column, ...]) -> set[str]:
    """Name the scalars that are written as text because nothing is known of them."""
    found: set[str] = set()
    visit_scalars(columns, lambda scalar: found.add(scalar.name))
    return {name for name in found if name not in SCALARS}


def visit_scalars(columns: tuple[Column, ...], visit: Callable[[Scalar], None]) -> None:
    """Call for every leaf, at any depth."""
    for column in columns:
        type_ = column.type
        while isinstance(type_, ListOf):
            type_ = type_.item
        if isinstance(type_, Struct):
            visit_scalars(type_.fields, visit)
        else:
            visit(type_)

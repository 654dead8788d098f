"""The shape of a table: Arrow types that follow from a GraphQL schema and a selection."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")

TypeNames = frozenset[str] | None  # of objects at one level; None for all, those that are not known too
Levels = tuple[TypeNames, ...]  # from the row down to the object


@dataclass(frozen=True, slots=True)
class Kept:
    """How a scalar's values are kept: the word for it in a configuration, and the Arrow type."""

    word: str
    arrow: pa.DataType


@dataclass(frozen=True, slots=True)
class Scalar:
    """A leaf; `name` is its GraphQL type, `field` where it is selected, as in `Person.birthday`."""

    name: str
    kept: Kept
    field: str = ""

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type that it is kept as."""
        return self.kept.arrow


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
    """An object with the selected fields; of several types, with the fields of all of them."""

    fields: tuple["Column", ...]

    @cached_property
    def arrow(self) -> pa.DataType:
        """A struct of the fields' types."""
        return pa.struct([column.field for column in self.fields])


ColumnType = Scalar | ListOf | Struct


@dataclass(frozen=True)
class Column:
    """A selected field: `key` in the answer, `name` in the table.

    `only_on` is None where every object has the field. Where fragments select it, it says on which: those
    whose `__typename`, and those of the objects around them, fit one of the alternatives.
    """

    key: str
    type: ColumnType
    only_on: tuple[Levels, ...] | None = None

    @cached_property
    def name(self) -> str:
        """The response name in snake_case."""
        return snake_case(self.key)

    @cached_property
    def field(self) -> pa.Field:
        """The Arrow field; every column may be null, so that a table's schema never depends on its data."""
        return pa.field(self.name, self.type.arrow)

    @cached_property
    def varies(self) -> bool:
        """Whether objects may lack the field, or a field below it, because of their type."""
        inner = innermost(self.type)
        below = isinstance(inner, Struct) and any(column.varies for column in inner.fields)
        return self.only_on is not None or below


def innermost(type_: ColumnType) -> Scalar | Struct:
    """Give what a list, or a list of lists, is a list of."""
    while isinstance(type_, ListOf):
        type_ = type_.item
    return type_


def snake_case(name: str) -> str:
    """Turn `profileId` into `profile_id` and `URLPath` into `url_path`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def column_name(text: str) -> str:
    """Turn any name, such as `customer-id`, into that of a column: `customer_id`."""
    return re.sub(r"\W+", "_", snake_case(text)).strip("_")


def column_of(columns: Sequence[Column], key: str | None) -> Column | None:
    """Find a column by its response name."""
    return next((column for column in columns if column.key == key), None)


def every_column(columns: tuple[Column, ...]) -> Iterator[Column]:
    """Give the columns and the fields below them, at any depth."""
    for column in columns:
        yield column
        inner = innermost(column.type)
        if isinstance(inner, Struct):
            yield from every_column(inner.fields)


def every_scalar(columns: tuple[Column, ...]) -> Iterator[Scalar]:
    """Give the leaves, at any depth."""
    for column in every_column(columns):
        inner = innermost(column.type)
        if isinstance(inner, Scalar):
            yield inner


def repeated(names: Sequence[str]) -> list[str]:
    """Give the names that are there more than once, each once, in their order."""
    return [name for name, number in Counter(names).items() if number > 1]

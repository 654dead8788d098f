"""Nested tables of any shape, and what a plain reading of their rows makes of them: flat ones."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa
import pyarrow.types as pt
from hypothesis import strategies as st

from resources.graphql.tables import FETCHED_AT

Row = Mapping[str, object]
Tables = dict[str, list[dict[str, object]]]
ID = pa.field("id", pa.string())
AT = datetime(2026, 11, 22, 5, tzinfo=UTC)
NAMES = st.sampled_from(["a", "b", "c", "d", "e", "a_b", "b__c", "id", "value", "position", "fetched_at"])
PLAIN: dict[pa.DataType, st.SearchStrategy[object]] = {
    pa.string(): st.text(max_size=3),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.bool_(): st.booleans(),
    pa.float64(): st.floats(allow_nan=False),
}


def _struct(fields: Mapping[str, pa.DataType]) -> pa.DataType:
    return pa.struct([pa.field(name, type_) for name, type_ in fields.items()])


def _nested(types: st.SearchStrategy[pa.DataType]) -> st.SearchStrategy[pa.DataType]:
    structs = st.dictionaries(NAMES, types, min_size=1, max_size=3).map(_struct)
    return st.one_of(structs, types.map(pa.list_), structs.map(pa.list_))


TYPES = st.recursive(st.sampled_from(list(PLAIN)), _nested, max_leaves=6)
OWN_NAMES = NAMES.filter(lambda name: name not in (ID.name, FETCHED_AT.name))


@st.composite
def schemas(draw: st.DrawFn) -> pa.Schema:
    """Draw the columns of a table, with an identity and the time of each row."""
    own = draw(st.dictionaries(OWN_NAMES, TYPES, min_size=1, max_size=3))
    return pa.schema([ID, *(pa.field(name, type_) for name, type_ in own.items()), FETCHED_AT])


def values(type_: pa.DataType) -> st.SearchStrategy[object]:
    """Draw values of a type, null at any level."""
    if pt.is_struct(type_):
        own = st.fixed_dictionaries({field.name: values(field.type) for field in type_})
    elif pt.is_list(type_):
        own = st.lists(values(type_.value_type), max_size=3)
    else:
        own = PLAIN[type_]
    return st.none() | own


@st.composite
def tables(draw: st.DrawFn, schema: pa.Schema, *, max_size: int = 6) -> pa.Table:
    """Draw rows, each with an identity."""
    inner = [field for field in schema if field not in (ID, FETCHED_AT)]
    row = st.fixed_dictionaries({field.name: values(field.type) for field in inner})
    rows = draw(st.lists(row, max_size=max_size))
    given = [{"id": str(n), "fetched_at": AT, **row} for n, row in enumerate(rows)]
    return pa.Table.from_pylist(given, schema=schema)


@st.composite
def fewer(draw: st.DrawFn, fields: pa.Schema | pa.StructType) -> list[pa.Field]:
    """Draw some of the fields, in any depth, as an older file has them; the identity and the time stay."""
    kept = [f for f in fields if f in (ID, FETCHED_AT) or draw(st.integers(0, 3))]
    return [pa.field(f.name, draw(_fewer(f.type))) for f in kept or [fields[0]]]


@st.composite
def _fewer(draw: st.DrawFn, type_: pa.DataType) -> pa.DataType:
    if pt.is_struct(type_):
        return pa.struct(draw(fewer(type_)))
    return pa.list_(draw(_fewer(type_.value_type))) if pt.is_list(type_) else type_


class Cell(NamedTuple):
    name: str
    type: pa.DataType
    value: object


class Element(NamedTuple):
    """A row of the main table or of a list: what it is of, and what it is."""

    of: dict[str, object]
    value: object
    at: object


def cells(fields: Sequence[pa.Field] | pa.Schema | pa.StructType, value: object) -> Iterator[Cell]:
    """Take structs apart."""
    for field in fields:
        own = value.get(field.name) if isinstance(value, dict) else None
        if pt.is_struct(field.type):
            for below in cells(field.type, own):
                yield below._replace(name=f"{field.name}_{below.name}")
        else:
            yield Cell(field.name, field.type, own)


def read_plainly(name: str, table: pa.Table, schema: pa.Schema | None = None) -> Tables:
    """Read a table, and each of its lists, as the rows of flat ones."""
    rows = [Element({}, row, row["fetched_at"]) for row in table.to_pylist()]
    return dict(_read(name, list(schema or table.schema), rows, ()))


def _read(
    name: str, fields: Sequence[pa.Field], elements: Sequence[Element], path: tuple[str, ...]
) -> Iterator[tuple[str, list[dict[str, object]]]]:
    rows = [(element, list(cells(fields, element.value))) for element in elements]
    yield (
        name,
        [
            element.of
            | {cell.name: cell.value for cell in row if not pt.is_list(cell.type)}
            | {"fetched_at": element.at}
            for element, row in rows
        ],
    )
    for number, cell in enumerate(cells(fields, None)):
        if pt.is_list(cell.type):
            item = cell.type.value_type
            own = list(item) if pt.is_struct(item) else [pa.field("value", item)]
            below = [
                Element(_of(element, row, path) | {"position": position}, _boxed(item, value), element.at)
                for element, row in rows
                for position, value in enumerate(row[number].value or [])  # type: ignore[arg-type]
            ]
            yield from _read(f"{name}__{cell.name}", own, below, (*path, cell.name))


def _of(element: Element, row: Sequence[Cell], path: tuple[str, ...]) -> dict[str, object]:
    if not path:
        return {"id": next(cell.value for cell in row if cell.name == "id")}
    above = {name: value for name, value in element.of.items() if name != "position"}
    return above | {"_".join([*path, "position"]): element.of["position"]}


def _boxed(item: pa.DataType, value: object) -> object:
    return value if pt.is_struct(item) else {"value": value}


def columns(name: str, schema: pa.Schema) -> list[tuple[str, list[str]]]:
    """Give the tables and their columns in order, with whatever names occur twice."""
    return [(table, own) for table, own, _ in layout(name, schema)]


def layout(name: str, schema: pa.Schema) -> list[tuple[str, list[str], list[str]]]:
    """Do as `columns`, and give the names of each table's lists beside."""
    return list(_columns(name, list(schema), [], ()))


def _columns(
    name: str, fields: Sequence[pa.Field], keys: Sequence[str], path: tuple[str, ...]
) -> Iterator[tuple[str, list[str], list[str]]]:
    own = list(cells(fields, None))
    position, at = (["position"], ["fetched_at"]) if path else ([], [])
    lists = [cell for cell in own if pt.is_list(cell.type)]
    plain = [cell.name for cell in own if not pt.is_list(cell.type)]
    yield name, [*keys, *position, *plain, *at], [cell.name for cell in lists]
    for cell in lists:
        item = cell.type.value_type
        inner = list(item) if pt.is_struct(item) else [pa.field("value", item)]
        above = [*keys, "_".join([*path, "position"])] if path else ["id"]
        yield from _columns(f"{name}__{cell.name}", inner, above, (*path, cell.name))

"""Tables of lists: their rows are those of a plain loop, their columns follow from the schema alone."""

from datetime import UTC, datetime
from itertools import accumulate, chain
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.types as pt
import pytest
from graphql import build_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.errors import QueryError, ValueMisfit
from resources.graphql import child_table
from resources.graphql.child_table import ChildTable
from resources.graphql.children import child_tables
from resources.graphql.query import Query
from resources.graphql.tables import FETCHED_AT
from tests.conftest import PROFILES_QUERY, SCHEMA

Rows = list[dict[str, Any]]

SCALARS = {
    pa.int64(): (-1, 0, 1),
    pa.string(): ("", "a", "ß👩"),
    FETCHED_AT.type: tuple(datetime(2026, 11, day, tzinfo=UTC) for day in (21, 22)),
}
NULLS = 0.2  # of all values
randoms = st.integers(0, 2**64).map(Random)


def type_(random: Random, depth: int = 2) -> pa.DataType:
    kind = random.choice(["scalar", "list", "struct"]) if depth else "scalar"
    if kind == "list":
        return pa.list_(type_(random, depth - 1))
    if kind == "struct":
        return pa.struct([(name, type_(random, depth - 1)) for name in "abc"[: random.randint(1, 3)]])
    return random.choice(list(SCALARS))


def value(random: Random, type_: pa.DataType, nulls: float = NULLS) -> Any:
    """Draw a value as Python has it."""
    if random.random() < nulls:
        return None
    if pt.is_list(type_):
        return [value(random, type_.value_type) for _ in range(random.randint(0, 3))]
    if pt.is_struct(type_):
        return {field.name: value(random, field.type) for field in type_}
    return random.choice(SCALARS[type_])


def array(random: Random, given: list[Any], type_: pa.DataType) -> pa.Array:
    """Make an array by hand, with leftovers of other values below each null."""
    if not pt.is_nested(type_):
        return pa.array(given, type_)
    absent = pa.array([found is None for found in given], pa.bool_())
    filled = [value(random, type_, nulls=0) if found is None else found for found in given]
    if pt.is_struct(type_):
        columns = [array(random, [found[field.name] for found in filled], field.type) for field in type_]
        return pa.StructArray.from_arrays(columns, fields=list(type_), mask=absent)
    ends = pa.array([0, *accumulate(map(len, filled))], pa.int32())
    items = array(random, list(chain.from_iterable(filled)), type_.value_type)
    return pa.ListArray.from_arrays(ends, items, type=type_, mask=absent)


def chunked(random: Random, given: list[Any], type_: pa.DataType) -> pa.ChunkedArray:
    """Make a column of slices out of the middle of longer arrays."""
    chunks, start = [], 0
    while start < len(given):
        part = given[start : start + random.randint(1, 3)]
        before, after = ([value(random, type_) for _ in range(random.randint(0, 2))] for _ in "ab")
        chunks.append(array(random, [*before, *part, *after], type_).slice(len(before), len(part)))
        start += len(part)
    return pa.chunked_array(chunks, type_)


def nested(random: Random) -> tuple[pa.Table, Rows]:
    """Make a table with lists, and its rows."""
    lists = {f"list{number}": pa.list_(type_(random)) for number in range(random.randint(1, 2))}
    fields = {"id": pa.string(), "of": pa.int64(), **lists, FETCHED_AT.name: FETCHED_AT.type}
    number = random.randint(0, 7)
    rows = [{name: value(random, kind) for name, kind in fields.items()} for _ in range(number)]
    columns = [chunked(random, [row[name] for row in rows], kind) for name, kind in fields.items()]
    return pa.table(columns, schema=pa.schema(list(fields.items()))), rows


def looped(rows: Rows, child: ChildTable, of_objects: bool) -> Rows:
    """Explode as a loop does."""
    return [
        {key: row[own] for key, own in child.keys.items()}
        | {"position": position}
        | (_fields(item, child) if of_objects else {"value": item})
        | {"fetched_at": row["fetched_at"]}
        for row in rows
        for position, item in enumerate(row[child.path[-1]] or [])
    ]


def _fields(item: dict[str, Any] | None, child: ChildTable) -> dict[str, Any]:
    names = child.schema.names[len(child.keys) + 1 : -1]
    return {name: item and item[name] for name in names}


@given(randoms)
@settings(max_examples=150)
def test_the_rows_are_those_of_a_loop(random: Random) -> None:
    table, rows = nested(random)
    assert table.to_pylist() == rows, "the table is made as it should be"
    tables, loops = {"t": table}, {"t": rows}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child_table, "ROWS_AT_ONCE", random.randint(1, 4))
        for child in child_tables({"t": table.schema}, ["id", "of"], ["*"]):
            made = tables[child.name] = child.rows(tables[child.parent])
            of_objects = pt.is_struct(tables[child.parent].schema.field(child.path[-1]).type.value_type)
            loops[child.name] = looped(loops[child.parent], child, of_objects)
            made.validate(full=True)
            assert made.schema == child.schema
            assert made.to_pylist() == loops[child.name]
    assert len(tables) > 1


GRAPH = """
type Query { orders(first: Int, after: String): Orders! order(id: ID!): Order }
type Orders { nodes: [Order]! pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Order { id: ID position: Int tags: [String!] lookups: [Item] items: [Item!]! grid: [[Int]] buyer: Buyer }
type Item { id: ID position: Int name: String fetchedAt: String amounts: [Float] parts: [Part] }
type Part { code: String numbers: [Int!] }
type Buyer { names: [String] }
"""
LOOKUP = "query order($key: ID!) { order(id: $key) { %s } }"
LIST = (
    "query order($after: String) { orders(after: $after)"
    " { nodes { %s } pageInfo { hasNextPage endCursor } } }"
)


def load(text: str, explode: list[str] | str, identity: str | None = "id") -> Query:
    return Query.parse(
        text, schema=build_schema(GRAPH), path="o.graphql", name="orders", identity=identity, explode=explode
    )


def columns(query: Query) -> dict[str, str]:
    return {
        name.removeprefix("orders"): " ".join(schema.names)
        for name, schema in query.tables.items()
        if name != "orders__lookups"
    }


def test_a_list_of_objects_or_of_scalars_is_a_table_beside_the_extracts_own() -> None:
    query = load(LIST % "id tags items { name } grid", ["items", "tags", "grid"])
    assert columns(query) == {
        "": "id fetched_at",
        "__tags": "id position value fetched_at",
        "__items": "id position name fetched_at",
        "__grid": "id position value fetched_at",
    }
    assert [str(query.tables[f"orders__{name}"].field("value").type) for name in ("tags", "grid")] == [
        "string",
        "list<item: int64>",
    ]
    assert columns(load(LIST % "id tags items { name }", "tags"))[""] == "id items fetched_at"


def test_without_an_identity_the_key_says_which_row_it_is_of() -> None:
    query = load(LOOKUP % "tags", "*", None)
    assert columns(query) == {"": "key fetched_at", "__tags": "key position value fetched_at"}


def test_a_list_inside_of_another_has_the_positions_of_both() -> None:
    text = LOOKUP % "id items { name parts { code numbers } }"
    assert columns(load(text, ["items"]))["__items"] == "id position name parts fetched_at"
    assert columns(load(text, ["items.parts", "items"])) == {
        "": "id fetched_at",
        "__items": "id position name fetched_at",
        "__items__parts": "id items_position position code numbers fetched_at",
    }
    deepest = "id items_position items_parts_position position value fetched_at"
    assert columns(load(text, "*"))["__items__parts__numbers"] == deepest


def test_names_are_those_of_the_query_or_of_the_table() -> None:
    text = LOOKUP % "id orderItems: items { orderParts: parts { code } }"
    named, snake = ["orderItems", "orderItems.orderParts"], ["order_items", "order_items.order_parts"]
    assert load(text, named).tables == load(text, snake).tables == load(text, "*").tables


def test_the_digest_tells_lists_apart_that_are_nested_or_not() -> None:
    text = LOOKUP % "id tags items { name parts { code } }"
    chosen: list[list[str]] = [[], ["tags"], ["items"], ["tags", "items"], ["items", "items.parts"]]
    assert len({load(text, explode).hash for explode in chosen}) == len(chosen)
    assert load(text, ["items", "tags"]).hash == load(text, ["tags", "items"]).hash


@pytest.mark.parametrize(
    ("text", "explode", "message"),
    [
        (LOOKUP % "id tags", ["tag"], "o.graphql:1:26: explode: tag is no list .* of orders are: tags"),
        (LOOKUP % "id tags", ["id"], "explode: id is no list"),
        (LOOKUP % "id", "*", r"explode: \* is no list .* are: none"),
        (LOOKUP % "id buyer { names }", ["buyer.names"], "buyer.names is no list .* are: none"),
        (LOOKUP % "id items { parts { code } }", ["items.parts"], "inside of items: name items too"),
        (LOOKUP % "id lookups { name }", "*", "two tables would be named orders__lookups"),
        (
            LOOKUP % "id items { parts { code } } items__parts: tags",
            "*",
            "two tables would be named orders__items__parts; give the list an alias",
        ),
        (LOOKUP % "id items { position }", "*", "orders__items would have two columns named position"),
        (LOOKUP % "id items { id }", "*", "two columns named id; give one of them an alias"),
        (LOOKUP % "id items { fetchedAt }", "*", "two columns named fetched_at"),
        (LOOKUP % "value: id tags", "*", "orders__tags would have two columns named value"),
    ],
)
def test_what_cannot_be_is_refused_at_load_with_what_to_do(
    text: str, explode: list[str] | str, message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        load(text, explode, "value" if "value:" in text else "id")


def test_a_list_without_an_identity_is_told_to_name_one() -> None:
    with pytest.raises(QueryError, match="name the field that tells rows apart, as identity="):
        load(LIST % "id tags", "*", None)


def test_an_alias_is_all_that_a_clash_needs() -> None:
    query = load(LOOKUP % "id items { itemId: id at: position }", "*")
    assert columns(query)["__items"] == "id position item_id at fetched_at"


def test_elements_of_a_row_without_identity_are_refused() -> None:
    query = Query.load(PROFILES_QUERY, schema=SCHEMA, identity="profileId", explode=["identifiers"])
    names = dict.fromkeys(("name", "type", "value", "last_seen"))
    made = {"profile_id": [None, "a"], "identifiers": [None, [names]]}
    own = [pa.array(made.get(field.name, [None] * 2), field.type) for field in query.rows]
    rows = pa.Table.from_arrays(own, schema=query.rows)
    assert query.exploded(rows)["profiles__identifiers"].num_rows == 1, "one without elements is a row as any"
    made["profile_id"].reverse()
    own[0] = pa.array(made["profile_id"], pa.string())
    with pytest.raises(ValueMisfit, match="profiles: column profile_id is null in a row that has lists"):
        query.exploded(pa.Table.from_arrays(own, schema=query.rows))

"""Any schema, any document, any values: the table equals the answers, and lacks nothing in silence."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread
from typing import Any

import pyarrow as pa
import pytest
from graphql import parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.graphql.columns import Column, ColumnType, ListOf, Scalar, Struct
from resources.graphql.decoding import arrow
from resources.graphql.plan import Keyed
from resources.graphql.query import Query
from resources.graphql.raw import DECODER
from resources.graphql.scalars import ENUM, UNKNOWN, WORDS, kept_as
from resources.graphql_resource import GraphQLResource
from tests.engine.random_graphs import SCALARS, World, as_kept, other_form

randoms = st.integers(0, 2**64).map(Random)


def loaded(world: World) -> Query:
    return Query.parse(world.document, schema=world.schema, path="q", name="q", scalars=SCALARS)


def received(world: World, query: Query) -> list[dict[str, Any]]:
    """What the server answers to the batch that is really sent, some leaves in another form, through JSON."""
    assert isinstance(query.plan, Keyed)
    text = query.plan.batch(len(world.keys))
    assert not validate(world.schema, parse(text)), text
    answer = world.answer(text, query.plan.variables([(key,) for key in world.keys]))
    assert list(answer.values()) == world.rows(), "what is sent asks for something else than the document"
    form = other_form(world.random)
    rows = [world.mapped(row, form, whole=False) for row in answer.values()]
    return DECODER.decode(json.dumps(rows).encode())


@given(randoms)
@settings(max_examples=150)
def test_a_table_equals_the_answers(random: Random) -> None:
    world = World(random)
    query = loaded(world)
    table = arrow.table(received(world, query), query.columns)
    assert table.to_pylist() == [world.mapped(row, as_kept, whole=True) for row in world.rows()]
    assert table.schema.names == query.tables["q"].names[1:-1]


@given(randoms)
@settings(max_examples=150)
def test_a_field_that_an_answer_lacks_is_never_a_null(random: Random) -> None:
    world = World(random, rows=1)
    query = loaded(world)
    rows = received(world, query)
    objects = list(all_objects(rows, query.columns))
    victim = random.choice(objects)
    del victim[random.choice(sorted(victim))]
    with pytest.raises(arrow.Misfit, match="the answer lacks this field"):
        arrow.table(rows, query.columns)


def all_objects(value: Any, columns: tuple[Column, ...]) -> Iterator[dict[str, Any]]:
    """Give the objects of an answer, but not those inside a JSON scalar."""
    if isinstance(value, list):
        for item in value:
            yield from all_objects(item, columns)
    elif value is not None:
        yield value
        for column in columns:
            inner = column.type
            while isinstance(inner, ListOf):
                inner = inner.item
            if isinstance(inner, Struct):
                yield from all_objects(value.get(column.key), inner.fields)


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**60), 10**60)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from([Decimal("1e999"), Decimal("1e-999999999"), Decimal("-1e999999999"), 10**4000])
    | st.text(st.characters(codec=None), max_size=5)
    | st.from_regex(r"[0-9:.TZ +-]{0,25}", fullmatch=True)
    | st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    | st.sampled_from(["NaN", "Infinity", "1e999", "1e99999999999999999999", "-0", "\ud800", "9" * 5000]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "__typename"]), inner)
    ),
    max_leaves=5,
)
LEAF_TYPES = st.sampled_from([*sorted(WORDS), "decimal(1,1)", "decimal(38,38)"]).map(
    lambda word: Scalar("X", kept_as(word) or UNKNOWN)
) | st.sampled_from([Scalar("X", UNKNOWN), Scalar("X", ENUM)])


def columns(inner: st.SearchStrategy[ColumnType]) -> st.SearchStrategy[tuple[Column, ...]]:
    return st.tuples(inner, inner).map(lambda types: (Column("a", types[0]), Column("b", types[1])))


COLUMN_TYPES: st.SearchStrategy[ColumnType] = st.recursive(
    LEAF_TYPES, lambda inner: inner.map(ListOf) | columns(inner).map(Struct), max_leaves=4
)


ROWS = st.lists(st.fixed_dictionaries({"a": JSON_VALUES, "b": JSON_VALUES}), max_size=3)


@given(ROWS, columns(COLUMN_TYPES))
@settings(max_examples=400)
def test_any_json_makes_a_table_or_is_refused_by_name(
    rows: list[dict[str, Any]], shape: tuple[Column, ...]
) -> None:
    made = table_or_misfit(rows, shape)
    if isinstance(made, arrow.Misfit):
        assert made.path.split(".")[0] in ("a", "b")
        assert 0 <= made.row < len(rows)
    else:
        assert made.num_rows == len(rows)


def table_or_misfit(rows: list[dict[str, Any]], shape: tuple[Column, ...]) -> pa.Table | arrow.Misfit:
    try:
        return arrow.table(rows, shape)
    except arrow.Misfit as misfit:
        return misfit


@pytest.mark.parametrize("word", ["json", "text", "unknown", "int64"])
def test_what_is_nested_too_deep_is_refused_by_name(word: str) -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(arrow.Misfit, match="a list does not fit X"):
        arrow.table([{"a": value}], (Column("a", Scalar("X", kept_as(word) or UNKNOWN)),))


@contextmanager
def served(world: World) -> Iterator[GraphQLResource]:
    """A server on this machine that executes a world's schema."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            data = world.answer(asked["query"], asked["variables"])
            body = json.dumps({"data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        resource = GraphQLResource(url=f"http://127.0.0.1:{server.server_port}/graphql")
        try:
            yield resource
        finally:
            resource.close()
            server.shutdown()
            thread.join()


@given(randoms)
@settings(max_examples=10)
def test_an_extract_over_a_socket_equals_the_answers(random: Random) -> None:
    world = World(random, rows=5)
    with served(world) as api:
        table = api.table(loaded(world), keys=world.keys)
    assert table["key"].to_pylist() == world.keys
    rows = table.drop_columns(["key", "fetched_at"]).to_pylist()
    assert rows == [world.mapped(row, as_kept, whole=True) for row in world.rows()]

"""Queries: a document that does not fit is refused when it is loaded, with path, line and column."""

from pathlib import Path

import pyarrow as pa
import pytest
from graphql import build_schema, parse, validate

from resources.errors import ConfigurationError, QueryError
from resources.graphql.plan import Keyed, Listed
from resources.graphql.query import Query, load_schema
from resources.graphql.scalars import read_scalars

SCHEMA = build_schema(
    """
    scalar Instant
    scalar UUID
    scalar Money
    enum Kind { GOOD BAD }
    interface Node { id: ID }
    union Any = Person | Thing
    type Person implements Node {
      id: ID  profileId: String  at: Instant  any: Any  node: Node  friends: [Person!]
    }
    type Thing implements Node { id: ID  kind: Kind  price: Money  owner: Person }
    type Info { hasNextPage: Boolean! endCursor: String }
    type Edge { node: Person cursor: String }
    type People { edges: [Edge] nodes: [Person] pageInfo: Info }
    type Query {
      person(id: ID!, lang: String): Person
      byName(name: String!, value: String!): Person
      people(first: Int, after: String, since: Instant): People
      all: [Person]
      any: Any
      node(id: ID!): Node
      thing(kind: Kind!, uuid: UUID!, number: Int!, price: Money!, at: Instant!): Thing
      found(after: String): Found
    }
    type Found { nodes: [Any!] pageInfo: Info }
    type Mutation { drop: Boolean }
    """
)


def query(text: str, identity: str | None = None, scalars: dict[str, str] | None = None) -> Query:
    return Query.parse(text, schema=SCHEMA, path="q.graphql", name="q", identity=identity, scalars=scalars)


def refusal(text: str, identity: str | None = None) -> str:
    with pytest.raises(QueryError) as caught:
        query(text, identity)
    return str(caught.value)


def test_required_variables_of_the_root_field_are_the_keys() -> None:
    found = query(
        "query ($name: String!, $value: String!) { byName(name: $name, value: $value) { profileId } }"
    )
    assert isinstance(found.plan, Keyed)
    assert found.tables["q"].names == ["name", "value", "profile_id", "fetched_at"]
    assert found.tables["q__lookups"].names == [
        "name",
        "value",
        "status",
        "identity",
        "code",
        "message",
        "attempts",
        "fetched_at",
    ]


def test_with_an_identity_the_keys_stand_in_the_lookups_only() -> None:
    found = query("query ($id: ID!) { person(id: $id) { profileId at } }", identity="profileId")
    assert found.tables["q"].names == ["profile_id", "at", "fetched_at"]
    assert found.tables["q"].field("at").type == pa.timestamp("us", tz="UTC")


def test_a_batch_is_a_valid_document_with_an_alias_a_key() -> None:
    found = query(
        "query q($id: ID!, $lang: String) { person(id: $id, lang: $lang) { ...P } }"
        " fragment P on Person { profileId friends { id } }"
    )
    assert isinstance(found.plan, Keyed)
    document = found.plan.batch(3)
    assert validate(SCHEMA, parse(document)) == []
    assert "fragment" not in document
    assert found.plan.variables([("a",), ("b",)]) == {"id_0": "a", "id_1": "b"}
    assert [document.count(f"k{i}:") for i in range(4)] == [1, 1, 1, 0]


@pytest.mark.parametrize("rows", ["edges { node { id } }", "nodes { id }"])
def test_a_connection_is_read_along_its_cursor(rows: str) -> None:
    found = query(
        "query ($n: Int, $after: String) { people(first: $n, after: $after) "
        f"{{ {rows} pageInfo {{ hasNextPage endCursor }} }} }}"
    )
    assert isinstance(found.plan, Listed)
    assert (found.plan.strategy, found.plan.position, found.plan.size) == ("cursor", "after", "n")
    assert list(found.tables) == ["q"]
    assert found.tables["q"].names == ["id", "fetched_at"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "query ($id: ID!) {\n  person(id: $id) { profileID }\n}",
            "q.graphql:2:21: Cannot query field 'profileID'",
        ),
        ("query {", "q.graphql:1:8: Syntax Error"),
        ("query ($id: Int!) { person(id: $id) { id } }", "Variable '$id' of type 'Int!'"),
        ("mutation { drop }", "a query is expected"),
        ("query a { all { id } } query b { all { id } }", "one operation a document"),
        ("{ all { id } people { __typename } }", "one root field a document"),
        ("{ __typename }", "__typename is no field with rows"),
        (
            "query ($id: ID!) { person(id: $id) { any { ... on Thing { kind } } } }",
            "any is of several types, which its fragments tell apart: add __typename",
        ),
        (
            "query ($k: ID!) { node(id: $k) { id ... on Thing { __typename kind } } }",
            "node is of several types",
        ),
        ("query ($id: ID!) { person(id: $id) { ... on Thing { kind } } }", "can never be of type 'Thing'"),
        (
            "query ($k: ID!) { node(id: $k)"
            " { __typename ... on Thing { x: price } ... on Person { x: at } } }",
            "conflicting types 'Money' and 'Instant'. Use different aliases",
        ),
        ("query ($id: ID!) { person(id: $id) { id @include(if: true) } }", "directives on fields"),
        ("query ($id: ID!) { person(id: $id) @skip(if: false) { at } }", "directives on fields"),
        ("query ($id: ID!) { person(id: $id) { ... @skip(if: false) { at } } }", "directives on fields"),
        (
            "query ($id: ID!) { person(id: $id) { ...F } } fragment F on Person @odd { at }"
            " directive @odd on FRAGMENT_DEFINITION",
            "is not executable",
        ),
        (
            "query ($id: ID!) { person(id: $id) { profile_id: id profileId } }",
            "two columns would be named profile_id",
        ),
        ("query ($id: ID!) { person(id: $id) { id } }", "two columns would be named id"),
        ("query ($id: ID!) { person(id: $id) { fetchedAt: at } }", "two columns would be named fetched_at"),
        ("query ($a: String) { people(after: $a) { nodes { id } } }", "a cursor list needs its next cursor"),
        (
            "{ people { nodes { id } pageInfo { hasNextPage endCursor } } }",
            "people takes after, so this",
        ),
        (
            "query ($a: String) { people(after: $a) { pageInfo { endCursor hasNextPage } edges { cursor } }}",
            "edges need node",
        ),
    ],
)
def test_a_document_that_cannot_be_extracted_is_refused(text: str, message: str) -> None:
    refused = refusal(text)
    assert message in refused
    assert refused.startswith("q.graphql:")


def test_an_identity_has_to_be_selected() -> None:
    text = "query ($id: ID!) { person(id: $id) { at } }"
    assert "identity 'profileId' is no selected text" in refusal(text, "profileId")
    assert "identity 'at' is no selected text" in refusal(text, "at")


def test_a_schema_with_an_error_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "schema.graphql"
    path.write_text("type Query {\n  a: !\n}")
    with pytest.raises(QueryError, match=r"schema\.graphql:2:6: Syntax Error"):
        load_schema(path)
    with pytest.raises(QueryError, match="cannot be read: No such file"):
        load_schema(tmp_path / "none.graphql")


def test_a_document_that_is_no_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "q.graphql"
    path.write_bytes("# Käufer\nquery ($id: ID!) { person(id: $id) { id } }".encode("latin-1"))
    with pytest.raises(QueryError, match=r"q\.graphql is not UTF-8"):
        Query.load(path, schema=path)


def test_a_scalar_of_which_nothing_is_known_is_text_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    schema = build_schema("scalar Colour type Query { a(id: ID!): A } type A { b: Colour c: [Colour] }")
    for _ in range(2):
        text = "query ($id: ID!) { a(id: $id) { b c } }"
        found = Query.parse(text, schema=schema, path="q.graphql", name="q")
    assert found.tables["q"].field("b").type == pa.string()
    assert caplog.messages == [
        "nothing is known of the scalar Colour: its values are kept as text; scalars (TARGETDATA_SCALARS or "
        "GRAPHQL_SCALARS) may say what it is"
    ]


def test_key_columns_have_the_types_of_their_variables() -> None:
    text = (
        "query ($kind: Kind!, $uuid: UUID!, $number: Int!, $price: Money!, $at: Instant!) "
        "{ thing(kind: $kind, uuid: $uuid, number: $number, price: $price, at: $at) { id } }"
    )
    found = query(text, scalars={"Money": "decimal(18,2)"}).plan
    assert isinstance(found, Keyed)
    assert {f.name: str(f.type) for f in found.key_fields} == {
        "kind": "string",
        "uuid": "string",
        "number": "int64",
        "price": "decimal128(18, 2)",
        "at": "timestamp[us, tz=UTC]",
    }


THING = "query ($k: ID!) { node(id: $k) { __typename ... on Thing { price } } }"


@pytest.mark.parametrize(
    ("word", "type_"),
    [
        ("text", pa.string()),
        ("int64", pa.int64()),
        ("float64", pa.float64()),
        ("bool", pa.bool_()),
        ("date", pa.date32()),
        ("time", pa.time64("us")),
        ("timestamp", pa.timestamp("us", tz="UTC")),
        ("local timestamp", pa.timestamp("us")),
        ("Local  Timestamp", pa.timestamp("us")),
        ("decimal", pa.decimal128(38, 9)),
        ("decimal( 18 , 2 )", pa.decimal128(18, 2)),
        ("decimal(38,0)", pa.decimal128(38, 0)),
        ("json", pa.string()),
    ],
)
def test_a_user_says_what_a_scalar_is(word: str, type_: pa.DataType) -> None:
    assert query(THING, scalars={"Money": word}).tables["q"].field("price").type == type_


def test_the_users_word_wins_also_for_what_is_built_in() -> None:
    text = "query ($id: ID!) { person(id: $id) { at profileId } }"
    fields = query(text, scalars={"Instant": "text", "ID": "int64", "String": "json"}).tables["q"]
    assert [str(type_) for type_ in fields.types] == ["int64", "string", "string", "timestamp[us, tz=UTC]"]


@pytest.mark.parametrize(
    ("scalars", "message"),
    [
        ({"Money": "decimal(39,2)"}, "there is no type decimal(39,2); there are text, int64"),
        ({"Money": "decimal(2,3)"}, "there is no type decimal(2,3)"),
        ({"Money": "decimal(0,0)"}, "there is no type decimal(0,0)"),
        ({"Money": "euro"}, "Money=euro: there is no type euro"),
    ],
)
def test_a_setting_of_scalars_that_cannot_work_is_refused(scalars: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        query(THING, scalars=scalars)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "name", ["Mony", "Kind", "Person", "Person.price", "Thing.kind", "Thing.owner", "Any.price", "Nobody.at"]
)
def test_a_setting_that_names_no_scalar_is_said_once_as_another_schema_may_have_it(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        assert query(THING, scalars={name: "int64"}).tables["q"].field("price").type == pa.string()
    warning = f"scalars (TARGETDATA_SCALARS or GRAPHQL_SCALARS): {name} is without effect, as the schema"
    assert [message.startswith(warning) for message in caplog.messages if name in message] == [True]


def test_a_user_says_what_a_field_of_a_type_is_which_wins() -> None:
    text = "query ($id: ID!) { person(id: $id) { day: at profileId node { id } friends { at } } }"
    scalars = {
        "Person.at": "date",
        "Instant": "text",
        "Person.profileId": "decimal(9,0)",
        "Thing.id": "int64",
    }
    fields = query(text, scalars=scalars).tables["q"]
    assert fields.field("day").type == pa.date32()
    assert fields.field("profile_id").type == pa.decimal128(9, 0)
    assert fields.field("node").type.field("id").type == pa.string()
    assert fields.field("friends").type.value_type.field("at").type == pa.date32()


def test_a_field_of_several_types_is_kept_in_one_way() -> None:
    text = "query ($k: ID!) { node(id: $k) { __typename ... on Person { id } ... on Thing { id } } }"
    with pytest.raises(
        QueryError, match=r"one column would keep Person\.id as int64 and Thing\.id as text: "
    ):
        query(text, scalars={"Person.id": "int64"})
    both = query(text, scalars={"Person.id": "int64", "Thing.id": "int64"}).tables["q"]
    assert both.field("id").type == pa.int64()
    alias = text.replace("Thing { id", "Thing { name: id")
    assert query(alias, scalars={"Person.id": "int64"}).tables["q"].field("name").type == pa.string()


def test_scalars_are_read_from_one_line() -> None:
    found = read_scalars(" Money = decimal(18, 2),BigInt=text, T=local timestamp ,A.b=date")
    assert found == {"Money": "decimal(18, 2)", "BigInt": "text", "T": "local timestamp", "A.b": "date"}
    assert read_scalars(" ") == {}


@pytest.mark.parametrize("text", ["Money", "Money=", "=text", "a=b,c"])
def test_a_line_of_scalars_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"it should look like Money=decimal\(18,2\),BigInt=text"):
        read_scalars(text)


def test_rows_may_be_of_several_types() -> None:
    found = query(
        "query ($k: ID!) { node(id: $k) { ...T __typename ... on Person { at } id friendly: __typename } }"
        " fragment T on Node { ... on Thing { kind owner { profileId } } ... on Node { id } }"
    )
    assert isinstance(found.plan, Keyed)
    names = ["k", "kind", "owner", "id", "__typename", "at", "friendly", "fetched_at"]
    assert found.tables["q"].names == names
    batch = found.plan.batch(2)
    assert validate(SCHEMA, parse(batch)) == []
    assert "fragment" not in batch
    assert "...on Thing{kind owner{profileId}}" in batch


def test_a_list_may_be_of_several_types() -> None:
    found = query(
        "query ($after: String) { found(after: $after) { nodes { __typename ... on Person { at } ... on Thing"
        " { kind } } pageInfo { hasNextPage endCursor } } }"
    )
    assert isinstance(found.plan, Listed)
    assert found.tables["q"].names == ["__typename", "at", "kind", "fetched_at"]


def test_the_same_field_asked_twice_is_one_column_with_all_of_its_fields() -> None:
    found = query(
        "query ($k: ID!) { person(id: $k) { friends { at } ...F } } fragment F on Person"
        " { friends { profileId at } ... on Node { id: id ... on Person { friends { id } } } }"
    )
    assert isinstance(found.plan, Keyed)
    expected = pa.struct(
        [("at", pa.timestamp("us", tz="UTC")), ("profile_id", pa.string()), ("id", pa.string())]
    )
    assert found.tables["q"].field("friends").type == pa.list_(expected)
    assert "{friends{at profileId}...on Node" in found.plan.batch(1)


def test_the_same_document_in_another_layout_has_the_same_hash() -> None:
    one = query("query ($id: ID!) { person(id: $id) { profileId } }")
    other = query("query ($id: ID!) {\n  person(id: $id) {\n    profileId # comment\n  }\n}")
    third = query("query ($id: ID!) { person(id: $id) { profileId at } }")
    assert one.hash == other.hash != third.hash

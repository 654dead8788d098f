"""Queries: a document that does not fit is refused when it is loaded, with path, line and column."""

from pathlib import Path

import pyarrow as pa
import pytest
from graphql import build_schema, parse, validate

from resources.errors import QueryError
from resources.graphql.plan import Keyed, Listed
from resources.graphql.query import Query, load_schema

SCHEMA = build_schema(
    """
    scalar Instant
    interface Node { id: ID }
    union Any = Person | Thing
    type Person implements Node {
      id: ID  profileId: String  at: Instant  any: Any  node: Node  friends: [Person!]
    }
    type Thing implements Node { id: ID }
    type Info { hasNextPage: Boolean! endCursor: String }
    type Edge { node: Person cursor: String }
    type People { edges: [Edge] nodes: [Person] pageInfo: Info }
    type Query {
      person(id: ID!, lang: String): Person
      byName(name: String!, value: String!): Person
      people(first: Int, after: String, since: Instant): People
      all: [Person]
      any: Any
    }
    type Mutation { drop: Boolean }
    """
)


def query(text: str, identity: str | None = None) -> Query:
    return Query.parse(text, schema=SCHEMA, path="q.graphql", name="q", identity=identity)


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
        ("query ($id: ID!) { person(id: $id) { node { id } } }", "is an interface or a union"),
        (
            "query ($id: ID!) { person(id: $id) { any { ... on Thing { id } } } }",
            "is an interface or a union",
        ),
        ("query ($id: ID!) { person(id: $id) { ... on Node { id } } }", "a fragment on Node within Person"),
        ("query ($id: ID!) { person(id: $id) { id @include(if: true) } }", "directives on fields"),
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


def test_a_scalar_of_which_nothing_is_known_is_text_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    schema = build_schema("scalar Colour type Query { a(id: ID!): A } type A { b: Colour c: [Colour] }")
    for _ in range(2):
        text = "query ($id: ID!) { a(id: $id) { b c } }"
        found = Query.parse(text, schema=schema, path="q.graphql", name="q")
    assert found.tables["q"].field("b").type == pa.string()
    assert caplog.messages == ["nothing is known of the scalar Colour: its values are kept as text"]


def test_the_same_document_in_another_layout_has_the_same_hash() -> None:
    one = query("query ($id: ID!) { person(id: $id) { profileId } }")
    other = query("query ($id: ID!) {\n  person(id: $id) {\n    profileId # comment\n  }\n}")
    third = query("query ($id: ID!) { person(id: $id) { profileId at } }")
    assert one.hash == other.hash != third.hash

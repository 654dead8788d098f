"""Schemas with interfaces and unions: pulled, learned, and documents with fragments fitted to them."""

from random import Random

import pytest
from graphql import build_schema, graphql_sync, parse, print_schema, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.errors import QueryError
from resources.graphql.query import Query
from resources.graphql.schema import fit_document, pull_schema
from tests.engine.random_graphs import SCALARS, World
from tests.imitations import Server, core, pulled

SCHEMA = build_schema(
    """
    interface Node { id: ID! name: String }
    type User implements Node { id: ID! name: String login: String team: Team }
    type Team implements Node { id: ID! name: String members: [User] }
    type Lone { x: Int }
    union Hit = User | Team
    type Query { node(id: ID!): Node  hit(id: ID!): Hit  user(id: ID!): User }
    """
)


@pytest.mark.parametrize(
    ("old", "new", "dropped"),
    [
        (
            "node(id: $k) { __typename ... on User { gone login } ...T } } fragment T on Team { name",
            "node(id: $k) { __typename ... on User { login id name } ...T } } fragment T on Team { name",
            ("User.gone",),
        ),
        (
            "hit(id: $k) { __typename ... on User { id } ... on Team { lost } }",
            "hit(id: $k) { __typename ... on User { id } ... on Team { id name members { id name login } } }",
            ("Team.lost",),
        ),
        (
            "hit(id: $k) { __typename ... on Gone { x } ... on User { id } }",
            "hit(id: $k) { __typename ... on User { id } }",
            ("Hit.x",),
        ),
        ("hit(id: $k) { ... on User { id } }", "hit(id: $k) { __typename ... on User { id } }", ()),
        (
            "user(id: $k) { ... on Node { id lost } }",
            "user(id: $k) { ... on Node { id name } }",
            ("Node.lost",),
        ),
    ],
)
def test_documents_with_fragments_are_fitted(old: str, new: str, dropped: tuple[str, ...]) -> None:
    fitted = fit_document(f"query ($k: ID!) {{ {old} }}", SCHEMA, path="q")
    assert " ".join(fitted.text.split()) == f"query ($k: ID!) {{ {new} }}"
    assert fitted.dropped == dropped
    Query.parse(fitted.text, schema=SCHEMA, path="q", name="q")


def test_a_fragment_on_a_type_that_cannot_be_there_is_refused_with_its_place() -> None:
    with pytest.raises(QueryError, match=r"q:1:44: Fragment cannot be spread here"):
        fit_document("query ($k: ID!) { hit(id: $k) { __typename ... on Lone { x } } }", SCHEMA, path="q")


def test_fields_of_the_types_in_fragments_could_be_added() -> None:
    text = "query ($k: ID!) { hit(id: $k) { __typename ... on User { id } } }"
    assert fit_document(text, SCHEMA, path="q").addable == (
        "User.name: String",
        "User.login: String",
        "User.team: Team",
    )


@given(st.integers(0, 2**64).map(Random))
@settings(max_examples=40)
def test_a_fitted_document_can_be_loaded_or_it_is_left_with_a_message(random: Random) -> None:
    world, other = World(random), World(random)
    own = fit_document(world.document, world.schema, path="q")
    assert (own.text, own.dropped, own.added) == (world.document, (), ())
    try:
        fitted = fit_document(world.document, other.schema, path="q")
    except QueryError:
        return
    assert not validate(other.schema, parse(fitted.text))
    Query.parse(fitted.text, schema=other.schema, path="q", name="q", scalars=SCALARS)
    assert fit_document(fitted.text, other.schema, path="q").text == fitted.text


def test_a_schema_with_interfaces_and_unions_is_pulled_whole() -> None:
    def ask(document: str) -> dict[str, object]:
        return {"data": graphql_sync(SCHEMA, document).data}

    found = pull_schema(ask, known=SCHEMA, documents=[], report=lambda _: None)
    assert not found.learned
    assert print_schema(found.schema) == print_schema(SCHEMA)


def test_what_is_learned_without_introspection_leaves_a_union_out_and_says_so() -> None:
    schema = build_schema(
        """
        union Entry = Identifier | Other
        type Identifier { name: String }
        type Other { value: String }
        interface Named { name: String }
        type Group implements Named { name: String }
        type Query { personTargetDataByUmid(umid: String!): PersonTargetData }
        type PersonTargetData { profileId: String  owner: Named  identifiers: [Entry] }
        """
    )
    found = pulled(Server(core, schema))
    assert "identifiers" not in found.sdl.split("type PersonTargetData")[1]
    assert any("identifiers: [Entry] is there, but nothing is known inside" in note for note in found.notes)
    assert "type Named {\n  name: String\n}" in found.sdl
    text = "query ($k: String!) { personTargetDataByUmid(umid: $k) { profileId owner { name } } }"
    assert not validate(schema, parse(fit_document(text, found.schema, path="q").text))

"""Drafts of queries: whatever the schema, what is drafted fits it and loads."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.errors import QueryError
from resources.graphql.plan import Keyed, Paging
from resources.graphql.query import Query
from resources.graphql.schema.drafting.draft import MOST_FIELDS, Draft, Order, draft_query
from resources.graphql.schema.drafting.finding import all_roots
from tests.conftest import ROOT
from tests.schema.random_schemas import schemas

FOLDER = ROOT / "tests" / "schemas"
KINDS = {
    "anilist": {"lookup", "page", "whole"},
    "github": {"lookup", "cursor", "whole"},
    "hasura": {"lookup", "offset"},
    "rickandmorty": {"lookup", "page"},
    "shopify": {"lookup", "cursor", "whole"},
}
TYPES = """
scalar DateTime
enum Kind { BIG SMALL }
input Filter { kind: Kind! changedFrom: DateTime changedTo: DateTime }
interface Node { id: ID! }
union Thing = Image | Video
type Image implements Node { id: ID! size: Int  title: String }
type Video implements Node { id: ID! size: String title: String frames(first: Int): [Image] }
type Info { hasNextPage: Boolean! endCursor: String }
type Things { nodes: [Thing!]! pageInfo: Info! }
type Tag { tagId: ID! name: String fooBar: Int foo_bar: Int old: Int @deprecated parent: Tag thing: Thing }
type Tags { tags: [Tag] more: [Tag] }
type Shelf { name: String tags: [Tag!]! }
type Query {
  tag(key: String!, lang: String): Tag
  byKind(kind: Kind!): Tag
  byRange(start: Int!, end: Int!, tag: ID!): Tag
  maybe(id: ID, kind: Kind): Tag
  things(first: Int, after: String, createdFrom: DateTime, createdTo: DateTime, updatedFrom: DateTime,
    updatedTo: DateTime): Things!
  filtered(first: Int, after: String, filter: Filter!): Things!
  lost(after: String): [Tag]
  tags: Tags
  shelf: Shelf
  node(id: ID!): Node
  count: Int
  payments(state: Kind, max: Int, status: Int, filter: ByKind): [Tag]
  sized(first: Int, state: Kind): [Tag]
  bySize(id: ID!, size: Int!): Tag
  books(page: Int): [Tag]
  grid: [[Tag]]
  gridInside(page: Int): Grid
  stats: Stats
}
input ByKind { kind: Kind }
type Grid { cells: [[Tag]] }
type Stats { count: Int by_state: [String] list: [Tag] pageInfo: Info }
"""


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(TYPES)


def draft(schema: GraphQLSchema, root: str, **order: object) -> Draft:
    return draft_query(schema, Order(name="x", root=root, **order), lambda *_: None)


def flat(found: Draft) -> str:
    return " ".join(found.text.split())


def test_a_lookup_asks_for_its_required_arguments_and_selects_all_to_the_depth(schema: GraphQLSchema) -> None:
    found = draft(schema, "tag", depth=1)
    assert flat(found) == (
        "query x($key: String!) { tag(key: $key) { tagId name fooBar foo_barOfTag: foo_bar } }"
    )
    assert (found.keys, found.identity, found.window) == (("key",), "tagId", None)
    assert found.left_out == {
        "deprecated": ["Tag.old"],
        "leads back to where it came from": ["Tag.parent"],
        "deeper than --depth": ["Tag.thing"],
    }


def test_without_an_identity_no_column_is_named_as_a_key(schema: GraphQLSchema) -> None:
    found = draft(schema, "node", identity="")
    assert "idOfNode: id" in found.text
    assert found.identity is None


def test_fields_of_several_types_stand_in_fragments_and_do_not_clash(schema: GraphQLSchema) -> None:
    found = draft(schema, "things")
    assert "nodes { __typename ... on Image { id size title } ... on Video { id sizeOfVideo: size" in flat(
        found
    )
    assert found.identity == "id"
    assert found.left_out == {"a list with pages of its own": ["Video.frames"]}


def test_a_list_has_variables_for_its_position_size_and_the_window_of_changes(schema: GraphQLSchema) -> None:
    found = draft(schema, "things")
    assert flat(found).startswith(
        "query x($after: String, $first: Int, $from: DateTime, $to: DateTime) "
        "{ things(after: $after, first: $first, updatedFrom: $from, updatedTo: $to) {"
    )
    assert flat(found).endswith("pageInfo { hasNextPage endCursor } } }")
    assert found.window == ("from", "to")


def test_what_an_edge_says_of_its_row_comes_with_it() -> None:
    known = build_schema((FOLDER / "anilist.graphql").read_text())
    found = draft(known, "Media.characters", rows="edges")
    assert "edges { idOfCharacterEdge: id role node { id name } }" in flat(found)


def test_keys_that_would_be_taken_for_a_window_have_other_names(schema: GraphQLSchema) -> None:
    assert draft(schema, "byRange").keys == ("start1", "end1", "tag")


def test_an_argument_that_is_not_required_is_a_key_if_that_is_said(schema: GraphQLSchema) -> None:
    assert draft(schema, "maybe").root.kind == "whole"
    found = draft(schema, "maybe", keys=["id"], given={"kind": "BIG"})
    assert flat(found).startswith("query x($id: ID!) { maybe(kind: BIG, id: $id) {")


def test_an_object_with_lists_inside_says_that_it_is_the_row(schema: GraphQLSchema) -> None:
    assert draft(schema, "shelf").paging == {"rows": "shelf"}
    assert draft(schema, "tags", rows="more").root.envelope.rows == ("more",)


def test_a_list_that_may_be_a_page_says_that_one_answer_is_all(schema: GraphQLSchema) -> None:
    found = draft(schema, "payments", given={"filter": "{kind: SMALL}"})
    assert (found.paging, found.limits) == ({"strategy": "whole"}, ())
    assert found.conditions == {"filter.kind": "SMALL"}
    check(schema, found)


def test_a_key_that_is_named_like_a_size_is_one(schema: GraphQLSchema) -> None:
    found = draft(schema, "bySize")
    assert (found.keys, found.paging) == (("id", "size"), {"strategy": "keyed"})
    check(schema, found)


def test_fixed_values_say_which_rows_there_are_and_how_many(schema: GraphQLSchema) -> None:
    found = draft(schema, "sized", given={"first": "3", "state": "BIG"})
    assert (found.conditions, found.limits) == ({"state": "BIG"}, ("at most 3 rows (first)",))
    assert found.paging == {"strategy": "whole"}
    assert draft(schema, "books", given={"page": "2"}).limits == ("only what the query's page gives",)
    by_three = draft(schema, "things", given={"first": "3"})
    assert (by_three.root.kind, by_three.limits) == ("cursor", ())
    check(schema, by_three)


def test_what_stands_beside_the_rows_is_named_as_left_out(schema: GraphQLSchema) -> None:
    left = draft(schema, "stats", rows="list").left_out
    assert left["beside the rows, so in no table"] == ["Stats.count", "Stats.by_state"]
    assert "beside the rows, so in no table" not in draft(schema, "things").left_out


def test_a_value_is_written_as_its_type_wants_it(schema: GraphQLSchema) -> None:
    assert 'tag(key: "BIG", lang: "12")' in draft(schema, "tag", given={"key": "BIG", "lang": "12"}).text
    whole = draft(schema, "filtered", given={"filter": "{kind: BIG}"})
    assert "filter: {kind: BIG}" in whole.text
    assert whole.window is None
    inside = draft(schema, "filtered", given={"filtered.filter.kind": "BIG"})
    assert "filter: {kind: BIG, changedFrom: $from, changedTo: $to}" in inside.text


def test_a_person_is_asked_for_what_is_required(schema: GraphQLSchema) -> None:
    asked: list[tuple[str, bool]] = []

    def answer(slot: object, may_be_key: bool) -> str | None:
        asked.append((slot.name, may_be_key))  # type: ignore[attr-defined]
        return {"start": "1", "kind": "SMALL"}.get(slot.name)  # type: ignore[attr-defined]

    found = draft_query(schema, Order(name="x", root="byRange"), answer)
    assert found.keys == ("end", "tag")
    assert "byKind(kind: SMALL)" in draft_query(schema, Order(name="x", root="byKind"), answer).text
    assert asked == [("start", True), ("end", True), ("tag", True), ("kind", False)]


@pytest.mark.parametrize(
    ("root", "order", "message"),
    [
        ("tgas", {}, r"there is no root field tgas; did you mean tags or things\? There are: tag, byKind"),
        ("shelf.nmae", {}, r"there is no field nmae; did you mean name\?"),
        ("count", {}, "count is Int: it has no rows"),
        (
            "byKind",
            {},
            r"only you know: kind \(Kind!: BIG, SMALL\); give them as in --arg kind=",
        ),
        ("byKind", {"given": {"kind": "HUGE"}}, r"'HUGE' is no value for kind \(Kind!: BIG, SMALL\)"),
        ("byKind", {"given": {"knid": "BIG"}}, "there is no argument knid; there are: kind"),
        ("lost", {}, "lost takes after, but nothing in its answer is named like a next cursor"),
        ("tags", {"rows": "nodes"}, "Tags has no list nodes; there are: tags, more"),
        ("grid", {}, r"the rows would be lists \(\[\[Tag\]\]\), which no table holds"),
        ("gridInside", {}, r"the rows would be lists \(\[\[Tag\]\]\)"),
        ("things", {"keys": ["first"]}, "it is not looked up by key"),
    ],
)
def test_what_cannot_be_drafted_is_refused_with_what_to_say(
    root: str, order: dict[str, object], message: str, schema: GraphQLSchema
) -> None:
    with pytest.raises(QueryError, match=message):
        draft(schema, root, **order)


def test_a_draft_stays_small_unless_somebody_chooses_its_depth() -> None:
    wide = " ".join(f"f{i}: Int" for i in range(20))
    objects = " ".join(f"o{i}: B" for i in range(30))
    big = build_schema(f"type B {{ {wide} }} type A {{ {wide} {objects} }} type Query {{ a(id: ID!): A }}")
    found = draft(big, "a")
    assert found.depth == 1
    assert found.text.count("\n") < MOST_FIELDS
    assert draft(big, "a", depth=2).text.count("f0") == 31


def loaded(schema: GraphQLSchema, found: Draft) -> Query:
    """Load a draft as the asset does that is written beside it."""
    paging = Paging(**found.paging) if found.paging else None
    return Query.parse(
        found.text, schema=schema, path="x.graphql", name="x", identity=found.identity, paging=paging
    )


def check(schema: GraphQLSchema, found: Draft) -> None:
    """Say whether a draft fits its schema and is read as it says."""
    assert validate(schema, parse(found.text)) == [], found.text
    query = loaded(schema, found)
    assert ("lookup" if isinstance(query.plan, Keyed) else query.plan.strategy) == found.root.kind
    assert (query.window.names if query.window else None) == found.window
    if isinstance(query.plan, Keyed):
        assert tuple(key.variable.name.value for key in query.plan.keys) == found.keys
    else:
        assert query.plan.unused == ()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.graphql")), ids=lambda path: path.stem)
def test_drafts_for_schemas_like_those_of_well_known_apis_load(path: Path) -> None:
    known = build_schema(path.read_text())
    kinds = set()
    for root, _, _ in all_roots(known):
        given = {"query": "x", "type": "USER"} if root == "search" else {}
        rows = "media" if root == "Page" else None
        try:
            found = draft(known, root, given=given, rows=rows)
        except QueryError:
            continue
        check(known, found)
        kinds.add(found.root.kind)
    assert kinds == KINDS[path.stem]


@settings(max_examples=80)
@given(schemas(), st.integers(1, 4))
def test_whatever_the_schema_a_draft_fits_it_and_loads(sdl: str, depth: int) -> None:
    found = build_schema(sdl)
    for root, _, _ in all_roots(found):
        try:
            drafted = draft(found, root, depth=depth, given={})
        except QueryError:
            continue
        check(found, drafted)

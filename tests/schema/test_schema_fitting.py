"""Documents are rewritten to fit a schema: given ones, and those of any relative of the known one."""

import re
from collections.abc import Iterator

import pytest
from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLSchema,
    SelectionSetNode,
    build_schema,
    get_named_type,
    parse,
    print_schema,
    validate,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.errors import QueryError
from resources.graphql.query import Query
from resources.graphql.schema import fit_document
from tests.imitations import DOCUMENT, FOREIGN, KNOWN, Imitation, Server, core, java, no_suggestions, pulled


def test_a_document_that_fits_stays_as_it_is() -> None:
    text = (
        "# why\nquery q($umid: String!) { personTargetDataByUmid(umid: $umid) { owner, # odd\n profileId } }"
    )
    fitted = fit_document(text, KNOWN, path="q.graphql")
    assert (fitted.text, fitted.diff, fitted.dropped, fitted.added) == (text, "", (), ())
    assert "PersonTargetData.umdids: [Identifier]" in fitted.addable


def test_what_was_renamed_is_replaced_and_what_needs_arguments_is_offered() -> None:
    fitted = fit_document(f"# kept\n\n{DOCUMENT}", FOREIGN, path="profiles.graphql")
    flat = " ".join(fitted.text.split())
    assert flat.startswith("# kept query profiles($umid: ID!) { personTargetDataByUmid(umid: $umid) {")
    assert "attributes { fieldName fieldValue score }" in flat
    assert "permissions { permission granted timestamp }" in flat
    assert "identifiers { name kind id primary }" in flat
    assert "cookieConsents { domain details { purpose given } }" in flat
    assert "AttributeEntry.changeDate" in fitted.dropped
    assert "AttributeEntry.fieldName" in fitted.added
    assert (
        "Person.identifiersByName(names: [String!]!): [IdentifierEntry] (needs arguments)" in fitted.addable
    )
    assert "+      fieldName\n" in fitted.diff
    Query.parse(fitted.text, schema=FOREIGN, path="p", name="profiles", identity="profileId")


SMALL = build_schema(
    """
    type Query { one(id: ID!, lang: String): Row  all: [Row] }
    type Row {
      id: ID  size: Size  flat: String  many(first: Int!): [Part]  part: Part  empty: Empty  kept: String
    }
    type Size { width: Int  unit(system: String!): String }
    type Part { a: String  b: String }
    type Empty { deep(x: Int!): String }
    """
)


def fitted_small(text: str) -> tuple[str, tuple[str, ...]]:
    fitted = fit_document(text, SMALL, path="small.graphql")
    assert not validate(SMALL, parse(fitted.text))
    return " ".join(fitted.text.split()), fitted.dropped


@pytest.mark.parametrize(
    ("old", "new", "dropped"),
    [
        ("{ all { id size } }", "{ all { id size { width } } }", ()),
        ("{ all { id flat { x } } }", "{ all { id flat } }", ()),
        (
            "query ($n: Int) { all { id(n: $n) kept } }",
            "{ all { id kept } }",
            ("Row.id(n): there is no such argument", "$n"),
        ),
        (
            "{ all { id empty { deep } } }",
            "{ all { id size { width } part { a b } } }",
            (
                "Empty.deep: it needs arguments (x: Int!)",
                "Row.empty: nothing can be selected inside Empty",
            ),
        ),
        (
            "{ all { x: id part { a gone b: a } } }",
            "{ all { x: id part { a b: a } } }",
            ("Part.gone",),
        ),
        (
            "query ($k: String!) { one(id: $k) { ...F } } fragment F on Old { id part { ...G } }"
            " fragment G on Part { gone }",
            "query ($k: ID!) { one(id: $k) { ...F } } fragment F on Row { id part { a b } }",
            ("Part.gone",),
        ),
        ("{ all { ... on Old { id } } }", "{ all { ... on Row { id } } }", ()),
    ],
)
def test_documents_are_fitted(old: str, new: str, dropped: tuple[str, ...]) -> None:
    assert fitted_small(old) == (new, dropped)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ none { id } }", r"^small.graphql:1:3: there is no root field none; there are one, all$"),
        ("{ one { id } }", r"^small.graphql:1:1: nothing is left to select: Query.one: it needs arguments"),
        ("{ all { id @odd } }", r"^small.graphql:1:12: Unknown directive '@odd'"),
        ("{ all { id }", r"^small.graphql:1:13: Syntax Error"),
        ("mutation { drop }", r"^small.graphql:1:1: a query is expected"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        fit_document(text, SMALL, path="small.graphql")


TYPES = ("Identifier", "AttributeDto", "PermissionDto", "Notification", "UsedAppDto", "ConsentPurpose")
NEW_FIELDS = ("label: String!", "granted: Boolean", "score: Float", "count: Int", "code(x: Int!): String")


@st.composite
def relatives(draw: st.DrawFn) -> GraphQLSchema:
    """The known schema with fields renamed, removed and added, and some turned into objects or leaves."""
    sdl = print_schema(KNOWN)
    for name in draw(st.sets(st.sampled_from(TYPES))):
        block = re.search(rf"type {name} \{{\n(.*?)\}}", sdl, re.DOTALL)
        assert block
        old = block[1].splitlines()
        kept = [line for line in old if draw(st.booleans())]
        new = draw(st.sets(st.sampled_from(NEW_FIELDS), min_size=0 if kept else 1))
        sdl = sdl.replace(block[0], "\n".join([f"type {name} {{", *kept, *sorted(new), "}"]))
    turns = {
        "  owner: String\n": "  owner: [Notification]\n",
        "  category: String\n": "",
        "  usedApps: [UsedAppDto]": "  usedApps: [String]",
        "  permissions: [PermissionDto]": "  rights: [PermissionDto]",
        "umid: String!": "umid: ID!",
    }
    for before in draw(st.sets(st.sampled_from(sorted(turns)))):
        sdl = sdl.replace(before, turns[before])
    return build_schema(sdl)


def paths(text: str, schema: GraphQLSchema) -> set[str]:
    """The paths of a document's fields, as far as a schema has them and they need no arguments."""

    def below(node: FieldNode | SelectionSetNode | None, type_: object, above: str) -> Iterator[str]:
        selections = node.selection_set if isinstance(node, FieldNode) else node
        for field in selections.selections if selections else ():
            assert isinstance(field, FieldNode)
            known = type_.fields.get(field.name.value) if isinstance(type_, GraphQLObjectType) else None
            if known:
                path = f"{above}/{field.name.value}"
                yield path
                yield from below(field, get_named_type(known.type), path)

    operation = parse(text).definitions[0]
    return set(below(operation.selection_set, schema.query_type, ""))  # type: ignore[attr-defined]


def empty_paths(text: str, schema: GraphQLSchema) -> set[str]:
    """Paths of objects inside which nothing without arguments can be selected."""
    gone = {n for n, t in schema.type_map.items() if isinstance(t, GraphQLObjectType) and _only_demanding(t)}
    found = set()
    for path in paths(text, schema):
        type_: object = schema.query_type
        for name in path.split("/")[1:]:
            assert isinstance(type_, GraphQLObjectType)
            type_ = get_named_type(type_.fields[name].type)
        if isinstance(type_, GraphQLObjectType) and type_.name in gone:
            found.add(path)
    return found


def _only_demanding(type_: GraphQLObjectType) -> bool:
    return not type_.name.startswith("__") and all(field.args for field in type_.fields.values())


@given(relatives())
@settings(max_examples=60)
def test_a_fitted_document_is_valid_and_keeps_all_that_both_have(schema: GraphQLSchema) -> None:
    fitted = fit_document(DOCUMENT, schema, path="profiles.graphql")
    assert not validate(schema, parse(fitted.text))
    both = paths(DOCUMENT, schema) - empty_paths(DOCUMENT, schema)
    assert both <= paths(fitted.text, schema)
    again = fit_document(fitted.text, schema, path="profiles.graphql")
    assert again.text == fitted.text


@given(relatives(), st.sampled_from([core, no_suggestions, java]))
@settings(max_examples=8)
def test_what_fits_the_learned_schema_is_valid_on_the_server(schema: GraphQLSchema, words: Imitation) -> None:
    learned = pulled(Server(words, schema)).schema
    fitted = fit_document(DOCUMENT, learned, path="profiles.graphql")
    assert not validate(schema, parse(fitted.text))
    both = paths(DOCUMENT, schema) - empty_paths(DOCUMENT, schema)
    assert both <= paths(fitted.text, schema)

"""Schemas: pulled, or learned from what a server refuses, whatever its words; documents rewritten to fit."""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    SelectionSetNode,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    print_schema,
    specified_rules,
    validate,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.errors import QueryError
from resources.graphql.query import Query
from resources.graphql.schema import Ask, PulledSchema, fit_document, pull_schema
from resources.graphql.schema.prober import MOST_DOCUMENTS
from resources.graphql.schema.wording import ABSENT, ARGUMENT_NEEDED, needed_arguments, stated_type
from tests.conftest import PROFILES_QUERY, ROOT, SCHEMA
from tests.sandbox import Sandbox

KNOWN = build_schema(SCHEMA.read_text(encoding="utf-8"))
DOCUMENT = PROFILES_QUERY.read_text(encoding="utf-8")
FOREIGN = build_schema(
    """
    scalar Instant
    enum Kind { UMID GUID }
    type Query {
      personTargetDataByUmid(umid: ID!): Person
      personTargetDataByAnyId(idName: String!, idValue: String!): Person
    }
    type Person {
      profileId: String!  owner: String  category: String  source: String  testProfile: Boolean!
      changeDate: Instant  lastSeen: Instant
      identifiers: [IdentifierEntry!]!
      identifiersByName(names: [String!]!): [IdentifierEntry]
      valueByKey(key: Int!): String
      attributes: [AttributeEntry]  permissions: [PermissionEntry]
      notifications: [Notice]  usedApps: [App]  cookieConsents: [Consent]
    }
    type IdentifierEntry { name: String  kind: Kind  id: ID!  primary: Boolean  owner: Person }
    type AttributeEntry { fieldName: String!  fieldValue: String  score: Float }
    type PermissionEntry { permission: String  granted: Boolean  timestamp: Instant }
    type Notice { title: String  version: Int }
    type App { qqUnheardOf: String }
    type Consent { domain: String  details: ConsentDetails }
    type ConsentDetails { purpose: String  given: Boolean }
    """
)
Errors = list[dict[str, Any]]
Imitation = Callable[[list[GraphQLError], DocumentNode], Errors]


class Server:
    """A schema with real validation and execution, and errors as some implementation words them."""

    def __init__(
        self, imitation: Imitation, schema: GraphQLSchema = FOREIGN, most_fields: int = 10**6
    ) -> None:
        self.asked: list[str] = []
        self._imitation = imitation
        self._schema = schema
        self._most_fields = most_fields

    def __call__(self, text: str) -> Mapping[str, object]:
        self.asked.append(text)
        document = parse(text)
        if len(text.split("\n")) > self._most_fields:
            return {"errors": [{"message": "Query is too complex"}]}
        rules = [*specified_rules, NoSchemaIntrospectionCustomRule]
        errors = validate(self._schema, document, rules)
        if errors:
            return {"errors": self._imitation(errors, document)}
        return dict(execute_sync(self._schema, document).formatted)


def core(errors: list[GraphQLError], _: DocumentNode) -> Errors:
    return [dict(error.formatted) for error in errors]


def double_quotes(errors: list[GraphQLError], document: DocumentNode) -> Errors:
    return [e | {"message": e["message"].replace("'", '"')} for e in core(errors, document)]


def no_suggestions(errors: list[GraphQLError], document: DocumentNode) -> Errors:
    return [e | {"message": e["message"].split(" Did you")[0]} for e in core(errors, document)]


def no_locations(errors: list[GraphQLError], _: DocumentNode) -> Errors:
    return [{"message": error.message} for error in errors]


def only_locations(errors: list[GraphQLError], document: DocumentNode) -> Errors:
    return [{"message": "invalid", "locations": e["locations"]} for e in core(errors, document)]


def only_first(errors: list[GraphQLError], document: DocumentNode) -> Errors:
    return core(errors, document)[:1]


def wordless(_: list[GraphQLError], __: DocumentNode) -> Errors:
    return [{"message": "Bad request"}]


JAVA = (
    (
        r"Cannot query field '(\w+)' on type '(\w+)'.*",
        "FieldUndefined",
        r"Field '\1' in type '\2' is undefined",
    ),
    (
        r"Field '(\w+)' must not have a selection since type '(.+)' has.*",
        "SubselectionNotAllowed",
        r"Subselection not allowed on leaf type '\2' of field '\1'",
    ),
    (
        r"Field '(\w+)' of type '(\S+)' must have a selection.*",
        "SubselectionRequired",
        r"Subselection required for type '\2' of field '\1'",
    ),
    (
        r"Field .* argument '(\w+)' of type .* required.*",
        "MissingFieldArgument",
        r"Missing field argument '\1'",
    ),
    (
        r"Variable '\$(\w+)' of type '(\S+)' used in position expecting type '(\S+)'.*",
        "VariableTypeMismatch",
        r"Variable '\1' of type '\2' used in position expecting type '\3'",
    ),
    (r"(.*)", "InvalidSyntax", r"\1"),
)


def java(errors: list[GraphQLError], document: DocumentNode) -> Errors:
    return [_java(e, document, "Validation error ({code}@[{path}]) : {text}") for e in errors]


def old_java(errors: list[GraphQLError], document: DocumentNode) -> Errors:
    form = "Validation error of type {code}: {text} @ '{path}'"
    found = [_java(e, document, form) for e in errors]
    return [e | {"message": re.sub(r"'(?=\S+ of field)|(?<=of field )'|'$", "", e["message"])} for e in found]


def _java(error: GraphQLError, document: DocumentNode, form: str) -> dict[str, Any]:
    pattern, code, words = next(row for row in JAVA if re.fullmatch(row[0], error.message, re.DOTALL))
    text = re.sub(pattern, words, error.message, count=1, flags=re.DOTALL)
    node = error.nodes[-1] if error.nodes else document
    path = dict(_paths(document.definitions[0].selection_set, "")).get(id(node), "")  # type: ignore[attr-defined]
    return {
        "message": form.format(code=code, text=text, path=path),
        "locations": [{"line": at.line, "column": at.column} for at in error.locations or ()],
        "extensions": {"classification": "ValidationError"},
    }


def _paths(selections: SelectionSetNode | None, above: str) -> Iterator[tuple[int, str]]:
    for node in selections.selections if selections else ():
        assert isinstance(node, FieldNode)
        path = f"{above}/{node.name.value}".lstrip("/")
        yield from [(id(node), path), (id(node.selection_set), path), *_paths(node.selection_set, path)]


def pulled(ask: Ask, reports: list[str] | None = None) -> PulledSchema:
    report = [].append if reports is None else reports.append
    return pull_schema(ask, known=KNOWN, documents=[DOCUMENT], report=report)


def fields(schema: GraphQLSchema, type_name: str) -> dict[str, str]:
    type_ = schema.get_type(type_name)
    assert isinstance(type_, GraphQLObjectType)
    return {name: str(field.type) for name, field in type_.fields.items()}


def test_introspection_gives_the_schema_in_the_servers_order() -> None:
    found = pulled(lambda text: dict(execute_sync(FOREIGN, parse(text)).formatted))
    assert not found.learned
    assert not found.notes
    assert found.sdl.startswith("# Pulled from the server by introspection")
    assert print_schema(found.schema) in found.sdl
    assert list(fields(found.schema, "Person")) == list(fields(FOREIGN, "Person"))


def test_a_plainer_introspection_follows_a_refused_one() -> None:
    def ask(text: str) -> Mapping[str, object]:
        if "description" in text:
            return {"data": None, "errors": [{"message": "too deep"}]}
        return dict(execute_sync(FOREIGN, parse(text)).formatted)

    assert not pulled(ask).learned


@pytest.mark.parametrize(
    "imitation", [core, double_quotes, no_suggestions, no_locations, java, old_java], ids=lambda i: i.__name__
)
def test_fields_and_types_are_learned_whatever_the_servers_words(imitation: Imitation) -> None:
    server = Server(imitation)
    reports: list[str] = []
    found = pulled(server, reports)
    assert found.learned
    assert len(server.asked) <= 90
    person = fields(FOREIGN, "Person")
    hidden = {"usedApps", "identifiersByName", "valueByKey"}
    assert {n: t for n, t in person.items() if n not in hidden}.items() <= fields(
        found.schema, "Person"
    ).items()
    for name in (
        "IdentifierEntry",
        "AttributeEntry",
        "PermissionEntry",
        "Notice",
        "Consent",
        "ConsentDetails",
    ):
        assert fields(found.schema, name) == fields(FOREIGN, name)
    assert "PersonTargetData.usedApps" not in found.sdl
    assert "# - Person.usedApps: [App] is there, but nothing is known inside App; it is left out" in found.sdl
    assert print_schema(build_schema(found.sdl)) == print_schema(found.schema)
    assert reports[-1].endswith("object types found")


def test_arguments_of_root_fields_get_the_servers_types() -> None:
    root = pulled(Server(no_suggestions)).schema.query_type
    assert root
    assert {n: {a: str(d.type) for a, d in f.args.items()} for n, f in root.fields.items()} == {
        "personTargetDataByUmid": {"umid": "ID!"},
        "personTargetDataByAnyId": {"idName": "String!", "idValue": "String!"},
    }


def test_suggestions_lead_to_fields_that_nobody_thought_of() -> None:
    found = pulled(Server(core))
    assert "identifiersByName(names: [String!]!): [IdentifierEntry]" in found.sdl


@pytest.mark.parametrize("imitation", [java, old_java, core, only_first], ids=lambda i: i.__name__)
def test_required_arguments_below_the_root_are_learned(imitation: Imitation) -> None:
    known = build_schema(
        print_schema(KNOWN).replace(
            "owner: String", "owner: String identifiersByName: [Identifier] valueByKey: Int"
        )
    )
    found = pull_schema(Server(imitation), known=known, documents=[], report=lambda _: None)
    assert "identifiersByName(names: [String!]!): [IdentifierEntry]" in found.sdl
    assert "valueByKey(key: Int!): String" in found.sdl


@pytest.mark.parametrize("imitation", [only_first, wordless, only_locations], ids=lambda i: i.__name__)
def test_servers_that_say_little_are_asked_more_but_never_without_end(imitation: Imitation) -> None:
    server = Server(imitation)
    found = pulled(server)
    assert len(server.asked) <= MOST_DOCUMENTS + 2
    fitted = fit_document(DOCUMENT, found.schema, path="profiles.graphql")
    if imitation is not only_first:
        assert "fieldName" in fitted.text
        assert "granted" in fitted.text
    assert "# - " in found.sdl
    names = {"profileId", "owner", "testProfile", "lastSeen", "identifiers"}
    root = found.schema.query_type
    assert root
    person = get_named_type(root.fields["personTargetDataByUmid"].type)
    assert isinstance(person, GraphQLObjectType)
    assert names <= set(person.fields)


def test_documents_shrink_where_the_server_finds_them_too_complex() -> None:
    server = Server(no_suggestions, most_fields=30)
    found = pulled(server)
    assert fields(found.schema, "AttributeEntry") == fields(FOREIGN, "AttributeEntry")
    assert len(server.asked) < 250


def test_nothing_but_dummies_is_looked_up_and_no_aliases_are_used() -> None:
    server = Server(core)
    pulled(server)
    literals = {text for document in server.asked for text in re.findall(r'"([^"]*)"', document)}
    assert literals <= {"schema-probe"}
    assert not any(re.search(r"^\w+: ", document, re.MULTILINE) for document in server.asked)


def test_a_server_without_any_of_the_root_fields_is_an_error_with_its_words() -> None:
    with pytest.raises(QueryError, match=r"none of the root fields.*personTargetDataByUmid.*Bad request"):
        pulled(lambda _: {"errors": [{"message": "Bad request"}]})


@pytest.mark.parametrize(
    ("message", "field", "type_"),
    [
        ('Field "x" of type "[T!]!" must have a selection of subfields.', "x", "[T!]!"),
        (
            "Validation error of type SubSelectionRequired: Sub selection required for type [T] of field x",
            "x",
            "[T]",
        ),
        (
            "Validierungsfehler (X@[a/x]) : Unterauswahl für Blatttyp 'Int!' von Feld 'x' nicht erlaubt",
            "x",
            "Int!",
        ),
        ("Field must have selections (field 'type' returns Kind but has no selections.)", "type", "Kind"),
        ("Bad request", "x", None),
    ],
)
def test_types_are_read_from_messages(message: str, field: str, type_: str | None) -> None:
    assert stated_type([message], field) == type_


def test_absence_and_missing_arguments_are_told_apart() -> None:
    missing = "Validation error of type MissingFieldArgument: Missing field argument names @ 'a/b'"
    assert ARGUMENT_NEEDED.search(missing)
    assert not ABSENT.search(missing)
    assert needed_arguments([missing]) == {"names": None}


# fitting


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
        sdl = sdl.replace(block[1], "\n".join([*kept, *sorted(new)]) + "\n")
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


@pytest.mark.parametrize("suggestions", [True, False])
def test_the_foreign_account_is_learned_over_http(suggestions: bool) -> None:
    with Sandbox(people=5, variant="foreign", suggestions=suggestions) as sandbox:
        form = f"refresh_token={sandbox.refresh_token}".encode()
        token = str(_post(f"{sandbox.url}/auth/token", form, {})["access_token"])
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        found = pulled(
            lambda text: _post(f"{sandbox.url}/graphql", json.dumps({"query": text}).encode(), headers)
        )
        asked = len(sandbox.requests) - 1
    real = build_schema(Path(ROOT / "tests/sandbox/foreign.graphql").read_text(encoding="utf-8"))
    assert asked < 90
    fitted = fit_document(DOCUMENT, found.schema, path="profiles.graphql")
    assert not validate(real, parse(fitted.text))
    for name in (
        "IdentifierEntry",
        "AttributeEntry",
        "PermissionEntry",
        "Notice",
        "Consent",
        "ConsentDetails",
    ):
        assert fields(found.schema, name) == fields(real, name)


def _post(url: str, body: bytes, headers: dict[str, str]) -> dict[str, object]:
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            answer: dict[str, object] = json.load(response)
    except HTTPError as error:
        with error:
            answer = json.load(error)
    return answer

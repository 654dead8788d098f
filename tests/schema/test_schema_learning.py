"""A schema is pulled, or learned from what a server refuses, whatever its words."""

import json
import re
import urllib.request
from collections.abc import Mapping
from urllib.error import HTTPError

import pytest
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    print_schema,
    validate,
)

from resources.errors import QueryError
from resources.graphql.schema import fit_document, pull_schema
from resources.graphql.schema.pulling.prober import MOST_DOCUMENTS
from resources.graphql.schema.pulling.wording import ABSENT, ARGUMENT_NEEDED, needed_arguments, stated_type
from tests.conftest import ROOT
from tests.imitations import (
    DOCUMENT,
    FOREIGN,
    KNOWN,
    Imitation,
    Server,
    core,
    double_quotes,
    hot_chocolate,
    java,
    no_locations,
    no_suggestions,
    old_java,
    only_first,
    only_locations,
    pulled,
    wordless,
)
from tests.sandbox import Sandbox


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
    real = build_schema((ROOT / "tests/sandbox/foreign.graphql").read_text(encoding="utf-8"))
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


def test_a_server_that_names_no_types_gets_a_query_that_it_accepts() -> None:
    found = pulled(Server(hot_chocolate))
    fitted = fit_document(DOCUMENT, found.schema, path="profiles.graphql")
    assert validate(FOREIGN, parse(fitted.text)) == []
    assert {"fieldName", "granted", "kind"} <= set(re.findall(r"\w+", fitted.text))

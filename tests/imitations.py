"""Servers to learn schemas from: validation and execution are real, errors are worded as by others."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    SelectionSetNode,
    build_schema,
    execute_sync,
    parse,
    specified_rules,
    validate,
)

from resources.graphql.schema import Ask, PulledSchema, pull_schema
from tests.conftest import PROFILES_QUERY, SCHEMA

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


HOT_CHOCOLATE = (
    (r"Cannot query field '(\w+)' on type '(\w+)'.*", r"The field `\1` does not exist on the type `\2`."),
    (
        r"Field '(\w+)' must not have a selection since type .*",
        r"`\1` returns a scalar value. Selections on scalars or enums are never allowed, because they are "
        r"the leaf nodes of any GraphQL query.",
    ),
    (
        r"Field '(\w+)' of type '\S+' must have a selection.*",
        r"`\1` is an object, interface or union type field. Leaf selections on objects, interfaces, and "
        r"unions without subfields are disallowed.",
    ),
    (r"Field .* argument '(\w+)' of type .* required.*", r"The argument `\1` is required."),
    (
        r"Variable '\$(\w+)' of type .* used in position.*",
        r"The variable `\1` is not compatible with the type of the current location.",
    ),
    (r"Unknown argument '(\w+)' on field .*", r"The argument `\1` does not exist."),
    (r"(.*)", r"\1"),
)


def hot_chocolate(errors: list[GraphQLError], _: DocumentNode) -> Errors:
    """At most five errors; no types are named."""
    found = []
    for error in errors[:5]:
        pattern, words = next(row for row in HOT_CHOCOLATE if re.fullmatch(row[0], error.message, re.DOTALL))
        text = re.sub(pattern, words, error.message, count=1, flags=re.DOTALL)
        places = [{"line": at.line, "column": at.column} for at in error.locations or ()]
        found.append({"message": text, "locations": places, "extensions": {"code": "HC0001"}})
    return found


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
    fields = [n for n in (selections.selections if selections else ()) if isinstance(n, FieldNode)]
    for node in fields:
        path = f"{above}/{node.name.value}".lstrip("/")
        yield from [(id(node), path), (id(node.selection_set), path), *_paths(node.selection_set, path)]


def pulled(ask: Ask, reports: list[str] | None = None) -> PulledSchema:
    report = [].append if reports is None else reports.append
    return pull_schema(ask, known=KNOWN, documents=[DOCUMENT], report=report)

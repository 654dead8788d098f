"""The sandbox's GraphQL: schemas over plain dictionaries, validated and executed by graphql-core."""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    execute_sync,
    parse,
    specified_rules,
    validate,
)

from tests.sandbox.foreign import foreign
from tests.sandbox.lists import Lists
from tests.sandbox.people import Person, umids

FILES = {"targetdata": "schema.graphql", "foreign": "foreign.graphql", "lists": "lists.graphql"}
FOREIGN_ALIASES = 5
KEYS = {"umid", "profileId", "idValue"}  # arguments of the lookups
CACHED_DOCUMENTS = 256


class Graph:
    """One variant of the API over some people."""

    def __init__(
        self,
        people: list[Person],
        variant: str,
        *,
        max_page_size: int,
        suggestions: bool,
        edits: Mapping[str, str],
    ) -> None:
        self.variant = variant
        self._edits = edits
        shown = [foreign(p) for p in people] if variant == "foreign" else people
        self._by_umid = {u: s for p, s in zip(people, shown, strict=True) for u in umids(p)}
        self._by_profile_id = {s["profileId"]: s for s in shown}
        self._by_any_id = {
            (i["name"], i["value"]): s
            for p, s in zip(people, shown, strict=True)
            for i in p["identifiers"]
            if i
        }
        self._lists = Lists(shown, max_page_size)
        self._suggestions = suggestions
        self._schema = self._executable()
        self._documents: OrderedDict[str, tuple[DocumentNode, list[GraphQLError]]] = OrderedDict()

    def person_of(self, umid: str) -> Person | None:
        """Give the person of a umid."""
        return self._by_umid.get(umid)

    def checked(self, text: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
        """Parse and validate a document; results are kept for the documents seen last."""
        if text not in self._documents:
            try:
                document = parse(text)
            except GraphQLError as error:
                return None, [error]
            self._documents[text] = document, validate(self._schema, document, self._rules(), max_errors=1000)
            if len(self._documents) > CACHED_DOCUMENTS:
                self._documents.popitem(last=False)
        return self._documents[text]

    def execute(self, document: DocumentNode, variables: dict[str, Any]) -> dict[str, Any]:
        """Execute a valid document."""
        result = execute_sync(self._schema, document, variable_values=variables)
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = self.formatted(result.errors)
        return answer

    def formatted(self, errors: list[GraphQLError]) -> list[dict[str, Any]]:
        """Give errors as an answer has them."""
        found = [dict(error.formatted) for error in errors]
        if not self._suggestions:
            for error in found:
                error["message"] = error["message"].split(" Did you mean")[0]
        return found

    def _rules(self) -> list[Any]:
        closed = [NoSchemaIntrospectionCustomRule] if self.variant == "foreign" else []
        return [*specified_rules, *closed]

    def _executable(self) -> GraphQLSchema:
        text = (Path(__file__).parent / FILES[self.variant]).read_text(encoding="utf-8")
        for old, new in self._edits.items():
            assert old in text, f"the schema has no {old}"
            text = text.replace(old, new)
        schema = build_schema(text)
        assert schema.query_type
        resolvers = {
            "personTargetDataByUmid": lambda _, __, umid: self._by_umid.get(umid),
            "personTargetDataByProfileId": lambda _, __, profileId: self._by_profile_id.get(profileId),  # noqa: N803
            "personTargetDataByAnyId": lambda _, __, idName, idValue: self._by_any_id.get((idName, idValue)),  # noqa: N803
            "profiles": lambda _, __, first, after=None, changedFrom=None, changedTo=None: (  # noqa: N803
                self._lists.connection(first, after, changedFrom, changedTo)
            ),
            "profilesByOffset": lambda _, __, offset, limit, changedFrom=None, changedTo=None: (  # noqa: N803
                self._lists.offset(offset, limit, changedFrom, changedTo)
            ),
            "profilesByPage": lambda _, __, page, pageSize: self._lists.numbered(page, pageSize),  # noqa: N803
        }
        for name, field in schema.query_type.fields.items():
            field.resolve = resolvers[name]
        person = schema.get_type("PersonTargetData")
        for name, source in (("identifiersByName", "identifiers"), ("attributesByNames", "attributes")):
            if person is not None and name in person.fields:  # type: ignore[attr-defined]
                person.fields[name].resolve = _by_name(source)  # type: ignore[attr-defined]
        return schema


def _by_name(source: str) -> Any:
    return lambda person, _, names: [i for i in person[source] or [] if i and i["name"] in names]


def root_fields(document: DocumentNode) -> list[FieldNode]:
    """Give the fields of the first operation."""
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    return [s for s in operation.selection_set.selections if isinstance(s, FieldNode)]


def asked_keys(field: FieldNode, variables: dict[str, Any]) -> list[str]:
    """Give the keys that a lookup asks for."""
    found = []
    for argument in (a for a in field.arguments if a.name.value in KEYS):
        value = argument.value
        name = getattr(value, "name", None)
        found.append(str(variables.get(name.value) if name else getattr(value, "value", "")))
    return found


def fields_in(selections: SelectionSetNode | None) -> int:
    """Count the fields of a selection, at all depths."""
    fields = [s for s in (selections.selections if selections else ()) if isinstance(s, FieldNode)]
    return sum(1 + fields_in(f.selection_set) for f in fields)

"""Variable definitions after the selections were fitted: unused ones go, types follow their places."""

from collections.abc import Mapping

from graphql import (
    DocumentNode,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    is_type_sub_type_of,
    parse_type,
    type_from_ast,
    visit,
)

from resources.graphql.changed import with_changes
from resources.graphql.selection import nullable


def fit_variables(document: DocumentNode, schema: GraphQLSchema) -> tuple[DocumentNode, list[str]]:
    """Fit the variables of all operations; give also the names of those that nothing needs any more."""
    places = _places(document, schema)
    definitions = []
    dropped = []
    for node in document.definitions:
        if not isinstance(node, OperationDefinitionNode):
            definitions.append(node)
            continue
        variables = node.variable_definitions
        kept = tuple(_fitted(v, places, schema) for v in variables if v.variable.name.value in places)
        dropped += [f"${v.variable.name.value}" for v in variables if v.variable.name.value not in places]
        definitions.append(with_changes(node, variable_definitions=kept))
    return with_changes(document, definitions=tuple(definitions)), dropped


def _places(document: DocumentNode, schema: GraphQLSchema) -> dict[str, list[GraphQLInputType | None]]:
    """Give the types of the places where each variable stands."""
    info = TypeInfo(schema)
    places: dict[str, list[GraphQLInputType | None]] = {}

    class Places(Visitor):
        def enter_variable_definition(self, *_: object) -> object:
            return self.SKIP

        def enter_variable(self, node: VariableNode, *_: object) -> None:
            places.setdefault(node.name.value, []).append(info.get_input_type())

    visit(document, TypeInfoVisitor(info, Places()))
    return places


def _fitted(
    node: VariableDefinitionNode,
    places: Mapping[str, list[GraphQLInputType | None]],
    schema: GraphQLSchema,
) -> VariableDefinitionNode:
    """Declare another type where the declared one does not exist or does not fit its only place."""
    declared = type_from_ast(schema, node.type)
    types = {str(place): place for place in places[node.variable.name.value]}
    if len(types) != 1:
        return node
    text, expected = types.popitem()
    if expected is None:
        return node
    has_default = node.default_value is not None
    allowed = nullable(expected) if has_default else expected
    if declared is not None and is_type_sub_type_of(schema, declared, allowed):
        return node
    return with_changes(node, type=parse_type(text))

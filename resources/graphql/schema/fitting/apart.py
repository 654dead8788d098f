"""Selections whose fragments tell types apart: a table needs `__typename` beside them."""

from collections.abc import Mapping, Sequence

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    NameNode,
    SelectionNode,
    is_type_sub_type_of,
)

from resources.graphql.gaps import TYPENAME

Fragments = Mapping[str, FragmentDefinitionNode]


def missing_typename(
    selections: Sequence[SelectionNode], type_: GraphQLNamedType, schema: GraphQLSchema, fragments: Fragments
) -> list[FieldNode]:
    """Select `__typename` where a selection of several types lacks it, else nothing."""
    if _tells_apart(selections, type_, schema, fragments) and not _names_type(selections):
        return [FieldNode(name=NameNode(value=TYPENAME), arguments=(), directives=())]
    return []


def _names_type(selections: Sequence[SelectionNode]) -> bool:
    return any(isinstance(n, FieldNode) and n.name.value == TYPENAME and not n.alias for n in selections)


def _tells_apart(
    selections: Sequence[SelectionNode], type_: GraphQLNamedType, schema: GraphQLSchema, fragments: Fragments
) -> bool:
    """Say whether a fragment is on fewer objects than those of the type."""
    for node in selections:
        fragment = fragments.get(node.name.value) if isinstance(node, FragmentSpreadNode) else node
        if not isinstance(fragment, InlineFragmentNode | FragmentDefinitionNode):
            continue
        condition = fragment.type_condition and schema.get_type(fragment.type_condition.name.value)
        if condition and not is_type_sub_type_of(schema, type_, condition):
            return True
        if _tells_apart(fragment.selection_set.selections, type_, schema, fragments):
            return True
    return False

"""The document of a draft, written: a root field, its arguments, and the rows with what is around them."""

from collections.abc import Iterator, Mapping, Sequence

from graphql import (
    FieldNode,
    GraphQLNonNull,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    parse_type,
    print_ast,
)

from resources.graphql.columns import snake_case
from resources.graphql.schema.drafting.envelope import composite, said_beside
from resources.graphql.schema.drafting.roots import Root
from resources.graphql.schema.drafting.selecting import Selection, field_node, response_names
from resources.graphql.schema.drafting.slots import Slot, argument_nodes
from resources.graphql.schema.drafting.values import Values
from resources.graphql.selection import response_key
from resources.graphql.tables import FETCHED_AT

RESERVED = FETCHED_AT.name  # a column that every table has
WINDOW = ("from", "to")


def document_text(
    name: str, root: Root, row: Sequence[Selection], keys: Mapping[Slot, str], values: Values
) -> str:
    """Write the query for a row's selection; `keys` are the variables that take them."""
    variables = dict(keys) | {slot: slot.name for slot in (root.position, root.size) if slot}
    variables |= dict(zip(root.window or (), WINDOW, strict=False))
    inside: Sequence[Selection] = root.envelope.around(row, _beside(root, row))
    for level in reversed(range(len(root.path))):
        bound = values.at(level)
        if level == len(root.path) - 1:
            bound |= {slot.path: _variable(variable) for slot, variable in variables.items()}
        inside = [field_node(root.path[level], None, inside, argument_nodes(bound))]
    operation = OperationDefinitionNode(
        operation=OperationType.QUERY,
        name=NameNode(value=name),
        variable_definitions=tuple(_definition(slot, n, root) for slot, n in variables.items()),
        directives=(),
        selection_set=SelectionSetNode(selections=tuple(inside)),
    )
    return f"{print_ast(operation)}\n"


def _definition(slot: Slot, name: str, root: Root) -> VariableDefinitionNode:
    """Declare a variable as its argument is; a first position that the schema names stays one."""
    starts = slot == root.position and (root.kind == "page" or isinstance(slot.type, GraphQLNonNull))
    required = slot in root.keys and not isinstance(slot.type, GraphQLNonNull)
    return VariableDefinitionNode(
        variable=_variable(name),
        type=parse_type(f"{slot.type}{'!' if required else ''}"),
        default_value=slot.default_node if starts and root.kind != "offset" else None,
        directives=(),
    )


def _beside(root: Root, row: Sequence[Selection]) -> list[Selection]:
    """Select what an edge says of its row, under names that the row's columns leave free."""
    edge = root.envelope.edge
    if edge is None:
        return []
    columns = {snake_case(response_key(node)) for node in fields_in(row)}
    names = response_names(composite(edge), (), {RESERVED, *columns})
    return [field_node(name, names[edge.name, name]) for name in said_beside(edge)]


def fields_in(selections: Sequence[object]) -> Iterator[FieldNode]:
    """Give the fields of one level, those in fragments too."""
    for node in selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from fields_in(node.selection_set.selections)


def _variable(name: str) -> VariableNode:
    return VariableNode(name=NameNode(value=name))

"""How a drafted document is read: what the plan takes for a page, and what fixed values cut."""

from collections.abc import Mapping

from graphql import FieldNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, parse, print_ast

from resources.graphql.plan import Paging, infer_plan
from resources.graphql.scalars import Scalars
from resources.graphql.schema.drafting.roots import Root
from resources.graphql.schema.drafting.values import Values
from resources.graphql.selection import Selections, is_list


def may_be_a_page(
    text: str, schema: GraphQLSchema, *, rows: str | None, scalars: Mapping[str, str] | None
) -> bool:
    """Say whether the plan refuses a document unless one answer is said to be all."""
    document = parse(text)
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    field: FieldNode = Selections(schema, document).only_root(operation)
    try:
        infer_plan(operation, field, schema, Scalars(schema, scalars), Paging(rows=rows))
    except GraphQLError:
        return True
    return False


def limits(root: Root, values: Values) -> tuple[str, ...]:
    """Say what fixed sizes and positions leave of a list that is not read on."""
    gives_list = root.envelope.rows or is_list(root.fields[-1].type)
    if root.kind != "whole" or not gives_list:
        return ()
    fixed = [(slot, print_ast(node)) for slot, node in values.fixed if slot.pages]
    return tuple(
        f"at most {value} rows ({slot.name})" if slot.is_size else f"only what the query's {slot.name} gives"
        for slot, value in fixed
    )


def conditions(values: Values) -> dict[str, str]:
    """Give the fixed values that choose among rows, by the names of their arguments."""
    return {".".join(slot.path): print_ast(node) for slot, node in values.fixed if not slot.pages}

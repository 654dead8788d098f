"""A document's selection at another root field, so that two extracts cannot drift apart."""

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    is_required_argument,
    parse,
)


def at_root(document: DocumentNode, root: str, schema: GraphQLSchema) -> DocumentNode:
    """Ask for the same selection at another root field; its required arguments become variables.

    Variables that the selection itself takes stay as they are.
    """
    operation, *others = document.definitions
    field = schema.query_type.fields.get(root) if schema.query_type else None
    if not isinstance(operation, OperationDefinitionNode) or field is None:
        raise GraphQLError(
            f"the schema has no root field {root}, or the document does not begin with a query"
        )
    (old,) = (node for node in operation.selection_set.selections if isinstance(node, FieldNode))
    bound = {a.value.name.value for a in old.arguments if isinstance(a.value, VariableNode)}
    required = {name: str(a.type) for name, a in field.args.items() if is_required_argument(a)}
    new = _query(root, required, operation.name.value if operation.name else root)
    kept = [v for v in operation.variable_definitions if v.variable.name.value not in bound]
    new.variable_definitions = (*new.variable_definitions, *kept)
    (node,) = (node for node in new.selection_set.selections if isinstance(node, FieldNode))
    node.selection_set = old.selection_set
    node.loc = old.loc
    return DocumentNode(definitions=(new, *others), loc=document.loc)


def _query(root: str, arguments: dict[str, str], name: str) -> OperationDefinitionNode:
    """Write a query for a root field whose arguments are variables of the same names."""
    variables = ", ".join(f"${argument}: {type_}" for argument, type_ in arguments.items())
    bindings = ", ".join(f"{argument}: ${argument}" for argument in arguments)
    text = (
        f"query {name}({variables}) {{ {root}({bindings}) }}" if arguments else f"query {name} {{ {root} }}"
    )
    (operation,) = parse(text).definitions
    if not isinstance(operation, OperationDefinitionNode):
        raise TypeError(text)
    return operation

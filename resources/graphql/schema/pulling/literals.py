"""Values that make an argument valid and mean nothing."""

from graphql import (
    GraphQLEnumType,
    GraphQLSchema,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    TypeNode,
    parse_type,
    print_ast,
)

DUMMY = '"schema-probe"'
LITERALS = {
    "Int": "1",
    "Long": "1",
    "Float": "1",
    "Boolean": "false",
    "UUID": '"00000000-0000-0000-0000-000000000000"',
    "Instant": '"2000-01-01T00:00:00Z"',
    "DateTime": '"2000-01-01T00:00:00Z"',
    "Date": '"2000-01-01"',
}


def literal(type_: str, known: GraphQLSchema) -> str:
    """Write a value of a type."""
    return _literal(parse_type(type_), known)


def named(type_: str) -> str:
    """Give a type's name without list and non-null marks."""
    return type_.strip("[]!")


def required(type_: str) -> bool:
    """Tell whether a type does not allow null."""
    return type_.endswith("!")


def passed(arguments: dict[str, str], known: GraphQLSchema) -> str:
    """Write the required arguments with values: '(umid: "schema-probe")'."""
    values = [f"{name}: {literal(type_, known)}" for name, type_ in arguments.items() if required(type_)]
    return f"({', '.join(values)})" if values else ""


def variable(name: str, type_: str, known: GraphQLSchema) -> str:
    """Declare a variable that fits an argument of exactly this type and needs no value sent along."""
    if not required(type_):
        return f"${name}: {type_}"
    return f"${name}: {type_[:-1]} = {literal(type_, known)}"


def _literal(node: TypeNode, known: GraphQLSchema) -> str:
    match node:
        case NonNullTypeNode():
            return _literal(node.type, known)
        case ListTypeNode():
            return f"[{_literal(node.type, known)}]"
        case NamedTypeNode():
            enum = known.get_type(node.name.value)
            first = next(iter(enum.values)) if isinstance(enum, GraphQLEnumType) else DUMMY
            return LITERALS.get(node.name.value, first)
    raise TypeError(print_ast(node))

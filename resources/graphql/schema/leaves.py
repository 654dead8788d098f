"""What to select of a type when a document does not say, or says too little."""

from collections.abc import Collection

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    NameNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)


def leaves(type_: GraphQLNamedType, taken: Collection[str] = ()) -> list[FieldNode]:
    """Select the leaves that need no arguments, but for names that are taken."""
    return [
        FieldNode(name=NameNode(value=name), arguments=(), directives=())
        for name, field in fields_of(type_).items()
        if name not in taken and not needs(field) and is_leaf_type(get_named_type(field.type))
    ]


def objects(type_: GraphQLNamedType, taken: Collection[str] = ()) -> list[FieldNode]:
    """Select the objects and lists of objects that need no arguments, with their leaves, one level deep."""
    found = []
    for name, field in fields_of(type_).items():
        inner = leaves(get_named_type(field.type))
        if name not in taken and not needs(field) and inner:
            found.append(
                FieldNode(
                    name=NameNode(value=name),
                    arguments=(),
                    directives=(),
                    selection_set=SelectionSetNode(selections=tuple(inner)),
                )
            )
    return found


def fields_of(type_: GraphQLNamedType) -> dict[str, GraphQLField]:
    """Give the fields of an object or interface, none for others."""
    return type_.fields if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) else {}


def needs(field: GraphQLField) -> str:
    """Write the arguments that a field cannot do without."""
    required = {name: a.type for name, a in field.args.items() if is_required_argument(a)}
    return ", ".join(f"{name}: {type_}" for name, type_ in required.items())

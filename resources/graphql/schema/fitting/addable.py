"""What a schema offers beyond what a document asks for."""

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    visit,
)

from resources.graphql.schema.leaves import fields_of, needs


def addable(document: DocumentNode, schema: GraphQLSchema) -> tuple[str, ...]:
    """Give the fields of the selected types below the root that nothing asks for."""
    asked: dict[GraphQLNamedType, set[str]] = {}
    info = TypeInfo(schema)

    class Asked(Visitor):
        def enter_selection_set(self, _: SelectionSetNode, *__: object) -> None:
            parent = info.get_parent_type()
            if parent is not None and parent is not schema.query_type:
                asked.setdefault(get_named_type(parent), set())

        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent = info.get_parent_type()
            if parent in asked:
                asked[parent].add(node.name.value)

    visit(document, TypeInfoVisitor(info, Asked()))
    return tuple(
        f"{type_.name}.{_signature(name, field)}"
        for type_, names in asked.items()
        for name, field in fields_of(type_).items()
        if name not in names
    )


def _signature(name: str, field: GraphQLField) -> str:
    arguments = ", ".join(f"{a}: {argument.type}" for a, argument in field.args.items())
    ending = " (needs arguments)" if needs(field) else ""
    return f"{name}{f'({arguments})' if arguments else ''}: {field.type}{ending}"

"""Selections of a document: fragments inlined, columns derived, what is not supported refused."""

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    print_ast,
)

from resources.graphql.columns import Column, ColumnType, ListOf, Scalar, Struct


class Selections:
    """Reads the selections of one document against one schema."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }

    def only_root(self, operation: OperationDefinitionNode) -> FieldNode:
        """Give the operation's one root field, with all fragments below it inlined."""
        root = self._schema.query_type
        if root is None:
            raise GraphQLError("the schema has no Query type")
        fields = self._fields(operation.selection_set, root)
        if len(fields) != 1:
            raise GraphQLError("one root field a document is expected; write a document for each", fields[1:])
        return fields[0]

    def columns(self, rows: FieldNode, type_: GraphQLObjectType) -> tuple[Column, ...]:
        """Derive the columns of an object's selection, in the order of the document."""
        columns = tuple(self._column(field, type_) for field in self._fields(rows, type_))
        names = [column.name for column in columns]
        for column in columns:
            if names.count(column.name) > 1:
                raise GraphQLError(
                    f"two columns would be named {column.name}; give one of them an alias", rows
                )
        return columns

    def _column(self, field: FieldNode, parent: GraphQLObjectType) -> Column:
        if field.directives:
            raise GraphQLError("directives on fields are not supported", field)
        key = field.alias.value if field.alias else field.name.value
        if field.name.value == "__typename":
            return Column(key, Scalar("String"))
        return Column(key, self._type(parent.fields[field.name.value].type, field))

    def _type(self, type_: GraphQLOutputType, field: FieldNode) -> ColumnType:
        match type_:
            case GraphQLNonNull():
                return self._type(type_.of_type, field)
            case GraphQLList():
                return ListOf(self._type(type_.of_type, field))
            case GraphQLObjectType():
                return Struct(self.columns(field, type_))
            case GraphQLEnumType():
                return Scalar("String")
            case _ if field.selection_set:
                raise GraphQLError(f"{type_} is an interface or a union, which is not supported yet", field)
            case _:
                return Scalar(str(type_))

    def _fields(self, node: FieldNode | SelectionSetNode, type_: GraphQLObjectType) -> list[FieldNode]:
        """Flatten a selection; the same field asked twice (through a fragment) counts once."""
        selection_set = node.selection_set if isinstance(node, FieldNode) else node
        found: dict[str, FieldNode] = {}
        for selection in selection_set.selections if selection_set else ():
            for field in self._flat(selection, type_):
                key = field.alias.value if field.alias else field.name.value
                if key in found and print_ast(found[key]) != print_ast(field):
                    raise GraphQLError(f"{key} is selected twice, in different ways", field)
                found.setdefault(key, field)
        return list(found.values())

    def _flat(self, selection: SelectionNode, type_: GraphQLObjectType) -> list[FieldNode]:
        match selection:
            case FieldNode():
                return [self._inlined(selection, type_)]
            case FragmentSpreadNode():
                fragment = self._fragments[selection.name.value]
                return self._spread(selection, fragment, type_)
            case InlineFragmentNode():
                return self._spread(selection, selection, type_)
        raise GraphQLError(f"{selection.kind} is not supported", selection)

    def _spread(
        self,
        spread: FragmentSpreadNode | InlineFragmentNode,
        fragment: FragmentDefinitionNode | InlineFragmentNode,
        type_: GraphQLObjectType,
    ) -> list[FieldNode]:
        condition = fragment.type_condition
        if condition and condition.name.value != type_.name:
            raise _unsupported(spread, condition.name.value, type_)
        if spread.directives:
            raise GraphQLError("directives on fragments are not supported", spread)
        return self._fields(fragment.selection_set, type_)

    def _inlined(self, field: FieldNode, parent: GraphQLObjectType) -> FieldNode:
        """Copy a field with the fragments below it inlined; servers count a named one heavier."""
        if not field.selection_set:
            return field
        type_: object = parent.fields[field.name.value].type
        while isinstance(type_, GraphQLNonNull | GraphQLList):
            type_ = type_.of_type
        if not isinstance(type_, GraphQLObjectType):
            raise GraphQLError(f"{type_} is an interface or a union, which is not supported yet", field)
        selections = tuple(self._fields(field, type_))
        return FieldNode(
            alias=field.alias,
            name=field.name,
            arguments=field.arguments,
            directives=field.directives,
            selection_set=SelectionSetNode(selections=selections),
            loc=field.loc,
        )


def _unsupported(node: Node, condition: str, type_: GraphQLObjectType) -> GraphQLError:
    return GraphQLError(
        f"a fragment on {condition} within {type_.name} is not supported: only fragments on the "
        "object type itself are",
        node,
    )

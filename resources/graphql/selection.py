"""Selections of a document: named fragments written inline, what is not supported refused."""

from collections.abc import Iterable, Iterator, Sequence

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
    GraphQLType,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)

from resources.graphql.changed import with_changes
from resources.graphql.gaps import TYPENAME

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
Fragment = InlineFragmentNode | FragmentDefinitionNode


class Selections:
    """Reads the selections of one document against one schema."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }

    def only_root(self, operation: OperationDefinitionNode) -> FieldNode:
        """Give the operation's one root field, with all named fragments below it inlined."""
        root = self._schema.query_type
        if root is None:
            raise GraphQLError("the schema has no Query type")
        fields = self._inlined(operation.selection_set.selections, root)
        first = fields[0]
        if len(fields) != 1 or not isinstance(first, FieldNode):
            raise GraphQLError("one root field a document is expected; write a document for each", fields[1:])
        if first.name.value.startswith("__"):
            raise GraphQLError(f"{first.name.value} is no field with rows", first)
        return first

    def _inlined(
        self, selections: Iterable[SelectionNode], type_: Composite
    ) -> list[FieldNode | InlineFragmentNode]:
        """Copy a selection: a field asked twice becomes one; fragments on another type stay, inline.

        Servers count a named fragment heavier than the same selection written inline.
        """
        found: dict[object, list[FieldNode | InlineFragmentNode]] = {}
        for node in self._flat(selections, type_):
            key = response_key(node) if isinstance(node, FieldNode) else id(node)
            found.setdefault(key, []).append(node)
        return [self._copied(nodes, type_) for nodes in found.values()]

    def _flat(
        self, selections: Iterable[SelectionNode], type_: Composite
    ) -> Iterator[FieldNode | InlineFragmentNode]:
        """Give fields, also those of fragments on the type itself, and the other fragments as they are."""
        for node in selections:
            _refuse_directives(node)
            if isinstance(node, FieldNode):
                yield node
                continue
            fragment = self._fragment(node)
            _refuse_directives(fragment)
            if condition_of(fragment, type_, self._schema) is type_:
                yield from self._flat(fragment.selection_set.selections, type_)
            else:
                yield InlineFragmentNode(
                    type_condition=fragment.type_condition,
                    directives=(),
                    selection_set=fragment.selection_set,
                    loc=node.loc,
                )

    def _fragment(self, node: SelectionNode) -> Fragment:
        match node:
            case InlineFragmentNode():
                return node
            case FragmentSpreadNode():
                return self._fragments[node.name.value]
        raise GraphQLError(f"{node.kind} is not supported", node)

    def _copied(
        self, nodes: Sequence[FieldNode | InlineFragmentNode], type_: Composite
    ) -> FieldNode | InlineFragmentNode:
        first = nodes[0]
        below = [selection for node in nodes for selection in selections_of(node)]
        if isinstance(first, InlineFragmentNode):
            inner = self._inlined(below, condition_of(first, type_, self._schema))
            return with_changes(first, selection_set=SelectionSetNode(selections=tuple(inner)))
        if not below:
            return first
        inner = self._inlined(below, composite(field_type(type_, first)))
        return with_changes(first, selection_set=SelectionSetNode(selections=tuple(inner)))


def response_key(node: FieldNode) -> str:
    """Give the name that a field has in the answer."""
    return node.alias.value if node.alias else node.name.value


def selections_of(node: FieldNode | Fragment) -> Sequence[SelectionNode]:
    """Give what is selected below a field or fragment."""
    return node.selection_set.selections if node.selection_set else ()


def field_type(parent: Composite, node: FieldNode) -> GraphQLOutputType:
    """Give the type of a selected field of a type."""
    if node.name.value == TYPENAME or isinstance(parent, GraphQLUnionType):
        return GraphQLString
    field: GraphQLField = parent.fields[node.name.value]
    return field.type


def condition_of(node: Fragment, parent: Composite, schema: GraphQLSchema) -> Composite:
    """Give the type that a fragment is on."""
    named = schema.get_type(node.type_condition.name.value) if node.type_condition else parent
    return named if isinstance(named, Composite) else parent


def composite(type_: GraphQLOutputType) -> Composite:
    """Give the object, interface or union that a field's type holds."""
    named = get_named_type(type_)
    if isinstance(named, Composite):
        return named
    raise GraphQLError(f"{type_} has nothing to select from")


def nullable(type_: GraphQLType) -> GraphQLType:
    """Give a type without the mark that it is never null."""
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def is_list(type_: GraphQLType) -> bool:
    """Say whether a type is a list, null or not."""
    return isinstance(nullable(type_), GraphQLList)


def is_list_of_lists(type_: GraphQLType) -> bool:
    """Say whether the elements of a list are lists themselves."""
    found = nullable(type_)
    return isinstance(found, GraphQLList) and is_list(found.of_type)


def _refuse_directives(node: SelectionNode | FragmentDefinitionNode) -> None:
    if node.directives:
        raise GraphQLError("directives on fields and fragments are not supported", node)

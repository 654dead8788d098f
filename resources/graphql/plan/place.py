"""Selected fields with their place in the answer, and the variables that their arguments hold."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)

from resources.graphql.columns import snake_case
from resources.graphql.selection import is_list, is_list_of_lists, response_key


@dataclass(frozen=True, slots=True)
class Place:
    """A selected field: `path` are the response names from the root field to it."""

    path: tuple[str, ...]
    node: FieldNode
    parent: GraphQLNamedType
    type: GraphQLOutputType

    @property
    def name(self) -> str:
        """The field's own name, in snake case and without underscores around it."""
        return plain(self.node.name.value)

    @property
    def shown(self) -> str:
        """The path as it is written in messages and in `Paging`."""
        return ".".join(self.path)

    @property
    def is_list(self) -> bool:
        """Say whether the field gives a list."""
        return is_list(self.type)

    @property
    def is_list_of_lists(self) -> bool:
        """Say whether the elements of the list are lists."""
        return is_list_of_lists(self.type)

    @property
    def is_leaf(self) -> bool:
        """Say whether it has no fields of its own."""
        return self.node.selection_set is None

    @property
    def named(self) -> GraphQLNamedType:
        """The type without lists and non-nulls."""
        return get_named_type(self.type)


class Places:
    """Walks the selection of one root field."""

    def __init__(self, root: FieldNode, schema: GraphQLSchema) -> None:
        if schema.query_type is None:
            raise GraphQLError("the schema has no Query type")
        self._schema = schema
        self.root = self._place(root, schema.query_type, ())

    def children(self, place: Place) -> list[Place]:
        """Give the fields that are selected of an object or of a list's elements."""
        return list(self._in(place.node.selection_set, place.named, place.path))

    def all(self, place: Place | None = None) -> Iterator[Place]:
        """Give a place (the root) and all below it."""
        place = place or self.root
        yield place
        for child in self.children(place):
            yield from self.all(child)

    def line(self, place: Place) -> list[Place]:
        """Give the places on the way from the root to this one, both included."""
        return [p for p in self.all() if place.path[: len(p.path)] == p.path]

    def _in(
        self, selections: SelectionSetNode | None, parent: GraphQLNamedType, path: tuple[str, ...]
    ) -> Iterator[Place]:
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                yield self._place(selection, parent, path)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                type_ = self._schema.get_type(condition.name.value) if condition else None
                yield from self._in(selection.selection_set, type_ or parent, path)

    def _place(self, node: FieldNode, parent: GraphQLNamedType, path: tuple[str, ...]) -> Place:
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        field = fields.get(node.name.value)
        type_ = field.type if field else self._schema.type_map["String"]  # __typename
        return Place((*path, response_key(node)), node, parent, type_)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Bound:
    """A variable in an argument; `names` lead to it, more than one where it is inside an input object.

    `siblings` are the names beside the last one; `in_list` says that a list is on the way.
    """

    place: Place
    names: tuple[str, ...]
    variable: str
    siblings: frozenset[str] = frozenset()
    in_list: bool = False


def bound(place: Place) -> Iterator[Bound]:
    """Give the variables in a field's arguments."""
    yield from _among(place, (), place.node.arguments, in_list=False)


def _among(
    place: Place,
    names: tuple[str, ...],
    nodes: Iterable[ArgumentNode | ObjectFieldNode],
    *,
    in_list: bool,
) -> Iterator[Bound]:
    values = [(plain(node.name.value), node.value) for node in nodes]
    siblings = frozenset(name for name, _ in values)
    for name, value in values:
        yield from _bound(Bound(place, (*names, name), "", siblings, in_list), value)


def _bound(found: Bound, value: ValueNode) -> Iterator[Bound]:
    match value:
        case VariableNode():
            yield replace(found, variable=value.name.value)
        case ObjectValueNode():
            yield from _among(found.place, found.names, value.fields, in_list=found.in_list)
        case ListValueNode():
            for element in value.values:
                yield from _bound(replace(found, in_list=True), element)


def plain(name: str) -> str:
    """Write a name in snake case, without underscores around it."""
    return snake_case(name).strip("_")

"""A selection made from a schema: all leaves of a type, and the objects and lists below it to a depth."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    SelectionSetNode,
    get_named_type,
)

from resources.graphql.columns import snake_case
from resources.graphql.gaps import TYPENAME
from resources.graphql.plan.place import plain
from resources.graphql.plan.vocabulary import POSITIONS, SIZES
from resources.graphql.schema.leaves import fields_of, needs
from resources.graphql.selection import Composite, is_list

MOST_TYPES = 8  # of an interface or union, each in a fragment of its own
Selection = FieldNode | InlineFragmentNode
Names = Mapping[tuple[str, str], str]  # of fields in the answer, by their type and their own name


@dataclass(frozen=True, slots=True)
class Descent:
    """Where a selection is: the levels of objects still allowed below, and the types above."""

    levels: int
    above: tuple[str, ...]

    def below(self, type_: GraphQLNamedType) -> "Descent":
        """Go into an object."""
        return Descent(self.levels - 1, (*self.above, type_.name))


class Selector:
    """Makes selections; `left_out` has what is not selected, by reason."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self.left_out: dict[str, list[str]] = {}

    def rows(self, type_: Composite, *, depth: int, reserved: Collection[str] = ()) -> list[Selection]:
        """Select a row with so many levels of objects, itself the first; `reserved` are names of columns."""
        return self._inside(type_, Descent(depth - 1, (type_.name,)), reserved)

    def _inside(self, type_: Composite, descent: Descent, reserved: Collection[str] = ()) -> list[Selection]:
        possible = self._possible(type_)
        names = response_names(type_, possible, reserved)
        own = self._fields(type_, fields_of(type_), names, descent)
        if isinstance(type_, GraphQLObjectType):
            return own
        for other in possible[MOST_TYPES:]:
            self._leave_out(f"more than {MOST_TYPES} types", f"{type_.name} as {other.name}")
        fragments = [self._fragment(type_, one, names, descent) for one in possible[:MOST_TYPES]]
        return [field_node(TYPENAME), *own, *(fragment for fragment in fragments if fragment)]

    def _possible(self, type_: Composite) -> list[GraphQLObjectType]:
        return [] if isinstance(type_, GraphQLObjectType) else list(self._schema.get_possible_types(type_))

    def _fragment(
        self,
        parent: Composite,
        type_: GraphQLObjectType,
        names: Names,
        descent: Descent,
    ) -> InlineFragmentNode | None:
        own = {name: field for name, field in type_.fields.items() if name not in fields_of(parent)}
        inside = self._fields(type_, own, names, Descent(descent.levels, (*descent.above, type_.name)))
        return fragment_node(type_.name, inside) if inside else None

    def _fields(
        self,
        owner: GraphQLNamedType,
        fields: Mapping[str, GraphQLField],
        names: Names,
        descent: Descent,
    ) -> list[Selection]:
        found: list[Selection] = []
        for name, field in fields.items():
            node = self._field(name, names[owner.name, name], field, descent)
            if isinstance(node, str):
                self._leave_out(node, f"{owner.name}.{name}")
            else:
                found.append(node)
        return found

    def _field(self, name: str, key: str, field: GraphQLField, descent: Descent) -> FieldNode | str:
        """Select a field, or say why not."""
        type_ = get_named_type(field.type)
        if reason := obstacle(field):
            return reason
        if not isinstance(type_, Composite):
            return field_node(name, key)
        if type_.name in descent.above:
            return "leads back to where it came from"
        if descent.levels < 1:
            return "deeper than --depth"
        inside = self._inside(type_, descent.below(type_))
        return field_node(name, key, inside) if inside else "nothing in it can be selected"

    def _leave_out(self, reason: str, what: str) -> None:
        left = self.left_out.setdefault(reason, [])
        if what not in left:
            left.append(what)


def obstacle(field: GraphQLField) -> str:
    """Say why a field is not selected by itself, whatever is inside it."""
    if field.deprecation_reason is not None:
        return "deprecated"
    if required := needs(field):
        return f"needs {required}"
    return "a list with pages of its own" if is_paged(field) else ""


def is_paged(field: GraphQLField) -> bool:
    """Say whether an answer would hold the first page of something only."""
    type_ = get_named_type(field.type)
    arguments = {plain(name) for name in field.args}
    lists = is_list(field.type) or any(is_list(inner.type) for inner in fields_of(type_).values())
    info = {snake_case(name) for name in fields_of(type_)} & {"page_info"}
    return bool(info or (lists and arguments & {*POSITIONS, *SIZES}))


def response_names(
    type_: Composite, possible: Sequence[GraphQLObjectType], reserved: Collection[str] = ()
) -> dict[tuple[str, str], str]:
    """Name the fields of a type and of those that it may be, so that no two columns clash.

    What is named depends on the schema alone, so that selections of one type fit each other wherever they
    are. A field keeps its name, or takes that of its type with it: `sizeOfVideo`.
    """
    taken: dict[str, tuple[str, str]] = dict.fromkeys([TYPENAME, *reserved], ("", ""))
    names: dict[tuple[str, str], str] = {}
    common = fields_of(type_)
    for owner in (type_, *possible):
        for name, field in fields_of(owner).items():
            if owner is type_ or name not in common:
                names[owner.name, name] = _free(name, owner.name, str(field.type), taken)
    return names


def _free(name: str, owner: str, type_: str, taken: dict[str, tuple[str, str]]) -> str:
    """Take a response name whose column is free, or is of the same name and type on another object."""
    for key in _proposals(name, owner):
        if taken.setdefault(snake_case(key), (name, type_)) == (name, type_):
            return key
    raise AssertionError("proposals do not end")


def _proposals(name: str, owner: str) -> Iterable[str]:
    yield name
    yield f"{name}Of{owner}"
    number = 2
    while True:
        yield f"{name}Of{owner}{number}"
        number += 1


def field_node(
    name: str,
    key: str | None = None,
    inside: Sequence[Selection] = (),
    arguments: tuple[ArgumentNode, ...] = (),
) -> FieldNode:
    """Write a field, with an alias where its key is another."""
    return FieldNode(
        alias=NameNode(value=key) if key not in (None, name) else None,
        name=NameNode(value=name),
        arguments=arguments,
        directives=(),
        selection_set=SelectionSetNode(selections=tuple(inside)) if inside else None,
    )


def fragment_node(type_name: str, inside: Sequence[Selection]) -> InlineFragmentNode:
    """Write an inline fragment."""
    return InlineFragmentNode(
        type_condition=NamedTypeNode(name=NameNode(value=type_name)),
        directives=(),
        selection_set=SelectionSetNode(selections=tuple(inside)),
    )

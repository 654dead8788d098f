"""The shape of rows: columns from a selection, of one type or of several that fragments tell apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    is_type_sub_type_of,
)

from resources.graphql.columns import Column, ColumnType, Levels, ListOf, Scalar, Struct, TypeNames, repeated
from resources.graphql.gaps import TYPENAME
from resources.graphql.scalars import Scalars
from resources.graphql.selection import (
    Composite,
    composite,
    condition_of,
    field_type,
    response_key,
    selections_of,
)


@dataclass(frozen=True, slots=True)
class Part:
    """A selection on the objects of a type; several make one column where fragments share its name."""

    node: FieldNode
    type: Composite
    above: Levels


@dataclass(frozen=True, slots=True)
class Selected:
    """A field of a type where it is selected, and on which objects."""

    node: FieldNode
    of: Composite
    on: Levels

    @property
    def type(self) -> GraphQLOutputType:
        """What the field gives."""
        return field_type(self.of, self.node)

    @property
    def key(self) -> str:
        """The response name."""
        return response_key(self.node)


class Shape:
    """Derives columns against one schema; its selections have no named fragments any more."""

    def __init__(self, schema: GraphQLSchema, scalars: Scalars) -> None:
        self._schema = schema
        self._scalars = scalars

    def columns(self, rows: FieldNode, type_: Composite) -> tuple[Column, ...]:
        """Derive the columns of an object's selection, in the order of the document."""
        return self._columns([Part(rows, type_, ())])

    def _columns(self, parts: Sequence[Part]) -> tuple[Column, ...]:
        found: dict[str, list[Selected]] = {}
        for part in parts:
            for selected in self._part(part):
                found.setdefault(selected.key, []).append(selected)
        columns = tuple(self._column(key, selected) for key, selected in found.items())
        if twice := repeated([column.name for column in columns]):
            raise GraphQLError(
                f"two columns would be named {twice[0]}; give one of them an alias", parts[0].node
            )
        return columns

    def _part(self, part: Part) -> list[Selected]:
        found = list(self._fields(selections_of(part.node), (part.type,), part.above, None))
        everywhere = (*part.above, None)
        named = any(one.key == one.node.name.value == TYPENAME and one.on == everywhere for one in found)
        if not named and any(one.on != everywhere for one in found):
            raise GraphQLError(
                f"{part.node.name.value} is of several types, which its fragments tell apart: add "
                f"{TYPENAME} to its selection, outside of them, so that the table says what a row is",
                part.node,
            )
        return found

    def _fields(
        self, selections: Sequence[SelectionNode], types: tuple[Composite, ...], above: Levels, on: TypeNames
    ) -> Iterator[Selected]:
        """Give all fields of one level, those in fragments where they stand; `types` hold for its objects."""
        for node in selections:
            if isinstance(node, InlineFragmentNode):
                inner = condition_of(node, types[-1], self._schema)
                yield from self._fields(
                    node.selection_set.selections, (*types, inner), above, self._narrowed(on, types, inner)
                )
            elif isinstance(node, FieldNode):
                yield Selected(node, types[-1], (*above, on))

    def _narrowed(self, on: TypeNames, types: tuple[Composite, ...], to: Composite) -> TypeNames:
        """Give the types that are left; all of them where the objects are of `to` anyway."""
        if any(is_type_sub_type_of(self._schema, type_, to) for type_ in types):
            return on
        possible = self._possible(to)
        return possible if on is None else on & possible

    def _possible(self, type_: Composite) -> frozenset[str]:
        types = [type_] if isinstance(type_, GraphQLObjectType) else self._schema.get_possible_types(type_)
        return frozenset(possible.name for possible in types)

    def _column(self, key: str, selected: Sequence[Selected]) -> Column:
        alternatives = tuple(dict.fromkeys(one.on for one in selected))
        always = any(all(types is None for types in levels) for levels in alternatives)
        return Column(key, self._type(selected[0].type, selected), None if always else alternatives)

    def _type(self, type_: GraphQLOutputType, selected: Sequence[Selected]) -> ColumnType:
        """Derive a column's type; validation sees to it that all fields of one name have the same shape."""
        match type_:
            case GraphQLNonNull():
                return self._type(type_.of_type, selected)
            case GraphQLList():
                return ListOf(self._type(type_.of_type, selected))
            case _ if isinstance(type_, Composite):
                parts = [Part(one.node, composite(one.type), one.on) for one in selected]
                return Struct(self._columns(parts))
            case _:
                return self._leaf(str(type_), selected)

    def _leaf(self, type_name: str, selected: Sequence[Selected]) -> Scalar:
        """Derive a leaf, which the user may have set for a field of one of its types only."""
        fields = [f"{one.of.name}.{one.node.name.value}" for one in selected]
        leaves = [self._scalars.scalar(type_name, field) for field in fields]
        other = next((leaf for leaf in leaves if leaf.kept != leaves[0].kept), None)
        if other:
            both = " and ".join(f"{leaf.field} as {leaf.kept.word}" for leaf in (leaves[0], other))
            raise GraphQLError(
                f"one column would keep {both}: set both to the same type (scalars, TARGETDATA_SCALARS or "
                "GRAPHQL_SCALARS), or give one of them an alias",
                selected[0].node,
            )
        return leaves[0]

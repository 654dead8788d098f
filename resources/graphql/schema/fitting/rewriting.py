"""Selections rewritten so that a schema has all they ask for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
    is_required_argument,
    type_from_ast,
)

from resources.graphql.changed import with_changes
from resources.graphql.gaps import TYPENAME
from resources.graphql.schema.fitting.apart import missing_typename
from resources.graphql.schema.leaves import fields_of, leaves, needs, objects
from resources.graphql.selection import response_key


@dataclass(slots=True)
class Level:
    """What became of the selections of one object, those in fragments among them."""

    taken: set[str] = field(default_factory=set)
    lost_leaf: bool = False
    lost_object: bool = False

    def lose(self, node: FieldNode) -> None:
        """Count a field that is not there any more."""
        if node.selection_set:
            self.lost_object = True
        else:
            self.lost_leaf = True

    def join(self, other: "Level") -> None:
        """Take over what became of a fragment."""
        self.taken |= other.taken
        self.lost_leaf |= other.lost_leaf
        self.lost_object |= other.lost_object


class Fitting:
    """Fits the selections of one document; `dropped` and `added` say what changed."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self._fitted: dict[str, Level] = {}
        self.fragments: dict[str, FragmentDefinitionNode] = {}
        self.dropped: list[str] = []
        self.added: list[str] = []

    def root(self, selections: SelectionSetNode, type_: GraphQLNamedType) -> SelectionSetNode:
        """Fit the root fields; none is added."""
        kept = self._kept(selections.selections, type_, Level())
        return with_changes(selections, selections=tuple(kept))

    def _inside(self, selections: SelectionSetNode, type_: GraphQLNamedType) -> SelectionSetNode:
        """Fit an object's selection, and fill in for what was lost."""
        level = Level()
        kept = self._kept(selections.selections, type_, level)
        fresh = self._replacements(type_, level, whole=not level.taken)
        self.added += [f"{type_.name}.{node.name.value}" for node in fresh]
        return with_changes(selections, selections=(*kept, *fresh))

    def _replacements(self, type_: GraphQLNamedType, level: Level, *, whole: bool) -> list[FieldNode]:
        lost = level.lost_leaf or level.lost_object
        fresh = leaves(type_, level.taken) if level.lost_leaf or (lost and whole) else []
        return [*fresh, *(objects(type_, level.taken) if level.lost_object or (lost and whole) else [])]

    def _kept(
        self, selections: Sequence[SelectionNode], type_: GraphQLNamedType, level: Level
    ) -> list[SelectionNode]:
        fitted = (self._selection(selection, type_, level) for selection in selections)
        return [selection for selection in fitted if selection is not None]

    def _selection(self, node: SelectionNode, type_: GraphQLNamedType, level: Level) -> SelectionNode | None:
        match node:
            case FieldNode():
                return self._field(node, type_, level)
            case FragmentSpreadNode():
                return self._spread(node, type_, level)
            case InlineFragmentNode():
                return self._inline(node, type_, level)
        return node

    def _field(self, node: FieldNode, parent: GraphQLNamedType, level: Level) -> FieldNode | None:
        name = node.name.value
        fitted = node if name == TYPENAME else self._known_field(node, parent)
        if fitted is None:
            level.lose(node)
        else:
            level.taken |= {name, response_key(node)}
        return fitted

    def _known_field(self, node: FieldNode, parent: GraphQLNamedType) -> FieldNode | None:
        place = f"{parent.name}.{node.name.value}"
        known = fields_of(parent).get(node.name.value)
        if known is None:
            self.dropped.append(place)
            return None
        arguments = self._arguments(node, known, place)
        selections = self._below(node, get_named_type(known.type))
        reason = _obstacle(known, arguments, selections)
        if reason:
            self.dropped.append(f"{place}: {reason}")
            return None
        return with_changes(node, arguments=arguments, selection_set=selections)

    def _arguments(self, node: FieldNode, known: GraphQLField, place: str) -> tuple[ArgumentNode, ...]:
        gone = [a for a in node.arguments if a.name.value not in known.args]
        self.dropped += [f"{place}({a.name.value}): there is no such argument" for a in gone]
        return tuple(a for a in node.arguments if a.name.value in known.args)

    def _below(self, node: FieldNode, type_: GraphQLNamedType) -> SelectionSetNode | None:
        """Fit what is selected below a field; an object that has no selection yet gets its leaves."""
        if is_leaf_type(type_):
            return None
        if node.selection_set:
            inside = self._inside(node.selection_set, type_).selections
            named = missing_typename(inside, type_, self._schema, self.fragments)
            self.added += [f"{type_.name}.{node.name.value}" for node in named]
            return with_changes(node.selection_set, selections=(*named, *inside)) if inside else None
        fresh = leaves(type_) or objects(type_)
        self.added += [f"{type_.name}.{leaf.name.value}" for leaf in fresh]
        return SelectionSetNode(selections=tuple(fresh)) if fresh else None

    def _inline(
        self, node: InlineFragmentNode, parent: GraphQLNamedType, level: Level
    ) -> InlineFragmentNode | None:
        condition = node.type_condition
        type_ = self._condition(condition, parent)
        selections = self._in_fragment(node.selection_set, type_, parent, level)
        if not selections.selections:
            return None
        return with_changes(
            node,
            type_condition=_renamed(condition, type_) if condition else None,
            selection_set=selections,
        )

    def _in_fragment(
        self, node: SelectionSetNode, type_: GraphQLNamedType, parent: GraphQLNamedType, level: Level
    ) -> SelectionSetNode:
        """Fit what a fragment selects; what is lost of another type is filled in where it was lost."""
        if type_ is not parent:
            return self._inside(node, type_)
        return with_changes(node, selections=tuple(self._kept(node.selections, type_, level)))

    def _spread(
        self, node: FragmentSpreadNode, parent: GraphQLNamedType, level: Level
    ) -> FragmentSpreadNode | None:
        name = node.name.value
        if name not in self._fragments:
            return node  # validation says so
        if name not in self._fitted:
            self._fit_fragment(self._fragments[name], parent)
        level.join(self._fitted[name])
        return node if name in self.fragments else None

    def _fit_fragment(self, node: FragmentDefinitionNode, parent: GraphQLNamedType) -> None:
        level = self._fitted[node.name.value] = Level()
        type_ = self._condition(node.type_condition, parent)
        selections = self._in_fragment(node.selection_set, type_, parent, level)
        if selections.selections:
            self.fragments[node.name.value] = with_changes(
                node,
                type_condition=_renamed(node.type_condition, type_),
                selection_set=selections,
            )

    def _condition(self, condition: NamedTypeNode | None, parent: GraphQLNamedType) -> GraphQLNamedType:
        """Give the type that a fragment is on; one that cannot occur there is taken for renamed."""
        found = type_from_ast(self._schema, condition) if condition else parent
        if found is None or not is_composite_type(found):
            return parent
        named = get_named_type(found)
        return named if named is parent or is_abstract_type(named) or is_abstract_type(parent) else parent


def _obstacle(
    known: GraphQLField, arguments: Iterable[ArgumentNode], selections: SelectionSetNode | None
) -> str:
    """Say why a field that is there cannot be selected."""
    given = {argument.name.value for argument in arguments}
    if any(is_required_argument(a) and name not in given for name, a in known.args.items()):
        return f"it needs arguments ({needs(known)})"
    if selections is None and not is_leaf_type(get_named_type(known.type)):
        return f"nothing can be selected inside {known.type}"
    return ""


def _renamed(condition: NamedTypeNode, type_: GraphQLNamedType) -> NamedTypeNode:
    return with_changes(condition, name=with_changes(condition.name, value=type_.name))

"""Arguments that page a list: what their names and types mean."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    Undefined,
    get_named_type,
    is_leaf_type,
)

from resources.graphql.columns import Scalar
from resources.graphql.plan.place import Bound, Place, plain
from resources.graphql.plan.vocabulary import FILTERS, POSITIONS, SIZES, Strategy, fits, is_integer
from resources.graphql.scalars import Scalars
from resources.graphql.selection import nullable

DEPTH = 3  # an argument, or a field of input objects, as in (options: {paginate: {page: $page}})

Input = GraphQLArgument | GraphQLInputField


def meaning(names: Sequence[str], type_: Scalar, siblings: Collection[str] = ()) -> Strategy | None:
    """Say which strategy an argument means, by the names that lead to it and the type of its variable.

    In a filter a position is one beside a size only, and never a cursor: `after` is a bound there.
    """
    numbered = names[-1] == "number" and names[0] in ("page", "pagination")
    strategy = "page" if numbered else POSITIONS.get(names[-1])
    if len(names) > DEPTH or strategy is None or not fits(strategy, type_):
        return None
    if FILTERS & set(names) and (strategy == "cursor" or not SIZES & set(siblings)):
        return None
    return strategy


def is_size(names: Sequence[str], type_: Scalar) -> bool:
    """Say whether an argument is the size of a page."""
    return names[-1] in SIZES and fits("offset", type_)


def paging_argument(place: Place, scalars: Scalars) -> str | None:
    """Name an argument that the schema has for a position, or at least a size, itself or inside objects."""
    found = list(_leaves(place, scalars))
    positions = [leaf.path for leaf in found if meaning(leaf.names, leaf.type_, leaf.siblings)]
    sizes = [leaf.path for leaf in found if not leaf.filters and is_size(leaf.names, leaf.type_)]
    return next(iter(positions + sizes), None)


def number_argument(place: Place, scalars: Scalars, others: Collection[tuple[str, ...]]) -> str | None:
    """Name an optional whole number that the schema has outside of filters, which may be a position."""
    free = (leaf for leaf in _leaves(place, scalars) if not leaf.filters and tuple(leaf.names) not in others)
    optional = (leaf for leaf in free if leaf.is_optional)
    numbers = (leaf for leaf in optional if is_integer(leaf.type_) and not _is_reference(leaf.names[-1]))
    return next((leaf.path for leaf in numbers), None)


def is_number_in_filter(bound: Bound, type_: Scalar) -> bool:
    """Say whether a variable of this type is a whole number that stands directly in a filter."""
    direct = len(bound.names) > 1 and bound.names[-2] in FILTERS
    return direct and is_integer(type_) and not _is_reference(bound.names[-1])


def schema_default(bound: Bound) -> object:
    """Give the default that the schema has for an argument, or for a field of its objects."""
    inputs = _arguments(bound.place)
    found: Input | None = None
    for name in bound.names:
        found = next((one for key, one in inputs.items() if plain(key) == name), None)
        inner = get_named_type(found.type) if found else None
        inputs = dict(inner.fields) if isinstance(inner, GraphQLInputObjectType) else {}
    return found.default_value if found else None


def _is_reference(name: str) -> bool:
    return name == "id" or name.endswith("_id")


def _arguments(place: Place) -> dict[str, Input]:
    parent = place.parent
    if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        return {}
    field = parent.fields.get(place.node.name.value)
    return dict(field.args) if field else {}


@dataclass(frozen=True, slots=True)
class _Leaf:
    """An argument, or a field of input objects, that takes one value."""

    path: str
    type_: Scalar
    is_optional: bool
    siblings: frozenset[str]

    @property
    def names(self) -> list[str]:
        return [plain(name) for name in self.path.split(".")]

    @property
    def filters(self) -> bool:
        return bool(FILTERS & set(self.names))


def _leaves(place: Place, scalars: Scalars) -> Iterator[_Leaf]:
    return _inputs(_arguments(place), scalars, "", DEPTH)


def _inputs(inputs: Mapping[str, Input], scalars: Scalars, above: str, depth: int) -> Iterator[_Leaf]:
    siblings = frozenset(map(plain, inputs))
    for name, one in inputs.items():
        type_ = nullable(one.type)
        if is_leaf_type(type_):
            is_optional = type_ is one.type or one.default_value is not Undefined
            yield _Leaf(above + name, scalars.scalar(str(type_)), is_optional, siblings)
        elif isinstance(type_, GraphQLInputObjectType) and depth > 1:
            yield from _inputs(type_.fields, scalars, f"{above}{name}.", depth - 1)

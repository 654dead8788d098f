"""Arguments that page a list: what their names and types mean."""

from collections.abc import Iterable, Iterator, Sequence

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    is_leaf_type,
)

from resources.graphql.plan.place import Place, plain
from resources.graphql.plan.vocabulary import FILTERS, POSITIONS, SIZES, Strategy, fits

DEPTH = 3  # an argument, or a field of input objects, as in (options: {paginate: {page: $page}})


def meaning(names: Sequence[str], type_name: str) -> Strategy | None:
    """Say which strategy an argument means, by the names that lead to it and the type of its variable."""
    if len(names) > DEPTH or FILTERS & set(names):
        return None
    numbered = names[-1] == "number" and names[0] in ("page", "pagination")
    strategy = "page" if numbered else POSITIONS.get(names[-1])
    return strategy if strategy and fits(strategy, type_name) else None


def is_size(names: Sequence[str], type_name: str) -> bool:
    """Say whether an argument is the size of a page."""
    return names[-1] in SIZES and fits("offset", type_name)


def paging_argument(place: Place) -> str | None:
    """Name an argument that the schema has for a position, or at least a size, itself or inside objects."""
    parent = place.parent
    if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        return None
    field = parent.fields.get(place.node.name.value)
    inputs = [(name, argument.type) for name, argument in field.args.items()] if field else []
    found = dict(_inputs(inputs, DEPTH))
    leaves = {name: str(type_) for name, type_ in found.items() if is_leaf_type(type_)}
    positions = [name for name, type_name in leaves.items() if meaning(_names(name), type_name)]
    sizes = [name for name, type_name in leaves.items() if is_size(_names(name), type_name)]
    return next(iter(positions + sizes), None)


def _names(path: str) -> list[str]:
    return [plain(name) for name in path.split(".")]


def _inputs(
    inputs: Iterable[tuple[str, GraphQLInputType]], depth: int
) -> Iterator[tuple[str, GraphQLInputType]]:
    """Give arguments and the fields of their objects, but for those of filters and of lists."""
    for name, type_ in inputs:
        nullable = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        yield name, nullable
        if isinstance(nullable, GraphQLInputObjectType) and plain(name) not in FILTERS and depth > 1:
            inner = [(field, found.type) for field, found in nullable.fields.items()]
            yield from ((f"{name}.{field}", found) for field, found in _inputs(inner, depth - 1))

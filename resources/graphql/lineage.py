"""Where columns are from: the API's fields that they are made of, each as the way from the root field."""

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import FieldNode, GraphQLSchema, InlineFragmentNode

from resources.graphql.columns import snake_case
from resources.graphql.plan import Keyed, Plan
from resources.graphql.plan.place import Place, Places
from resources.graphql.query import Query
from resources.graphql.selection import Fragment, response_key, selections_of


@dataclass(frozen=True, slots=True)
class Leaf:
    """A selected field without fields of its own: its way by names, and by those that the answer has."""

    names: tuple[str, ...]
    keys: tuple[str, ...]

    @property
    def path(self) -> str:
        """The way as it is written, `people.identifiers.value`."""
        return ".".join(self.names)


def column_paths(query: Query) -> dict[str, list[str]]:
    """Give for each column of the rows the ways to the fields that it is made of: several if it is nested.

    Key columns are the query's variables, and `fetched_at` is a clock: neither is there.
    """
    found: dict[str, dict[str, None]] = {column.name: {} for column in query.columns}
    for leaf in _below(query.plan.node, (), ()):
        if key := _column_key(query.plan, leaf.keys):
            found[snake_case(key)][leaf.path] = None
    return {column: list(paths) for column, paths in found.items()}


def flat_paths(query: Query) -> dict[str, str]:
    """Give the way to each field by its way from the row in the column's spelling, as `identifiers_value`.

    So are the columns named where structs are taken apart, below the names of the lists that they are in.
    """
    found = {}
    for leaf in _below(query.plan.node, (), ()):
        if key := _column_key(query.plan, leaf.keys):
            way = leaf.keys[leaf.keys.index(key) :]
            found["_".join(map(snake_case, way))] = leaf.path
    return found


def field_types(query: Query, schema: GraphQLSchema) -> dict[str, str]:
    """Give the ways to all fields that a query selects, and the GraphQL type of each."""
    places = Places(query.plan.node, schema)
    return dict(_typed(places, places.root, ()))


def _column_key(plan: Plan, keys: tuple[str, ...]) -> str | None:
    """Give the response name of the column that a field is in; None beside the rows."""
    if isinstance(plan, Keyed):
        return keys[1]
    rows = plan.rows
    beside = {place.path for place in rows.others}  # what an edge says of its row
    row = (rows.node or rows.place).path
    start = next((other[:-1] for other in beside if keys[: len(other)] == other), row)
    return keys[len(start)] if keys[: len(start)] == start else None


def _below(node: FieldNode | Fragment, names: tuple[str, ...], keys: tuple[str, ...]) -> Iterator[Leaf]:
    if isinstance(node, FieldNode):
        names, keys = (*names, node.name.value), (*keys, response_key(node))
        if node.selection_set is None:
            yield Leaf(names, keys)
    for selection in selections_of(node):
        if isinstance(selection, FieldNode | InlineFragmentNode):
            yield from _below(selection, names, keys)


def _typed(places: Places, place: Place, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    names = (*names, place.node.name.value)
    if place.is_leaf:
        yield ".".join(names), str(place.type)
        return
    for child in places.children(place):
        yield from _typed(places, child, names)

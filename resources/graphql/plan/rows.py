"""Where the rows of a list are: below the root through objects, bare or in edges."""

from collections.abc import Sequence
from dataclasses import dataclass

from graphql import FieldNode, GraphQLError, GraphQLObjectType, SelectionSetNode, is_composite_type

from resources.graphql.columns import Column
from resources.graphql.gaps import TYPENAME
from resources.graphql.plan.place import Place, Places
from resources.graphql.selection import Composite
from resources.graphql.shape import Shape

OF_PAGING = frozenset({"cursor", "typename"})  # fields of an edge that are no columns


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of rows, or of edges that hold a row each in `node`, or one object that is the only row."""

    place: Place
    node: Place | None = None
    others: tuple[Place, ...] = ()  # what an edge has beside its node and its cursor
    id: str | None = None  # the response name of the row's own `id`, where that tells rows apart

    def columns(self, shape: Shape) -> tuple[Column, ...]:
        """Derive the columns: those of the row, then what an edge says of it."""
        if self.node is None:
            return shape.columns(self.place.node, row_type(self.place))
        beside = SelectionSetNode(selections=tuple(place.node for place in self.others))
        edge = FieldNode(name=self.place.node.name, selection_set=beside, loc=self.place.node.loc)
        row = shape.columns(self.node.node, row_type(self.node))
        return row + shape.columns(edge, row_type(self.place))


def row_type(place: Place) -> Composite:
    """Give the type of a row."""
    if isinstance(place.named, Composite):
        return place.named
    raise GraphQLError(f"{place.shown} is {place.type}, not an object or a list of objects", place.node)


def find_rows(places: Places, start: Place) -> Rows:
    """Find the only list of objects at or below a place, or refuse to choose."""
    found = candidates(places, start)
    if len(found) != 1:
        raise choice(found, start)
    return as_rows(places, found[0])


def as_rows(places: Places, place: Place) -> Rows:
    """Look into edges."""
    if len(places.line(place)) != len(place.path):
        raise twice(place)
    if place.is_list_of_lists:
        raise GraphQLError(f"{place.shown} is {place.type}: the rows would be lists", place.node)
    children = places.children(place)
    if place.name != "edges" or not place.is_list:
        return Rows(place, id=_id(place, children))
    node = next((child for child in children if child.name == "node" and not child.is_leaf), None)
    if node is None:
        raise GraphQLError("edges need node in their selection, as in edges { node { … } }", place.node)
    others = tuple(c for c in children if c is not node and c.name not in OF_PAGING)
    return Rows(place, node, others, _id(node, places.children(node)))


def _id(row: Place, children: Sequence[Place]) -> str | None:
    """Find the row's id; rows of several types may share one, unless they say their type."""
    if not isinstance(row.named, GraphQLObjectType) and TYPENAME not in {c.path[-1] for c in children}:
        return None
    return next((child.path[-1] for child in children if child.name == "id" and child.is_leaf), None)


def twice(place: Place) -> GraphQLError:
    """Say that a list is selected in several places."""
    return GraphQLError(
        f"{place.shown} is selected more than once, as in several fragments, and one list is read: keep one "
        "selection of it in a document",
        place.node,
    )


def candidates(places: Places, place: Place) -> list[Place]:
    """Give the lists of objects at or below a place that are not inside each other."""
    if not is_composite_type(place.named):
        return []
    if place.is_list:
        return [place]
    return [found for child in places.children(place) for found in candidates(places, child)]


def choice(found: Sequence[Place], start: Place) -> GraphQLError:
    """Say that the rows cannot be told, and how to choose."""
    if not found:
        return GraphQLError(f"{start.shown} has no list of objects in its selection", start.node)
    shown = [place.shown for place in found]
    if len(set(shown)) == 1 < len(shown):
        return twice(found[-1])
    options = " or ".join(f'Paging(rows="{path}")' for path in dict.fromkeys(shown))
    return GraphQLError(f"{start.shown} has more than one thing that may be the rows: {options}", start.node)

"""What is around the rows of a list: the way to them, and what the server says of the list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    get_named_type,
    is_composite_type,
    is_leaf_type,
)

from resources.errors import QueryError
from resources.graphql.columns import snake_case
from resources.graphql.plan.vocabulary import ABOUT, MORE, NEXT_CURSOR, NEXT_PAGE, TOTAL, TOTAL_PAGES
from resources.graphql.schema.drafting.selecting import Selection, field_node, obstacle
from resources.graphql.schema.drafting.slots import slots
from resources.graphql.schema.leaves import fields_of, needs
from resources.graphql.selection import Composite, is_list, is_list_of_lists

ROWS = ("nodes", "edges", "items", "results", "data", "rows", "records", "content", "entries", "list")
DEPTH = 2  # of objects around the rows
ENDS = {  # what says that a list goes on, the surest first; totals are often estimates
    "cursor": (MORE,),
    "offset": (MORE, NEXT_PAGE, TOTAL_PAGES, TOTAL),
    "page": (MORE, NEXT_PAGE, TOTAL_PAGES, TOTAL),
    "whole": (MORE,),
}

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Envelope:
    """The names from a field to its rows, `node` of edges included, and the paths of what is said of them.

    `edge` is the type of an edge that says more of a row than its node and its cursor.
    """

    rows: Path
    row_type: Composite
    signals: tuple[Path, ...] = ()
    edge: GraphQLNamedType | None = None

    def says(self, names: Sequence[str]) -> bool:
        """Tell whether one of the signals has such a name."""
        return any(snake_case(path[-1]) in names for path in self.signals)

    def around(self, row: Sequence[Selection], beside: Sequence[Selection] = ()) -> list[Selection]:
        """Write the selection of the field: the rows, what an edge says beside its row, the signals."""
        if not self.rows:
            return list(row)
        of_edge = [(self.rows[:-1], beside)] if beside else []
        return merged([*of_edge, (self.rows, row), *((path, ()) for path in self.signals)])


def merged(paths: Sequence[tuple[Path, Sequence[Selection]]]) -> list[Selection]:
    """Write fields by their paths, those with the same beginning together."""
    below: dict[str, list[tuple[Path, Sequence[Selection]]]] = {}
    for path, inside in paths:
        below.setdefault(path[0], []).append((path[1:], inside))
    found: list[Selection] = []
    for name, rest in below.items():
        whole = [node for path, inside in rest if not path for node in inside]
        found.append(field_node(name, None, [*whole, *merged([pair for pair in rest if pair[0]])]))
    return found


def find_envelope(field: GraphQLField, strategy: str, chosen: str | None = None) -> Envelope | None:
    """Find the rows of a field that gives a list, by `chosen` (a path of names) if they cannot be told."""
    named = get_named_type(field.type)
    _refuse_lists_of_lists(field)
    if is_list(field.type) and is_composite_type(named):
        return Envelope((), composite(named))
    ways = list(ways_to_rows(named))
    if not ways:
        return None
    way = _only(ways, named, chosen)
    return _with_signals(named, way, strategy)


def _refuse_lists_of_lists(field: GraphQLField) -> None:
    """Refuse a list whose members are lists, itself or where an object around has no other."""
    inner = fields_of(get_named_type(field.type)).values()
    nested = [one.type for one in (field, *inner) if is_list_of_lists(one.type)]
    others = any(is_list(one.type) and not is_list_of_lists(one.type) for one in inner)
    if nested and (is_list_of_lists(field.type) or not (is_list(field.type) or others)):
        raise QueryError(
            f"the rows would be lists ({nested[0]}), which no table holds: no query can be drafted for it"
        )


def composite(type_: GraphQLNamedType) -> Composite:
    """Narrow a type that has fields or fragments."""
    if isinstance(type_, Composite):
        return type_
    raise QueryError(f"{type_} has no fields to select")


def ways_to_rows(type_: GraphQLNamedType, depth: int = DEPTH) -> Iterator[Path]:
    """Give the paths to lists of objects, at an object or inside objects that hold nothing else."""
    for name, field in fields_of(type_).items():
        inner = get_named_type(field.type)
        if needs(field) or not is_composite_type(inner) or any(slot.pages for slot in slots(field)):
            continue
        if snake_case(name) == "edges" and not has_node(inner):
            continue
        if is_list_of_lists(field.type):
            continue
        if is_list(field.type):
            yield (name,)
        elif depth > 1 and snake_case(name) not in ABOUT:
            yield from ((name, *way) for way in ways_to_rows(inner, depth - 1))


def has_node(edge: GraphQLNamedType) -> bool:
    """Say whether an edge leads to a row."""
    node = fields_of(edge).get("node")
    return node is not None and not needs(node) and is_composite_type(get_named_type(node.type))


def said_beside(edge: GraphQLNamedType) -> dict[str, GraphQLField]:
    """Give the leaves of an edge that are neither its row nor its cursor."""
    return {
        name: field
        for name, field in fields_of(edge).items()
        if name not in ("node", "cursor") and is_leaf_type(get_named_type(field.type)) and not obstacle(field)
    }


def _only(ways: Sequence[Path], type_: GraphQLNamedType, chosen: str | None) -> Path:
    """Take the way that is named, or the only one, or the nearest with a usual name."""
    options = ", ".join(".".join(way) for way in ways)
    if chosen is not None:
        found = next((way for way in ways if ".".join(way) == chosen), None)
        if found is None:
            raise QueryError(f"{type_.name} has no list {chosen}; there are: {options}")
        return found
    nearest = [way for way in ways if len(way) == min(map(len, ways))]
    usual = sorted(
        (w for w in nearest if snake_case(w[-1]) in ROWS), key=lambda w: ROWS.index(snake_case(w[-1]))
    )
    telling = [way for way in usual if way[-1] == "edges" and said_beside(_types(type_, way)[-1])]
    if len(nearest) == 1 or usual:
        return (telling or usual or nearest)[0]
    raise QueryError(f"{type_.name} has several lists, say which one is the rows: --rows {options}")


def _with_signals(root: GraphQLNamedType, way: Path, strategy: str) -> Envelope:
    holders = [root, *_types(root, way[:-1])]
    (row,) = _types(holders[-1], way[-1:])
    edge = fields_of(row)
    said = None
    if snake_case(way[-1]) == "edges":
        said = row if said_beside(row) else None
        row, way = get_named_type(edge["node"].type), (*way, "node")
    candidates = [
        (*way[:level], *path)
        for level in reversed(range(len(holders)))
        for path in _leaves_about(holders[level])
    ]
    signals = [path for names in ENDS[strategy] if (path := _first(candidates, names))][:1]
    if strategy == "cursor":
        of_edge = [(*way[:-1], "cursor")] if way[-1] == "node" and "cursor" in edge else []
        signals += [path for path in [_first(candidates, NEXT_CURSOR), *of_edge] if path][:1]
    return Envelope(way, composite(row), tuple(signals), said)


def _types(type_: GraphQLNamedType, path: Path) -> list[GraphQLNamedType]:
    found = []
    for name in path:
        type_ = get_named_type(fields_of(type_)[name].type)
        found.append(type_)
    return found


def _leaves_about(type_: GraphQLNamedType) -> list[Path]:
    """Give the leaves of an object around rows, and of those objects in it that speak of the list."""
    fields = fields_of(type_)
    own: list[Path] = [(name,) for name, field in fields.items() if _is_signal(field)]
    for name, field in fields.items():
        if snake_case(name) in ABOUT and not needs(field) and not is_list(field.type):
            inner = fields_of(get_named_type(field.type))
            own += [(name, leaf) for leaf, inner_field in inner.items() if _is_signal(inner_field)]
    return own


def _is_signal(field: GraphQLField) -> bool:
    return is_leaf_type(get_named_type(field.type)) and not is_list(field.type) and not needs(field)


def _first(candidates: Sequence[Path], names: Sequence[str]) -> Path | None:
    """Take the first name that is there; of equal ones the nearest to the rows."""
    found = [path for path in candidates if snake_case(path[-1]) in names]
    return min(found, key=lambda path: names.index(snake_case(path[-1])), default=None)

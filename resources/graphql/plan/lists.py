"""Lists: which of the paging strategies a document is written for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    IntValueNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    VariableDefinitionNode,
    is_leaf_type,
)

from resources.graphql.columns import Column
from resources.graphql.plan.paging import Paging
from resources.graphql.plan.place import Bound, Place, Places, bound, plain, variable_types
from resources.graphql.plan.rows import Rows, as_rows, candidates, choice, find_rows
from resources.graphql.plan.signals import SignalFinder, Signals, selected, unused
from resources.graphql.plan.vocabulary import FILTERS, POSITIONS, SIZES, Strategy, fits
from resources.graphql.selection import Selections

DEPTH = 3  # an argument, or a field of input objects, as in (options: {paginate: {page: $page}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list read page by page; `position` and `size` are variables.

    `first` is the first position: None for a cursor, and where nobody says whether pages count from 0 or 1.
    `first_size` is the size that the document gives its variable. `unused` names what is selected beside the
    rows and is in no table.
    """

    operation: OperationDefinitionNode
    node: FieldNode
    strategy: Strategy
    rows: Rows
    signals: Signals
    position: str | None = None
    size: str | None = None
    first: int | None = None
    first_size: int | None = None
    starts_by_default: bool = False  # the first position is the variable's default: it is left out
    unused: tuple[str, ...] = ()

    @property
    def own(self) -> frozenset[str]:
        """The variables that paging fills."""
        return frozenset(name for name in (self.position, self.size) if name)

    def columns(self, selections: Selections) -> tuple[Column, ...]:
        """Derive the columns of a row."""
        return self.rows.columns(selections)


class ListInference:
    """Reads one document as a list."""

    def __init__(self, operation: OperationDefinitionNode, places: Places, paging: Paging) -> None:
        self._operation = operation
        self._places = places
        self._paging = paging
        self._types = variable_types(operation)
        self._bound = [b for place in places.all() for b in bound(place)]

    @property
    def is_paged(self) -> bool:
        """Say whether a variable holds a position."""
        return bool(self._positions())

    def plan(self) -> Listed:
        """Give the plan, or refuse with what to change."""
        position = None if self._paging.strategy == "whole" else self._position()
        start = position.place if position else self._places.root
        rows = self._rows(start, paged=position is not None)
        strategy = self._strategy(position, rows)
        signals = SignalFinder(self._places, rows, start, self._paging).find(strategy)
        size = self._size(position)
        if strategy == "cursor" and signals.cursor is None:
            raise GraphQLError(
                f"a cursor list needs its next cursor in the selection of {start.shown}, as in "
                "pageInfo { hasNextPage endCursor }",
                start.node,
            )
        variable = position.variable if position else None
        return Listed(
            operation=self._operation,
            node=self._places.root.node,
            strategy=strategy,
            rows=rows,
            signals=signals,
            position=variable,
            size=size,
            first=self._first(strategy, variable),
            first_size=self._default(size),
            starts_by_default=strategy == "cursor" and self._has_default(variable),
            unused=unused(self._places, rows, signals.paths),
        )

    def _positions(self) -> list[Bound]:
        """Give the variables that are positions, by name, by type, or because the user says so."""
        if self._paging.position is not None:
            return [b for b in self._bound if b.variable == self._paging.position]
        wanted = self._paging.strategy
        found = [b for b in self._bound if (meant := self._meant(b)) and wanted in (None, meant)]
        return list({(b.place.path, b.variable): b for b in found}.values())

    def _meant(self, bound: Bound) -> Strategy | None:
        """Say which strategy an argument's name and type mean."""
        names = bound.names
        if len(names) > DEPTH or FILTERS & set(names):
            return None
        numbered = names[-1] == "number" and names[0] in ("page", "pagination")
        strategy = "page" if numbered else POSITIONS.get(names[-1])
        type_name = self._types[bound.variable].rstrip("!")
        return strategy if strategy and fits(strategy, type_name) else None

    def _position(self) -> Bound | None:
        found = self._positions()
        if len(found) > 1:
            options = " or ".join(f'Paging(position="{b.variable}")' for b in found)
            raise GraphQLError(
                f"a list is read along one position, here are more: {options}", found[1].place.node
            )
        if not found and self._paging.position is not None:
            raise GraphQLError(
                f"no argument takes ${self._paging.position}, which Paging names as position",
                self._places.root.node,
            )
        return found[0] if found else None

    def _rows(self, start: Place, *, paged: bool) -> Rows:
        places = self._places
        if self._paging.rows is not None:
            chosen = selected(places, self._paging.rows)
            above = places.line(chosen)[:-1]
            in_edge = above and above[-1].name == "edges" and chosen.name == "node"
            return as_rows(places, above[-1] if in_edge else chosen)
        if paged or start.is_list:
            return find_rows(places, start)
        return self._rows_of_one_answer(start)

    def _rows_of_one_answer(self, root: Place) -> Rows:
        """Take the only list, or the object itself where it holds no list; else it is not clear which."""
        found = candidates(self._places, root)
        if not found:
            return Rows(root)
        rows = as_rows(self._places, found[0])
        signals = SignalFinder(self._places, rows, root, self._paging)
        of_paging = {*signals.find("cursor").paths, *signals.find("page").paths}
        if len(found) > 1 or unused(self._places, rows, of_paging):
            raise choice([root, *found], root)
        return rows

    def _strategy(self, position: Bound | None, rows: Rows) -> Strategy:
        chosen = self._paging.strategy
        if position is None:
            if chosen not in (None, "whole"):
                raise GraphQLError(
                    f"paging by {chosen} needs a variable for its position, as in (after: $after)",
                    self._places.root.node,
                )
            if chosen is None:
                self._refuse_first_page_only(rows)
            return "whole"
        strategy = chosen or self._meant(position) or ("cursor" if self._paging.cursor else None)
        if strategy is None:
            raise GraphQLError(
                f'what is ${position.variable}? Say it as in Paging(strategy="offset")', position.place.node
            )
        if strategy == "cursor" and self._lacks_start(position.variable):
            raise GraphQLError(
                f"the first page has no cursor, so ${position.variable} must not be required: "
                "declare it without ! or with a default",
                position.place.node,
            )
        return strategy

    def _refuse_first_page_only(self, rows: Rows) -> None:
        """Refuse to take a page for the list, where a field on the way takes a position or a size."""
        for place in self._places.line(rows.place):
            if name := paging_argument(place):
                raise GraphQLError(
                    f"{place.shown} takes {name}, so this may read its first page only: bind its position to "
                    "a variable to read all pages (or name it: Paging(position=…)), or say "
                    'that one answer is all: Paging(strategy="whole")',
                    place.node,
                )

    def _size(self, position: Bound | None) -> str | None:
        if self._paging.size is not None or position is None:
            if self._paging.size is not None and self._paging.size not in self._types:
                raise GraphQLError(
                    f"Paging names ${self._paging.size}, which the query does not have", self._operation
                )
            return self._paging.size
        found = {
            b.variable
            for b in bound(position.place)
            if b.names[-1] in SIZES
            and b.names[:-1] == position.names[:-1]
            and fits("offset", self._types[b.variable].rstrip("!"))
        }
        return found.pop() if len(found) == 1 else None

    def _definition(self, variable: str) -> VariableDefinitionNode:
        return next(d for d in self._operation.variable_definitions if d.variable.name.value == variable)

    def _default(self, variable: str | None) -> int | None:
        value = self._definition(variable).default_value if variable else None
        return int(value.value) if isinstance(value, IntValueNode) else None

    def _has_default(self, variable: str | None) -> bool:
        return variable is not None and self._definition(variable).default_value is not None

    def _lacks_start(self, variable: str) -> bool:
        definition = self._definition(variable)
        return isinstance(definition.type, NonNullTypeNode) and definition.default_value is None

    def _first(self, strategy: Strategy, variable: str | None) -> int | None:
        """Give the first position; None where pages may count from 0 or 1 and nobody says which."""
        if strategy != "page":
            return 0 if strategy == "offset" else None
        if self._paging.first_page is not None:
            return self._paging.first_page
        default = self._default(variable)
        return default if default in (0, 1) else None


def paging_argument(place: Place) -> str | None:
    """Name an argument that the schema has for a position, or at least a size, itself or inside objects."""
    parent = place.parent
    if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        return None
    field = parent.fields.get(place.node.name.value)
    inputs = [(name, argument.type) for name, argument in field.args.items()] if field else []
    found = dict(_inputs(inputs, DEPTH))
    positions = [name for name, type_ in found.items() if _is_position(name.split(".")[-1], type_)]
    sizes = [name for name, type_ in found.items() if _is_size(name.split(".")[-1], type_)]
    return next(iter(positions + sizes), None)


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


def _is_position(name: str, type_: GraphQLInputType) -> bool:
    strategy = POSITIONS.get(plain(name))
    return strategy is not None and is_leaf_type(type_) and fits(strategy, str(type_))


def _is_size(name: str, type_: GraphQLInputType) -> bool:
    return plain(name) in SIZES and is_leaf_type(type_) and fits("offset", str(type_))

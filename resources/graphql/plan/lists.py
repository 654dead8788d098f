"""Lists: which of the paging strategies a document is written for."""

from graphql import (
    GraphQLError,
    IntValueNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    VariableDefinitionNode,
)

from resources.graphql.plan.arguments import is_size, meaning, paging_argument
from resources.graphql.plan.listed import Listed
from resources.graphql.plan.paging import Paging
from resources.graphql.plan.place import Bound, Place, Places, bound, variable_types
from resources.graphql.plan.rows import Rows, as_rows, candidates, choice, find_rows
from resources.graphql.plan.signals import SignalFinder, Signals, selected, unused
from resources.graphql.plan.vocabulary import Strategy


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
        signals = self._signals(rows, start, strategy)
        size = self._size(position)
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

    def _signals(self, rows: Rows, start: Place, strategy: Strategy) -> Signals:
        signals = SignalFinder(self._places, rows, start, self._paging).find(strategy)
        if strategy == "cursor" and signals.cursor is None:
            raise GraphQLError(
                f"a cursor list needs its next cursor in the selection of {start.shown}, as in "
                "pageInfo { hasNextPage endCursor }",
                start.node,
            )
        return signals

    def _positions(self) -> list[Bound]:
        """Give the variables that are positions, by name, by type, or because the user says so."""
        if self._paging.position is not None:
            return [b for b in self._bound if b.variable == self._paging.position]
        wanted = self._paging.strategy
        found = [b for b in self._bound if (meant := self._meant(b)) and wanted in (None, meant)]
        return list({(b.place.path, b.variable): b for b in found}.values())

    def _meant(self, bound: Bound) -> Strategy | None:
        return meaning(bound.names, self._type(bound))

    def _type(self, bound: Bound) -> str:
        return self._types[bound.variable].rstrip("!")

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
                    f"paging by {chosen} needs a variable for its position, as in (after: $after); one "
                    "that is not known by its argument's name is named with Paging(position=…)",
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
            if b.names[:-1] == position.names[:-1] and is_size(b.names, self._type(b))
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

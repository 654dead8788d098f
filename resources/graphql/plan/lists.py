"""Lists: which of the paging strategies a document is written for."""

from collections.abc import Collection

from graphql import (
    GraphQLError,
    IntValueNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    VariableDefinitionNode,
)

from resources.graphql.columns import Scalar
from resources.graphql.plan.arguments import is_size, meaning, schema_default
from resources.graphql.plan.first_page_only import refuse_first_page_only
from resources.graphql.plan.listed import Listed
from resources.graphql.plan.paging import Paging
from resources.graphql.plan.place import Bound, Place, Places, bound
from resources.graphql.plan.rows import Rows, as_rows, candidates, choice, find_rows
from resources.graphql.plan.signals import SignalFinder, Signals, selected, unused
from resources.graphql.plan.vocabulary import Strategy
from resources.graphql.scalars import Scalars


class ListInference:
    """Reads one document as a list."""

    def __init__(
        self, operation: OperationDefinitionNode, places: Places, paging: Paging, scalars: Scalars
    ) -> None:
        self._operation = operation
        self._places = places
        self._paging = paging
        self._scalars = scalars
        self._types = {d.variable.name.value: scalars.of_variable(d) for d in operation.variable_definitions}
        self._window: frozenset[str] = frozenset()
        self._bound = [b for place in places.all() for b in bound(place)]

    @property
    def is_paged(self) -> bool:
        """Say whether a variable holds a position."""
        return bool(self._positions())

    @property
    def of_pages(self) -> set[str]:
        """The variables that are positions or sizes by name and type, and so never keys."""
        sizes = {b.variable for b in self._bound if is_size(b.names, self._type(b))}
        return sizes | {b.variable for b in self._bound if self._meant(b)}

    def plan(self, window: Collection[str] = ()) -> Listed:
        """Give the plan, or refuse with what to change; the variables of a window are no positions."""
        self._window = frozenset(window)
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
            first=self._first(strategy, position),
            first_size=self._default(size),
            errors=self._paging.errors,
            null_rows=self._paging.null_rows,
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
            found = [b for b in self._bound if b.variable == self._paging.position]
        else:
            wanted = self._paging.strategy
            found = [b for b in self._bound if (meant := self._meant(b)) and wanted in (None, meant)]
        return list({(b.place.path, b.variable): b for b in reversed(found)}.values())[::-1]

    def _meant(self, bound: Bound) -> Strategy | None:
        return None if bound.in_list else meaning(bound.names, self._type(bound), bound.siblings)

    def _type(self, bound: Bound) -> Scalar:
        return self._types[bound.variable]

    def _position(self) -> Bound | None:
        found = self._positions()
        variables = dict.fromkeys(b.variable for b in found)
        if len(found) > len(variables) == 1:
            shown = ", ".join(b.place.shown for b in found)
            raise GraphQLError(
                f"${found[0].variable} pages more than one field ({shown}), and one list is read: write a "
                "document for each",
                found[1].place.node,
            )
        if len(variables) > 1:
            options = " or ".join(f'Paging(position="{variable}")' for variable in variables)
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
        found = [place for place in candidates(self._places, root) if not place.is_list_of_lists]
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
                nullable = {
                    name: type_
                    for name, type_ in self._types.items()
                    if not isinstance(self._definition(name).type, NonNullTypeNode)
                }
                refuse_first_page_only(self._places.line(rows.place), nullable, self._scalars, self._window)
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

    def _lacks_start(self, variable: str) -> bool:
        definition = self._definition(variable)
        return isinstance(definition.type, NonNullTypeNode) and definition.default_value is None

    def _first(self, strategy: Strategy, position: Bound | None) -> int | None:
        """Give the first position; None where pages may count from 0 or 1 and nobody says which."""
        if strategy != "page" or position is None:
            return 0 if strategy == "offset" else None
        if self._paging.first_page is not None:
            return self._paging.first_page
        own = self._default(position.variable)
        default = schema_default(position) if own is None else own
        return default if isinstance(default, int) and default in (0, 1) else None

"""The plan of a list."""

from dataclasses import dataclass
from typing import Literal

from graphql import FieldNode, OperationDefinitionNode

from resources.graphql.columns import Column
from resources.graphql.plan.rows import Rows
from resources.graphql.plan.signals import Signals
from resources.graphql.plan.vocabulary import Strategy
from resources.graphql.shape import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list read page by page; `position` and `size` are variables.

    `first` is the first position: None for a cursor, and where nobody says whether pages count from 0 or 1.
    `first_size` is the size that the document gives its variable. `errors` and `null_rows` are those of
    `Paging`. `unused` names what is selected beside the rows and is in no table.
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
    errors: Literal["null"] | None = None
    null_rows: Literal["drop"] | None = None
    unused: tuple[str, ...] = ()

    @property
    def own(self) -> frozenset[str]:
        """The variables that paging fills."""
        return frozenset(name for name in (self.position, self.size) if name)

    @property
    def is_counted(self) -> bool:
        """Say whether positions are numbers, under which rows may shift."""
        return self.strategy in ("offset", "page")

    @property
    def is_along_rows(self) -> bool:
        """Say whether the cursor is that of the last row."""
        rows = self.rows.place.path
        return self.signals.cursor is not None and self.signals.cursor[: len(rows)] == rows

    def columns(self, shape: Shape) -> tuple[Column, ...]:
        """Derive the columns of a row."""
        return self.rows.columns(shape)

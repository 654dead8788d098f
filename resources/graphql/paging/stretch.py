"""One page of a list as it was answered: its rows, and what the server says about the list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from resources.errors import QueryError
from resources.graphql.decoding.values import kind_of
from resources.graphql.plan import Listed
from resources.graphql.plan.signals import Path
from resources.graphql.raw import RawRow, opened

Row = Mapping[str, object]


class NullRow(QueryError):
    """A row is null, and nobody said that such rows may be left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows and signals; a signal that the document does not select is None.

    `dropped` counts rows that are null, `again` those that came before, and `nulled` the values of rows that
    the server nulled with an error.
    """

    rows: list[Row]
    again: int = 0
    dropped: int = 0
    nulled: int = 0
    more: bool | None = None
    cursor: object = None
    next: object = None
    total: int | None = None
    total_pages: int | None = None
    last_page: int | None = None
    fetched_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def number(self) -> int:
        """The rows that the page has, null ones included."""
        return len(self.rows) + self.dropped

    @property
    def goes_on_to_next(self) -> bool:
        """Say whether the server names a next page."""
        return not (self.next is None or self.next is False or self.next == "")


def read(plan: Listed, data: Row, nulled: int = 0) -> Stretch:
    """Read an answer's data, or refuse what would lose rows."""
    return Reader(plan, data).stretch(nulled)


class Reader:
    """Reads one answer along the paths of a plan."""

    def __init__(self, plan: Listed, data: Row) -> None:
        self._plan = plan
        self._data = data
        self._items = [opened(item) for item in self._found()]

    def stretch(self, nulled: int) -> Stretch:
        """Give the rows and the signals."""
        signals = self._plan.signals
        found = [self._row(item, number) for number, item in enumerate(self._items)]
        rows = [row for row in found if row is not None]
        return Stretch(
            rows=rows,
            dropped=len(found) - len(rows),
            nulled=nulled,
            more=self._more(),
            cursor=self._cursor(signals.cursor),
            next=self._value(signals.next),
            total=self._number(signals.total),
            total_pages=self._number(signals.total_pages),
            last_page=self._number(signals.last_page),
        )

    def _found(self) -> list[object]:
        place = self._plan.rows.place
        value = self._value(place.path)
        if not place.is_list:
            return [self._object(value, place.path)]
        if isinstance(value, list):
            return value
        raise QueryError(
            f"the server answered {place.shown} with {kind_of(value)}, not with a list: no rows can be told"
        )

    def _row(self, item: object, number: int) -> Row | None:
        """Give one row; None for one that is null, where such rows are to be dropped."""
        rows = self._plan.rows
        if item is None:
            self._check_null(number, rows.place.path)
            return None
        found = self._object(item, rows.place.path)
        if rows.node is None:
            return found
        value = opened(found.get(rows.node.path[-1]))
        if value is None:
            self._check_null(number, rows.node.path)
            return None
        node = self._object(value, rows.node.path)
        if not rows.others:
            return node
        return {**node, **{p.path[-1]: found[p.path[-1]] for p in rows.others if p.path[-1] in found}}

    def _check_null(self, number: int, path: Path) -> None:
        if self._plan.null_rows != "drop" or not self._plan.rows.place.is_list:
            raise NullRow(
                f"row {number + 1} of a page of {'.'.join(path)} is null: it may be gone, or hidden from the "
                'account. Paging(null_rows="drop") leaves such rows out and counts them'
            )

    def _value(self, path: Path | None) -> object:
        """Follow a path from the data on; through a list only where it has one element."""
        if path is None:
            return None
        value: object = self._data
        for depth, key in enumerate(path):
            holder = self._object(value, path[:depth])
            if key not in holder:
                raise QueryError(f"the answer lacks {'.'.join(path[: depth + 1])}")
            value = holder[key]
        return value

    def _object(self, value: object, path: Path) -> Row:
        shown = ".".join(path) or "data"
        if isinstance(value, list) and path != self._plan.rows.place.path:
            if len(value) != 1:
                raise QueryError(
                    f"{shown} has {len(value)} elements, each with a list of its own: ask for one of them"
                )
            value = value[0]
        if isinstance(value, dict | RawRow):
            return value
        if value is None and path != self._plan.rows.place.path:
            raise QueryError(
                f"{shown} is null in the answer, so its list cannot be read: does it exist, and may the "
                "account see it?"
            )
        raise QueryError(f"the server answered {shown} with {kind_of(value)}, not with an object")

    def _more(self) -> bool | None:
        """Say whether there are more rows, if the document asks."""
        signals = self._plan.signals
        path = signals.more or signals.last
        value = self._value(path)
        if path is None:
            return None
        if isinstance(value, bool):
            return value if path == signals.more else not value
        raise QueryError(f"the server does not say whether there are more rows ({'.'.join(path)})")

    def _cursor(self, path: Path | None) -> object:
        """Give the page's cursor, or that of its last row that is not null."""
        if path is None or not self._plan.is_along_rows:
            return self._value(path)
        start = len(self._plan.rows.place.path)
        value: object = next((item for item in reversed(self._items) if item is not None), None)
        for depth in range(start, len(path)):
            if value is not None:
                value = opened(self._object(value, path[:depth]).get(path[depth]))
        return value

    def _number(self, path: Path | None) -> int | None:
        value = self._value(path)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        try:
            return int(str(value))  # a big integer as text
        except ValueError:
            shown = ".".join(path or ())
            raise QueryError(
                f"the server answered {shown} with {kind_of(value)}, not with a number"
            ) from None

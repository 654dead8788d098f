"""One page of a list as it was answered: its rows, and what the server says about the list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from resources.errors import QueryError
from resources.graphql.plan import Listed
from resources.graphql.plan.signals import Path

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows and signals; a signal that the document does not select is None."""

    rows: list[Row]
    more: bool | None = None
    cursor: object = None
    next: object = None
    total: int | None = None
    total_pages: int | None = None
    fetched_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def read(plan: Listed, data: Row) -> Stretch:
    """Read an answer's data, or refuse what would lose rows."""
    return Reader(plan, data).stretch()


class Reader:
    """Reads one answer along the paths of a plan."""

    def __init__(self, plan: Listed, data: Row) -> None:
        self._plan = plan
        self._data = data
        self._items = self._found()

    def stretch(self) -> Stretch:
        """Give the rows and the signals."""
        signals = self._plan.signals
        return Stretch(
            rows=[self._row(item) for item in self._items],
            more=self._more(signals.more),
            cursor=self._cursor(signals.cursor),
            next=self._value(signals.next),
            total=self._number(signals.total),
            total_pages=self._number(signals.total_pages),
        )

    def _found(self) -> list[object]:
        place = self._plan.rows.place
        value = self._value(place.path)
        if not place.is_list:
            return [self._object(value, place.path)]
        if isinstance(value, list):
            return value
        raise QueryError(
            f"the server answered {place.shown} with {kind(value)}, not with a list: no rows can be told"
        )

    def _row(self, item: object) -> Row:
        rows = self._plan.rows
        found = self._object(item, rows.place.path)
        if rows.node is None:
            return found
        node = self._object(found.get(rows.node.path[-1]), rows.node.path)
        return {**node, **{p.path[-1]: found[p.path[-1]] for p in rows.others if p.path[-1] in found}}

    def _value(self, path: Path | None) -> object:
        """Follow a path from the data on; through a list only where it has one element."""
        value: object = self._data
        for depth, key in enumerate(path or ()):
            holder = self._object(value, (path or ())[:depth])
            if key not in holder:
                raise QueryError(f"the answer lacks {'.'.join((path or ())[: depth + 1])}")
            value = holder[key]
        return value if path else None

    def _object(self, value: object, path: Path) -> Row:
        shown = ".".join(path) or "data"
        if isinstance(value, list) and path != self._plan.rows.place.path:
            if len(value) != 1:
                raise QueryError(
                    f"{shown} has {len(value)} elements, each with a list of its own: ask for one of them"
                )
            value = value[0]
        if isinstance(value, dict):
            return value
        if value is None and path != self._plan.rows.place.path:
            raise QueryError(
                f"{shown} is null in the answer, so its list cannot be read: does it exist, and may the "
                "account see it?"
            )
        raise QueryError(f"the server answered {shown} with {kind(value)}, not with an object")

    def _more(self, path: Path | None) -> bool | None:
        value = self._value(path)
        if path is None or isinstance(value, bool):
            return value if isinstance(value, bool) else None
        raise QueryError(f"the server does not say whether there are more rows ({'.'.join(path)})")

    def _cursor(self, path: Path | None) -> object:
        """Give the page's cursor, or that of its last row."""
        rows = self._plan.rows.place.path
        if path is None or path[: len(rows)] != rows:
            return self._value(path)
        value: object = self._items[-1] if self._items else None
        for depth in range(len(rows), len(path)):
            if value is not None:
                value = self._object(value, path[:depth]).get(path[depth])
        return value

    def _number(self, path: Path | None) -> int | None:
        value = self._value(path)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        try:
            return int(str(value))  # a big integer as text
        except ValueError:
            shown = ".".join(path or ())
            raise QueryError(f"the server answered {shown} with {kind(value)}, not with a number") from None


def kind(value: object) -> str:
    """Describe a value without showing it."""
    names = {type(None): "null", list: "a list", dict: "an object", str: "a text", bool: "a boolean"}
    return names.get(type(value), "a number")

"""What a server says about a list beside its rows: more, next, total; found by the names of fields."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from itertools import takewhile

from graphql import GraphQLError

from resources.graphql.plan.paging import Paging
from resources.graphql.plan.place import Place, Places
from resources.graphql.plan.rows import Rows
from resources.graphql.plan.vocabulary import (
    ABOUT,
    ABOUT_PAGES,
    IS_LAST,
    LAST_PAGE,
    MORE,
    NEXT_CURSOR,
    NEXT_PAGE,
    TOTAL,
    TOTAL_PAGES,
    Strategy,
)

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """The path of each signal in the answer, None where the document does not select it.

    `last` is true on the last page, where nothing says whether there are more rows; `last_page` is the number
    of the last one, and of the pages where they count from 1.
    """

    more: Path | None = None
    last: Path | None = None
    cursor: Path | None = None
    next: Path | None = None
    total: Path | None = None
    total_pages: Path | None = None
    last_page: Path | None = None

    @property
    def paths(self) -> list[Path]:
        """All that are there."""
        return [path for field in fields(self) if (path := getattr(self, field.name))]


class SignalFinder:
    """Looks for signals around the rows; `start` is the field that is paged."""

    def __init__(self, places: Places, rows: Rows, start: Place, paging: Paging) -> None:
        self._places = places
        self._rows = rows
        self._start = start
        self._paging = paging
        self._around = [place for place in envelope(places, rows) if self._is_about_it(place)]

    def find(self, strategy: Strategy) -> Signals:
        """Find the signals that the strategy needs, and the total."""
        paging = self._paging
        by_number, by_page = strategy != "cursor", strategy in ("page", "whole")
        more = self._path(paging.more, MORE)
        return Signals(
            more=more,
            last=self._path(None, IS_LAST, boolean=True) if more is None else None,
            cursor=None if by_number else self._path(paging.cursor, NEXT_CURSOR) or self._edge_cursor(),
            next=self._path(paging.next, NEXT_PAGE) if by_number else None,
            total=self._path(paging.total, TOTAL, boolean=False),
            total_pages=self._path(paging.total_pages, TOTAL_PAGES, boolean=False) if by_page else None,
            last_page=self._path(None, LAST_PAGE, boolean=False) if by_page else None,
        )

    def _path(self, chosen: str | None, names: Sequence[str], *, boolean: bool | None = None) -> Path | None:
        if chosen is not None:
            return selected(self._places, chosen).path
        found = [
            place
            for place in self._around
            if place.name in names and boolean in (None, place.named.name == "Boolean")
        ]
        if not found:
            return None
        best = min(found, key=lambda place: self._rank(place, names))
        equal = [p for p in found if self._rank(p, names) == self._rank(best, names)]
        if len(equal) > 1:
            shown = ", ".join(place.shown for place in equal)
            raise GraphQLError(f"{shown}: which of them speaks of the rows? Name it in Paging", best.node)
        return best.path

    def _rank(self, place: Place, names: Sequence[str]) -> tuple[int, int]:
        """Prefer what is nearer to the rows, then the earlier name."""
        shared = takewhile(
            lambda pair: pair[0] == pair[1], zip(place.path, self._rows.place.path, strict=False)
        )
        return -len(list(shared)), names.index(place.name)

    def _is_about_it(self, place: Place) -> bool:
        """Say whether a leaf is of the field that is paged, or of an object that speaks of pages.

        What holds that field may be anything: a book has pages, and an invoice a total.
        """
        if not place.is_leaf or place.is_list:
            return False
        above = self._places.line(place)[:-1]
        beside = [holder for holder in above if not _holds(holder, self._rows)]
        if place.path[: len(self._start.path)] == self._start.path:
            return all(holder.name in ABOUT for holder in beside)
        return len(beside) == 1 and beside[0].name in ABOUT_PAGES

    def _edge_cursor(self) -> Path | None:
        """Take the cursor of the last edge where the page itself gives none."""
        if self._rows.node is None:
            return None
        edges = self._places.children(self._rows.place)
        return next((place.path for place in edges if place.name == "cursor"), None)


def envelope(places: Places, rows: Rows) -> list[Place]:
    """Give the places outside of the rows, and not inside of other lists that the rows are not in."""
    found: list[Place] = []
    pending = [places.root]
    while pending:
        place = pending.pop(0)
        if place.path == rows.place.path:
            continue
        found.append(place)
        if _holds(place, rows) or not place.is_list:
            pending += places.children(place)
    return found


def selected(places: Places, path: str) -> Place:
    """Give the place that a path of `Paging` names."""
    for place in places.all():
        if place.shown == path:
            return place
    raise GraphQLError(f"Paging names {path}, which the query does not select", places.root.node)


def unused(places: Places, rows: Rows, of_paging: Collection[Path]) -> tuple[str, ...]:
    """Name what is selected beside the rows and is in no table."""
    around = envelope(places, rows) if rows.place.is_list else []
    ends = [place for place in around if place.is_leaf or (place.is_list and not _holds(place, rows))]
    return tuple(place.shown for place in ends if place.path not in of_paging and place.name != "typename")


def _holds(place: Place, rows: Rows) -> bool:
    return rows.place.path[: len(place.path)] == place.path

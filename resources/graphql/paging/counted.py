"""Positions that are numbers which we count ourselves: rows or pages."""

from abc import abstractmethod
from collections.abc import Sequence

from resources.errors import QueryError
from resources.graphql.paging.likeness import Likeness
from resources.graphql.paging.positions import Cursors, Positions, Whole
from resources.graphql.paging.stretch import Row, Stretch
from resources.graphql.plan import Listed

STALE_PAGES = 10  # like the page before, one after the other


class Counted(Positions):
    """By a number that we count ourselves."""

    def __init__(self, plan: Listed, likeness: Likeness) -> None:
        super().__init__(plan)
        self._at: int = plan.first or 0
        self._received = 0
        self._largest = 0  # rows of a page
        self._last: Sequence[Row] = ()
        self._stale = 0  # pages, one after the other, that are like the one before
        self._likeness = likeness

    def _step(self, stretch: Stretch, size: int) -> bool:
        self._refuse_same(stretch.rows)
        self._received += stretch.number - stretch.again
        self._largest = max(self._largest, stretch.number)
        self._move(stretch, size)
        self.value = self._at
        return self._goes_on(stretch)

    def _refuse_same(self, rows: Sequence[Row]) -> None:
        """Refuse the page before, or one that is like it in what does not change with every answer."""
        if not rows:
            return
        self._stale = self._stale + 1 if self._likeness.alike(self._last, rows) else 0
        if rows == self._last or self._stale == STALE_PAGES:
            raise QueryError(
                f"the server gives the same page again, whatever ${self._plan.position} says. If it gives "
                'the whole list at once: Paging(strategy="whole"); if the last page over and over: select '
                "the total or whether there are more; if rows may look the same: select an id"
            )
        self._last = rows

    def _goes_on(self, stretch: Stretch) -> bool:
        if stretch.more is not None:
            return stretch.more
        if self._plan.signals.next is not None:
            return stretch.goes_on_to_next
        if (pages := self._pages(stretch)) is not None:
            return self._at - (self._plan.first or 0) < pages
        if stretch.total is not None:
            return self._received < stretch.total
        return bool(stretch.number)

    def _pages(self, stretch: Stretch) -> int | None:
        return None

    def _gives_up(self) -> bool:
        """Take the list to be at its end where only its total says otherwise: that is judged later."""
        signals = self._plan.signals
        says_more = signals.more or signals.last or signals.next or signals.total_pages or signals.last_page
        return super()._gives_up() if says_more else False

    @abstractmethod
    def _move(self, stretch: Stretch, size: int) -> None:
        """Set the next number."""


class Offsets(Counted):
    """By the number of rows received so far."""

    def __init__(self, plan: Listed, likeness: Likeness) -> None:
        super().__init__(plan, likeness)
        self._passed_over: list[str] = []  # said only if rows come after it: else it was the list's end

    def _move(self, stretch: Stretch, size: int) -> None:
        self._at += stretch.number
        if stretch.number:
            self.notes += self._passed_over
            self._passed_over = []
        elif self._goes_on(stretch):
            # Before any row it is not known how many the server gives at most: one may be all.
            step = max(1, min(self._largest, size) if self._plan.size else self._largest)
            self._passed_over.append(f"the page at offset {self._at} is empty; {step} rows were passed over")
            self._at += step


class Numbers(Counted):
    """By the number of the page; its size has to stay as it is, or pages would overlap."""

    def _pages(self, stretch: Stretch) -> int | None:
        is_from_one = self._plan.first == 1
        return stretch.last_page if stretch.total_pages is None and is_from_one else stretch.total_pages

    def _move(self, stretch: Stretch, size: int) -> None:
        following = stretch.next
        if isinstance(following, int) and not isinstance(following, bool):
            if following <= self._at:
                raise QueryError("the server gives a page again as the next one: the list would never end")
            self._at = following
        else:
            self._at += 1

    def smaller(self, size: int) -> int:
        """Choose a size of which as many whole pages lie behind."""
        first = self._plan.first or 0
        behind = (self._at - first) * size
        if behind and self._largest < size:
            raise QueryError(
                f"a page of {size} rows is refused in the middle of the list, and the server gives at most "
                f"{self._largest} at once: set the page size to that or less, and run it again"
            )
        found = next(s for s in range(max(1, size // 2), 0, -1) if behind % s == 0)
        self._at = first + behind // found
        self.value = self._at
        return found


def positions(plan: Listed, likeness: Likeness) -> Positions:
    """Give the positions of a plan's strategy, at the list's start."""
    match plan.strategy:
        case "offset":
            return Offsets(plan, likeness)
        case "page":
            return Numbers(plan, likeness)
        case "cursor":
            return Cursors(plan)
        case _:
            return Whole(plan)

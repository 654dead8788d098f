"""How each strategy goes from a page to the next; only the server's own word ends a list.

A page that is shorter than asked for ends nothing: servers cap the size. A list ends where the server says
that there are no more rows, by whichever signal it has, or else at its first empty page.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from hashlib import blake2b

from resources.errors import QueryError
from resources.graphql.paging.stretch import Row, Stretch
from resources.graphql.plan import Listed

EMPTY_PAGES = 10  # one after the other, though the server says that there are more rows
EMPTY_PAGES_BY_CURSOR = 1000  # a server that filters after it has read gives many
DIGEST_BYTES = 12


class Positions(ABC):
    """Where a list is being read; `value` is the position to ask for, `notes` what a reader should know."""

    most_empty = EMPTY_PAGES

    def __init__(self, plan: Listed) -> None:
        self.value: object = plan.first
        self.notes: list[str] = []
        self._plan = plan
        self._empty = 0  # pages, one after the other

    def advance(self, stretch: Stretch, size: int) -> bool:
        """Go on to the next page; say False at the list's end. `size` is what was asked for."""
        if not self._step(stretch, size):
            return False
        self._empty = 0 if stretch.rows else self._empty + 1
        return self._empty < self.most_empty or self._gives_up()

    def smaller(self, size: int) -> int:
        """Choose a smaller size for the page that is asked for now."""
        return max(1, size // 2)

    def _gives_up(self) -> bool:
        raise QueryError(f"the server says there are more rows, but {self._empty} pages in a row are empty")

    @abstractmethod
    def _step(self, stretch: Stretch, size: int) -> bool:
        """Set the next position; say False at the end."""


class Cursors(Positions):
    """Along the cursor that each page gives to the next."""

    most_empty = EMPTY_PAGES_BY_CURSOR

    def __init__(self, plan: Listed) -> None:
        super().__init__(plan)
        self._seen: set[bytes] = set()

    def _step(self, stretch: Stretch, size: int) -> bool:
        if stretch.more is False:
            return False
        cursor = stretch.cursor
        if cursor is None or cursor == "":
            if stretch.more:
                raise QueryError("the server says there are more rows but gives no cursor to them")
            return False
        digest = blake2b(repr(cursor).encode(errors="surrogatepass"), digest_size=DIGEST_BYTES).digest()
        if digest in self._seen:
            raise QueryError("the server gives the same cursor again: the list would never end")
        self._seen.add(digest)
        self.value = cursor
        return True


class Counted(Positions):
    """By a number that we count ourselves."""

    def __init__(self, plan: Listed) -> None:
        super().__init__(plan)
        self._at: int = plan.first or 0
        self._received = 0
        self._largest = 0  # rows of a page
        self._last: Sequence[Row] = ()

    def _step(self, stretch: Stretch, size: int) -> bool:
        rows = stretch.rows
        if rows and rows == self._last:
            raise QueryError(
                f"the server gives the same page again, whatever ${self._plan.position} says. If it gives "
                'the whole list at once: Paging(strategy="whole"); if the last page over and over: select '
                "the total or whether there are more; if rows may look the same: select an id"
            )
        self._last = rows or self._last
        self._received += len(rows)
        self._largest = max(self._largest, len(rows))
        self._move(stretch, size)
        self.value = self._at
        return self._goes_on(stretch)

    def _goes_on(self, stretch: Stretch) -> bool:
        signals = self._plan.signals
        if stretch.more is not None:
            return stretch.more
        if signals.next is not None:
            return stretch.next is not None
        if stretch.total_pages is not None:
            return self._at - (self._plan.first or 0) < stretch.total_pages
        if stretch.total is not None:
            return self._received < stretch.total
        return bool(stretch.rows)

    def _gives_up(self) -> bool:
        """Take the list to be at its end where only its total says otherwise: that is judged later."""
        signals = self._plan.signals
        return super()._gives_up() if signals.more or signals.next or signals.total_pages else False

    @abstractmethod
    def _move(self, stretch: Stretch, size: int) -> None:
        """Set the next number."""


class Offsets(Counted):
    """By the number of rows received so far."""

    def _move(self, stretch: Stretch, size: int) -> None:
        self._at += len(stretch.rows)
        if not stretch.rows and self._goes_on(stretch):
            step = self._largest or (size if self._plan.size else 1)
            self.notes.append(f"the page at offset {self._at} is empty; {step} rows were passed over")
            self._at += step


class Numbers(Counted):
    """By the number of the page; its size has to stay as it is, or pages would overlap."""

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


class Whole(Positions):
    """One answer, all rows in it."""

    def _step(self, stretch: Stretch, size: int) -> bool:
        pages = stretch.total_pages or 0
        if stretch.more or pages > 1 or (self._plan.signals.next and stretch.next is not None):
            raise QueryError(
                "the server says there are more rows, and the query has no variable to ask for them, as in "
                "(after: $after), (offset: $offset) or (page: $page)"
            )
        return False


def positions(plan: Listed) -> Positions:
    """Give the positions of a plan's strategy, at the list's start."""
    kinds: dict[str, type[Cursors | Offsets | Numbers | Whole]] = {
        "cursor": Cursors,
        "offset": Offsets,
        "page": Numbers,
        "whole": Whole,
    }
    return kinds[plan.strategy](plan)

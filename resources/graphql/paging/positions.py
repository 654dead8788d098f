"""How a list goes on along a cursor, or not at all; only the server's own word ends a list.

A page that is shorter than asked for ends nothing: servers cap the size. A list ends where the server says
that there are no more rows, by whichever signal it has, or else at its first empty page.
"""

from abc import ABC, abstractmethod
from hashlib import blake2b

from resources.errors import QueryError
from resources.graphql.paging.stretch import Stretch
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
        """Go on to the next page; say False at the list's end. `size` is what was asked for.

        A page whose rows were all dropped is not empty.
        """
        if not self._step(stretch, size):
            return False
        self._empty = 0 if stretch.number else self._empty + 1
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
            self._refuse_lack(stretch)
            return False
        if cursor == self.value and not stretch.number and stretch.more is None:
            return False  # the server gives back what it was asked for
        digest = blake2b(repr(cursor).encode(errors="surrogatepass"), digest_size=DIGEST_BYTES).digest()
        if digest in self._seen:
            raise QueryError("the server gives the same cursor again: the list would never end")
        self._seen.add(digest)
        self.value = cursor
        return True

    def _refuse_lack(self, stretch: Stretch) -> None:
        """Refuse a cursor that is null where that is not the list's end."""
        if stretch.more:
            raise QueryError("the server says there are more rows but gives no cursor to them")
        if stretch.number and self._plan.is_along_rows:
            shown = ".".join(self._plan.signals.cursor or ())
            raise QueryError(
                f"the cursor within the rows ({shown}) is null at the end of a page, so the rows behind it "
                "cannot be asked for: read along a field that is never null, or select whether there are more"
            )


class Whole(Positions):
    """One answer, all rows in it."""

    def _step(self, stretch: Stretch, size: int) -> bool:
        pages = max(stretch.total_pages or 0, stretch.last_page or 0)
        if stretch.more or pages > 1 or stretch.goes_on_to_next:
            raise QueryError(
                "the server says there are more rows, and the query has no variable to ask for them, as in "
                "(after: $after), (offset: $offset) or (page: $page)"
            )
        return False

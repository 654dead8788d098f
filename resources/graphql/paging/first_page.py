"""Whether pages count from 0 or from 1, found out by asking for both: else the first may be missed."""

from collections.abc import Sequence
from dataclasses import replace

from resources.errors import ConfigurationError, QueryError
from resources.graphql.paging.counted import positions
from resources.graphql.paging.source import Source
from resources.graphql.paging.stretch import Row, Stretch
from resources.graphql.plan import Listed

SAY_IT = "say it with Paging(first_page=1), or first_page=0"


class FirstPage:
    """Finds the first page; `known` are the pages that were asked for on the way."""

    def __init__(self, plan: Listed, source: Source) -> None:
        self.known: dict[object, Stretch] = {}
        self._plan = plan
        self._source = source
        self._zero: Sequence[Row] = ()  # the rows of page 0 where the list is read from it on

    async def find(self) -> None:
        """Set the source to the first page.

        A server that counts from 1 refuses page 0, or gives nothing, or page 1 again, or the last one.
        """
        self._start(1)
        one = await self._page_one()
        zero = await self._source.peek(0)
        if zero is not None and self._is_first(zero, one):
            self._start(0)
            self.known[0] = zero
            self._zero = zero.rows
        self.known[1] = one

    async def _page_one(self) -> Stretch:
        try:
            return await self._source.ask()
        except QueryError as error:
            raise QueryError(
                f"{error} (page 1; if pages count from 0 and there is one only: Paging(first_page=0))"
            ) from error

    def check(self, rows: Sequence[Row]) -> None:
        """Refuse a later page that is page 0: a server that counts from 1 gave its last one for it."""
        if self._zero and rows and self._source.likeness.same(self._zero, rows) is True:
            raise ConfigurationError(f"a later page is page 0 again: do pages count from 1? Then {SAY_IT}")

    def _start(self, first: int) -> None:
        self._source.positions = positions(replace(self._plan, first=first), self._source.likeness)

    def _is_first(self, zero: Stretch, one: Stretch) -> bool:
        is_last = zero.more is False and bool(one.rows)
        if not zero.rows or is_last:
            return False
        same = self._source.likeness.same(zero.rows, one.rows)
        if same is None:
            raise ConfigurationError(
                "page 0 and page 1 are alike in a part, so it is not known whether pages count from 0 or 1: "
                f"{SAY_IT}"
            )
        return not same

"""Pages of a list: ask, perhaps for less, go on to the next position; whatever the strategy."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import replace

import pyarrow as pa
from graphql import print_ast, strip_ignored_characters

from resources.errors import ConfigurationError, QueryError, Refused, Unavailable, ValueMisfit
from resources.graphql import arrow
from resources.graphql.answer import Answer
from resources.graphql.page import Page
from resources.graphql.paging.positions import positions
from resources.graphql.paging.rows import Identities, stamped
from resources.graphql.paging.stretch import Row, Stretch, read
from resources.graphql.paging.totals import Totals, changed
from resources.graphql.plan import Listed
from resources.graphql.query import Query
from resources.graphql.sender import Sender
from resources.graphql.transport import PreparedRequest

PAGE_ATTEMPTS = 3  # a page with a GraphQL error is asked for again, this often in all
PEEK_ATTEMPTS = 2
PAUSE_SECONDS = 0.5


class ListPages:
    """Asks for the next page while the one before is decoded."""

    def __init__(
        self, query: Query, plan: Listed, sender: Sender, variables: Mapping[str, object], page_size: int
    ) -> None:
        self._query = query
        self._plan = plan
        self._sender = sender
        self._variables = variables
        self._size = first_size(plan, variables, page_size)
        self._proven_size = 0  # the server has answered a page of this size
        self._text = strip_ignored_characters(print_ast(query.document))
        self._positions = positions(plan)
        self._totals = Totals(query.name, plan)
        self._asked_before = False
        self._known: dict[object, Stretch] = {}  # pages that were asked for to find the first one
        self._identities = Identities()
        self._came_again = 0  # rows whose identity had come before

    async def pages(self) -> AsyncGenerator[Page]:
        """Yield the list's pages in its own order."""
        if self._plan.strategy == "page" and self._plan.first is None:
            await self._find_first_page()
        ahead: asyncio.Task[Stretch] | None = asyncio.create_task(self._stretch())
        try:
            while ahead:
                stretch = await ahead
                self._totals.add(stretch)
                self._asked_before = True
                goes_on = self._positions.advance(stretch, self._size)
                notes = [] if goes_on else self._totals.settle()
                ahead = asyncio.create_task(self._stretch()) if goes_on else None
                yield await asyncio.to_thread(self._page, stretch, notes, is_last=not goes_on)
        finally:
            if ahead:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)

    async def _find_first_page(self) -> None:
        """Find out whether pages count from 0 or from 1, by asking for both: else the first may be missed.

        A server that counts from 1 refuses page 0, or gives nothing, or page 1 again, or the last one.
        """
        self._positions = positions(replace(self._plan, first=1))
        one = await self._stretch()
        zero = await self._peek(0)
        is_last = zero is not None and zero.more is False and bool(one.rows)
        if zero is not None and zero.rows and zero.rows != one.rows and not is_last:
            self._known = {0: zero}
        self._positions = positions(replace(self._plan, first=0 if self._known else 1))
        self._known[1] = one

    async def _peek(self, position: int) -> Stretch | None:
        """Ask for a page that may not be there; None if the server refuses it."""
        for attempt in range(PEEK_ATTEMPTS):
            await asyncio.sleep(PAUSE_SECONDS * attempt)
            with suppress(Refused, QueryError):
                answer = await self._answer_of_peek(position)
                if answer.data is not None and not answer.errors:
                    return read(self._plan, answer.data)
        return None

    async def _answer_of_peek(self, position: int) -> Answer:
        try:
            return await self._sender.answer(self._request(position), size=self._size, attempts=PAGE_ATTEMPTS)
        except Unavailable as error:
            if error.unreachable:
                self._sender.give_up(error)
            await self._ask()  # page 1 again: if the server is down, it gives up for now
            raise ConfigurationError(
                f"page {position} cannot be asked for ({error}), so it is not known whether pages count "
                "from 0 or 1: say it with Paging(first_page=1)"
            ) from error

    async def _stretch(self) -> Stretch:
        """Give the page at the position, asked for now or before."""
        known = self._known.pop(self._positions.value, None)
        return known or await self._ask()

    async def _ask(self) -> Stretch:
        """Ask for one page; for a smaller one where the server refuses, or cannot answer in time."""
        for attempt in range(PAGE_ATTEMPTS):
            await asyncio.sleep(PAUSE_SECONDS * attempt)
            try:
                answer = await self._sender.answer(self._request(self._positions.value), size=self._size)
            except Refused as error:
                reason = str(error)
            except Unavailable as error:
                if error.timed_out and self._smaller():
                    return await self._ask()
                self._sender.give_up(error)
            else:
                if answer.data is not None and not answer.errors:
                    self._proven_size = max(self._proven_size, self._size)
                    return read(self._plan, answer.data)
                reason = _reason(answer)
            if self._size > self._proven_size and self._smaller():
                return await self._ask()
        if self._smaller():
            return await self._ask()
        raise QueryError(f"the server refuses the query: {reason}{self._hint()}")

    def _hint(self) -> str:
        """Say what to do where a server answers with an error behind the end of its list."""
        if not self._asked_before or self._plan.signals.paths:
            return ""
        return "; if the list ends here, select what says so, such as its total or whether there are more"

    def _smaller(self) -> bool:
        if self._plan.size is None or self._size == 1:
            return False
        self._size = self._positions.smaller(self._size)
        return True

    def _request(self, position: object) -> PreparedRequest:
        own: dict[str, object] = {}
        if self._plan.position and not (self._plan.starts_by_default and not self._asked_before):
            own[self._plan.position] = position
        if self._plan.size:
            own[self._plan.size] = self._size
        return PreparedRequest(self._text, {**self._variables, **own})

    def _is_new(self, row: Row) -> bool:
        """Say whether a row's identity has not come yet; without an identity every row is new."""
        identity = row.get(self._query.identity) if self._query.identity else None
        return self._identities.is_new(None if identity is None else str(identity))

    def _page(self, stretch: Stretch, notes: list[str], *, is_last: bool) -> Page:
        rows = [row for row in stretch.rows if self._is_new(row)]
        self._came_again += len(stretch.rows) - len(rows)
        return Page(
            tables={self._query.name: self._table(rows, stretch)},
            asked=len(stretch.rows),
            found=len(stretch.rows),
            list_total=self._totals.total,
            notes=(*notes, *self._said_at_end()) if is_last else (),
        )

    def _said_at_end(self) -> list[str]:
        """Say what a reader of the table should know."""
        notes = list(self._positions.notes)
        if self._came_again and self._plan.strategy in ("offset", "page"):
            notes.append(changed(f"{self._came_again} rows came again and were dropped"))
        return notes

    def _table(self, rows: list[Row], stretch: Stretch) -> pa.Table:
        schema = self._query.tables[self._query.name]
        try:
            table = arrow.table(rows, self._query.columns)
        except arrow.Misfit as misfit:
            raise ValueMisfit(
                f"{self._query.name}: column {misfit.path}: {misfit.reason} (row {misfit.row} of a page)"
            ) from misfit
        return stamped(table, [stretch.fetched_at] * table.num_rows, schema)


def first_size(plan: Listed, variables: Mapping[str, object], page_size: int) -> int:
    """Choose the size: the user's for this query, else the document's default, else the setting."""
    given = variables.get(plan.size) if plan.size else None
    if given is None:
        return plan.first_size or page_size
    if isinstance(given, int) and given > 0:
        return given
    raise ConfigurationError(f"{plan.size} is a number of rows, greater than zero")


def _reason(answer: Answer) -> str:
    return answer.errors[0].shown() if answer.errors else "neither data nor errors"

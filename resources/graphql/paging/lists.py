"""Pages of a list: ask, go on to the next position, count; whatever the strategy."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from functools import partial

import pyarrow as pa

from resources.errors import QueryError, ValueMisfit
from resources.graphql.decoding.arrow import Misfit
from resources.graphql.decoding.decoder import Decoder
from resources.graphql.page import Page
from resources.graphql.paging.first_page import FirstPage
from resources.graphql.paging.repeats import Repeats
from resources.graphql.paging.resume import Reached, Resume
from resources.graphql.paging.rows import stamped
from resources.graphql.paging.source import Source
from resources.graphql.paging.stretch import Row, Stretch
from resources.graphql.paging.totals import Totals
from resources.graphql.plan import Listed
from resources.graphql.query import Query
from resources.graphql.sending.sender import Sender


class ListPages:
    """Asks for the next page while the one before is decoded."""

    def __init__(
        self,
        query: Query,
        plan: Listed,
        sender: Sender,
        variables: Mapping[str, object],
        page_size: int,
        resume: Resume | None = None,
    ) -> None:
        self._query = query
        self._plan = plan
        self._new_source = partial(Source, query, plan, sender, variables, page_size)
        self._resume = resume
        self._decoder = Decoder(query.columns)
        self._start()

    def _start(self) -> None:
        self._source = self._new_source()
        self._first_page = FirstPage(self._plan, self._source)
        self._repeats = Repeats(self._query.name, self._plan, self._query.identity)
        self._totals = Totals(self._query.name, self._plan)
        self._dropped = 0  # rows that are null
        self._nulled = 0  # values of rows that the server nulled with an error

    async def pages(self) -> AsyncGenerator[Page]:
        """Yield the list's pages in its own order."""
        if self._resume and self._has_ended(self._resume):
            return
        if self._plan.strategy == "page" and self._plan.first is None:
            await self._first_page.find()
        ahead: asyncio.Task[Stretch] | None = asyncio.create_task(self._first())
        try:
            while ahead:
                stretch = await ahead
                fresh, goes_on = self._take(stretch)
                notes = [] if goes_on else [*self._totals.settle(), *self._said_at_end()]
                reached = self._reached(ended=not goes_on)
                ahead = asyncio.create_task(self._stretch()) if goes_on else None
                yield await asyncio.to_thread(self._page, stretch, fresh, notes, reached)
        finally:
            if ahead:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)

    def _has_ended(self, resume: Resume) -> bool:
        """Take what an earlier reading has left, and say whether that is the whole list.

        Only a cursor leads behind rows that came before: under numbers they may have shifted since.
        """
        if resume.reached is None:
            resume.restart()
            return False
        reached = Reached.of(resume.reached)
        self._source.go_on_from(reached.cursor)
        self._totals.go_on_from(reached.received, reached.said, reached.again)
        self._dropped, self._nulled = reached.dropped, reached.nulled
        self._repeats.dropped = reached.repeated
        column = self._query.identity_column
        for _, rows in resume.staged(self._query.name) if column else ():
            self._repeats.seen(rows[column].to_pylist())
        return reached.ended

    async def _first(self) -> Stretch:
        """Give the first page; that of the list's start where the server has forgotten a staged cursor.

        What is staged is given up when the start was answered: else it is the server, and not the cursor.
        """
        try:
            return await self._stretch()
        except QueryError:
            if self._resume is None or self._resume.reached is None:
                raise
        self._start()
        start = await self._stretch()
        self._resume.restart()
        return start

    def _reached(self, *, ended: bool) -> bytes | None:
        if self._plan.strategy != "cursor":
            return None
        received, said, again = self._totals.counted()
        reached = Reached(
            cursor=self._source.positions.value,
            ended=ended,
            received=received,
            said=said,
            again=again,
            repeated=self._repeats.dropped,
            dropped=self._dropped,
            nulled=self._nulled,
        )
        return bytes(reached)

    async def _stretch(self) -> Stretch:
        """Give the page at the position, asked for now or before."""
        known = self._first_page.known.pop(self._source.positions.value, None)
        return known or await self._source.ask()

    def _take(self, stretch: Stretch) -> tuple[list[Row], bool]:
        """Give the rows of a page that are new, and say whether there is another page."""
        if self._source.asked_before:
            self._first_page.check(stretch.rows)
        self._source.asked_before = True
        fresh = self._repeats.fresh(stretch.rows)
        counted = replace(stretch, again=len(stretch.rows) - len(fresh))
        self._totals.add(counted)
        self._dropped += stretch.dropped
        self._nulled += stretch.nulled
        return fresh, self._source.positions.advance(counted, self._source.size)

    def _page(self, stretch: Stretch, fresh: list[Row], notes: list[str], reached: bytes | None) -> Page:
        return Page(
            tables=self._query.exploded(self._table(fresh, stretch)),
            asked=len(stretch.rows),
            found=len(stretch.rows),
            list_total=self._totals.total,
            notes=tuple(notes),
            reached=reached,
        )

    def _said_at_end(self) -> list[str]:
        """Say what a reader of the table should know."""
        notes = [*self._source.positions.notes, *self._repeats.notes()]
        if self._dropped:
            notes.append(f"{self._dropped} rows were null and left out")
        if self._nulled:
            notes.append(f"{self._nulled} values are null because the server answered them with an error")
        return notes

    def _table(self, rows: list[Row], stretch: Stretch) -> pa.Table:
        schema = self._query.rows
        try:
            table = self._decoder.table(rows)
        except Misfit as misfit:
            raise ValueMisfit(
                f"{self._query.name}: column {misfit.path}: {misfit.reason} (row {misfit.row} of a page)"
            ) from misfit
        return stamped(table, stretch.fetched_at, schema)

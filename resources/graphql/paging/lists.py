"""Pages of a list: ask, go on to the next position, count; whatever the strategy."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace

import pyarrow as pa

from resources.errors import ValueMisfit
from resources.graphql import arrow
from resources.graphql.page import Page
from resources.graphql.paging.first_page import FirstPage
from resources.graphql.paging.repeats import Repeats
from resources.graphql.paging.rows import stamped
from resources.graphql.paging.source import Source
from resources.graphql.paging.stretch import Row, Stretch
from resources.graphql.paging.totals import Totals
from resources.graphql.plan import Listed
from resources.graphql.query import Query
from resources.graphql.sender import Sender


class ListPages:
    """Asks for the next page while the one before is decoded."""

    def __init__(
        self, query: Query, plan: Listed, sender: Sender, variables: Mapping[str, object], page_size: int
    ) -> None:
        self._query = query
        self._plan = plan
        self._source = Source(query, plan, sender, variables, page_size)
        self._first_page = FirstPage(plan, self._source)
        self._repeats = Repeats(query.name, plan, query.identity)
        self._totals = Totals(query.name, plan)
        self._dropped = 0  # rows that are null
        self._nulled = 0  # values of rows that the server nulled with an error

    async def pages(self) -> AsyncGenerator[Page]:
        """Yield the list's pages in its own order."""
        if self._plan.strategy == "page" and self._plan.first is None:
            await self._first_page.find()
        ahead: asyncio.Task[Stretch] | None = asyncio.create_task(self._stretch())
        try:
            while ahead:
                stretch = await ahead
                fresh, goes_on = self._take(stretch)
                notes = [] if goes_on else [*self._totals.settle(), *self._said_at_end()]
                ahead = asyncio.create_task(self._stretch()) if goes_on else None
                yield await asyncio.to_thread(self._page, stretch, fresh, notes)
        finally:
            if ahead:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)

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

    def _page(self, stretch: Stretch, fresh: list[Row], notes: list[str]) -> Page:
        return Page(
            tables={self._query.name: self._table(fresh, stretch)},
            asked=len(stretch.rows),
            found=len(stretch.rows),
            list_total=self._totals.total,
            notes=tuple(notes),
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
        schema = self._query.tables[self._query.name]
        try:
            table = arrow.table(rows, self._query.columns)
        except arrow.Misfit as misfit:
            raise ValueMisfit(
                f"{self._query.name}: column {misfit.path}: {misfit.reason} (row {misfit.row} of a page)"
            ) from misfit
        return stamped(table, [stretch.fetched_at] * table.num_rows, schema)

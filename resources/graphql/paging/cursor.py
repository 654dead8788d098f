"""Pages of a connection, read along its cursor; only the server's own word ends it."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

from graphql import print_ast, strip_ignored_characters

from resources.errors import QueryError, Refused, Unavailable, ValueMisfit
from resources.graphql import arrow
from resources.graphql.answer import Answer
from resources.graphql.page import Page
from resources.graphql.paging.rows import Identities, stamped
from resources.graphql.plan import Cursor
from resources.graphql.query import Query
from resources.graphql.sender import Sender
from resources.graphql.transport import PreparedRequest

PAGE_ATTEMPTS = 3  # a page with a GraphQL error is asked for again, this often in all
PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Stretch:
    """One page of the connection as it was answered."""

    rows: list[Mapping[str, object]]
    next_cursor: str | None
    fetched_at: datetime


class CursorPages:
    """Asks for the next page while the one before is decoded."""

    def __init__(
        self, query: Query, plan: Cursor, sender: Sender, variables: Mapping[str, object], page_size: int
    ) -> None:
        self._query = query
        self._plan = plan
        self._sender = sender
        self._variables = variables
        self._size = page_size
        self._proven_size = 0  # the server has answered a page of this size
        self._text = strip_ignored_characters(print_ast(query.document))
        self._cursors: set[bytes] = set()
        self._identities = Identities()

    async def pages(self) -> AsyncGenerator[Page]:
        """Yield the connection's pages in its own order."""
        ahead: asyncio.Task[Stretch] | None = asyncio.create_task(self._stretch(None))
        try:
            while ahead:
                stretch = await ahead
                following = stretch.next_cursor
                ahead = asyncio.create_task(self._stretch(following)) if following else None
                yield await asyncio.to_thread(self._page, stretch)
        finally:
            if ahead:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)

    async def _stretch(self, cursor: str | None) -> Stretch:
        """Ask for one page; for a smaller one where the server refuses, or cannot answer in time."""
        for attempt in range(PAGE_ATTEMPTS):
            await asyncio.sleep(PAUSE_SECONDS * attempt)
            try:
                answer = await self._sender.answer(self._request(cursor), size=self._size)
            except Refused as error:
                reason = str(error)
            except Unavailable as error:
                if error.timed_out and self._smaller():
                    return await self._stretch(cursor)
                self._sender.give_up(error)
            else:
                if answer.data is not None and not answer.errors:
                    self._proven_size = max(self._proven_size, self._size)
                    return self._read(answer.data)
                reason = _reason(answer)
            if self._size > self._proven_size and self._smaller():
                return await self._stretch(cursor)
        if self._smaller():
            return await self._stretch(cursor)
        raise QueryError(f"the server refuses the query: {reason}")

    def _smaller(self) -> bool:
        if self._plan.size is None or self._size == 1:
            return False
        self._size = max(1, self._size // 2)
        return True

    def _request(self, cursor: str | None) -> PreparedRequest:
        own: dict[str, object] = {self._plan.after: cursor}
        if self._plan.size:
            own[self._plan.size] = self._size
        return PreparedRequest(self._text, {**self._variables, **own})

    def _read(self, data: Mapping[str, object]) -> Stretch:
        alias = self._plan.node.alias or self._plan.node.name
        connection = _object(data.get(alias.value), alias.value)
        info = _object(connection.get(self._plan.page_info), self._plan.page_info)
        rows = _list(connection.get(self._plan.rows_key), self._plan.rows_key)
        if self._plan.edge_key:
            rows = [_object(edge, "edges").get(self._plan.edge_key) for edge in rows]
        return Stretch(
            [_object(row, self._plan.rows_key) for row in rows], self._next(info), datetime.now(UTC)
        )

    def _next(self, info: Mapping[str, object]) -> str | None:
        """Give the next cursor; one that is missing or was followed before would lose rows or never end."""
        more = info.get(self._plan.has_next)
        if more is False:
            return None
        cursor = info.get(self._plan.end_cursor)
        if more is not True:
            raise QueryError(f"the server does not say whether there are more rows ({self._plan.has_next})")
        if not isinstance(cursor, str) or not cursor:
            raise QueryError("the server says there are more rows but gives no cursor to them")
        digest = blake2b(cursor.encode(), digest_size=12).digest()
        if digest in self._cursors:
            raise QueryError("the server gives the same cursor again: the list would never end")
        self._cursors.add(digest)
        return cursor

    def _is_new(self, row: Mapping[str, object]) -> bool:
        """Say whether a row's identity has not come yet; without an identity every row is new."""
        identity = row.get(self._query.identity) if self._query.identity else None
        return self._identities.is_new(None if identity is None else str(identity))

    def _page(self, stretch: Stretch) -> Page:
        schema = self._query.tables[self._query.name]
        rows = [row for row in stretch.rows if self._is_new(row)]
        try:
            table = arrow.table(rows, self._query.columns)
        except arrow.Misfit as misfit:
            raise ValueMisfit(
                f"{self._query.name}: column {misfit.path}: {misfit.reason} (row {misfit.row} of a page)"
            ) from misfit
        table = stamped(table, [stretch.fetched_at] * table.num_rows, schema)
        return Page(tables={self._query.name: table}, asked=table.num_rows, found=table.num_rows)


def _object(value: object, name: str) -> Mapping[str, object]:
    if isinstance(value, dict):
        return value
    raise QueryError(f"the server answered {name} with something else than an object")


def _list(value: object, name: str) -> list[object]:
    if isinstance(value, list):
        return value
    raise QueryError(f"the server answered {name} with something else than a list")


def _reason(answer: Answer) -> str:
    if not answer.errors:
        return "neither data nor errors"
    error = answer.errors[0]
    return error.shown()

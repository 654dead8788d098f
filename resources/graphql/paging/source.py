"""One page of a list asked for: tried again, and for less, where the server refuses it."""

import asyncio
from collections.abc import Mapping

from graphql import print_ast, strip_ignored_characters

from resources.errors import ConfigurationError, QueryError, Refused, Unavailable
from resources.graphql.paging.answered import reason_of, tolerated
from resources.graphql.paging.counted import positions
from resources.graphql.paging.likeness import Likeness
from resources.graphql.paging.positions import Positions
from resources.graphql.paging.raw_rows import shape_of
from resources.graphql.paging.stretch import NullRow, Stretch, read
from resources.graphql.plan import Listed
from resources.graphql.query import Query
from resources.graphql.sending.answer import Answer
from resources.graphql.sending.sender import Sender
from resources.graphql.sending.transport import PreparedRequest

PAGE_ATTEMPTS = 3  # a page with a GraphQL error is asked for again, this often in all
PAUSE_SECONDS = 0.5


class Source:
    """Asks for the page at a position, in the size that the server has proven to give."""

    def __init__(
        self, query: Query, plan: Listed, sender: Sender, variables: Mapping[str, object], page_size: int
    ) -> None:
        self.likeness = Likeness(query.identity or plan.rows.id)
        self.positions: Positions = positions(plan, self.likeness)
        self.size = first_size(plan, variables, page_size)
        self.asked_before = False
        self._plan = plan
        self._sender = sender
        self._variables = variables
        self._proven_size = 0  # the server has answered a page of this size
        self._text = strip_ignored_characters(print_ast(query.document))
        self._shape = shape_of(plan)

    def go_on_from(self, position: object) -> None:
        """Set the position that an earlier reading of the same list has reached."""
        self.positions.value, self.asked_before = position, True

    async def ask(self) -> Stretch:
        """Ask for one page; for a smaller one where the server refuses, or cannot answer in time."""
        good: Answer | None = None
        for attempt in range(PAGE_ATTEMPTS):
            await asyncio.sleep(PAUSE_SECONDS * attempt)
            try:
                answer = await self._sender.answer(self._request(self.positions.value), size=self.size)
            except Refused as error:
                reason = str(error)
            except Unavailable as error:
                if error.timed_out and self._smaller():
                    return await self.ask()
                self._sender.give_up(error)
            else:
                if answer.data is not None and not answer.errors:
                    return self._read(answer)
                reason = reason_of(answer)
                good = answer if tolerated(self._plan, answer) else None
            if good is None and self.size > self._proven_size and self._smaller():
                return await self.ask()
        if good is not None:
            return self._read(good)
        if self._smaller():
            return await self.ask()
        raise QueryError(f"the server refuses the query: {reason}{self._hint()}")

    async def peek(self, position: int) -> Stretch | None:
        """Ask for a page that may not be there; None if the server refuses it."""
        found: Stretch | None = None
        for attempt in range(PAGE_ATTEMPTS):
            await asyncio.sleep(PAUSE_SECONDS * attempt)
            try:
                answer = await self._answer_of_peek(position)
                found = read(self._plan, answer.data or {}, len(answer.errors))
            except NullRow:
                raise  # it has rows
            except (Refused, QueryError):
                continue
            if not answer.errors or tolerated(self._plan, answer):
                return found
        if found and found.rows:
            raise ConfigurationError(
                f"page {position} has rows and an error beside them, so it is not known whether pages count "
                "from 0 or 1: say it with Paging(first_page=1), or first_page=0"
            )
        return None

    async def _answer_of_peek(self, position: int) -> Answer:
        try:
            return await self._sender.answer(self._request(position), size=self.size, attempts=PAGE_ATTEMPTS)
        except Unavailable as error:
            if error.unreachable:
                self._sender.give_up(error)
            await self.ask()  # page 1 again: if the server is down, it gives up for now
            raise ConfigurationError(
                f"page {position} cannot be asked for ({error}), so it is not known whether pages count "
                "from 0 or 1: say it with Paging(first_page=1)"
            ) from error

    def _read(self, answer: Answer) -> Stretch:
        self._proven_size = max(self._proven_size, self.size)
        return read(self._plan, answer.data or {}, len(answer.errors))

    def _hint(self) -> str:
        """Say what to do where a server answers with an error behind the end of its list."""
        if not self.asked_before or self._plan.signals.paths:
            return ""
        return "; if the list ends here, select what says so, such as its total or whether there are more"

    def _smaller(self) -> bool:
        if self._plan.size is None or self.size == 1:
            return False
        self.size = self.positions.smaller(self.size)
        return True

    def _request(self, position: object) -> PreparedRequest:
        """Fill in position and size; before the first cursor its variable is left out, as null is refused."""
        own: dict[str, object] = {}
        if self._plan.position and position is not None:
            own[self._plan.position] = position
        if self._plan.size:
            own[self._plan.size] = self.size
        return PreparedRequest(self._text, {**self._variables, **own}, shape=self._shape)


def first_size(plan: Listed, variables: Mapping[str, object], page_size: int) -> int:
    """Choose the size: the user's for this query, else the document's default, else the setting."""
    given = variables.get(plan.size) if plan.size else None
    if given is None:
        return plan.first_size or page_size
    if isinstance(given, int) and given > 0:
        return given
    raise ConfigurationError(f"{plan.size} is a number of rows, greater than zero")

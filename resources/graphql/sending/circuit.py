"""The circuit: where everything fails, all requests end at once instead of using up their own attempts.

Two measures must be passed together, counted over all requests to one endpoint. One alone says little: a few
slow timeouts take long, and many requests in flight fail often within a second. Then what was answered
before is asked again: only if that fails too is it the server, and not the keys that are asked for just now.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NoReturn, TypeVar

from resources.errors import ServerUnavailable, Unavailable
from resources.graphql.sending.retry import LATER_SECONDS

# Both are small enough to be passed before one request has used up its eight attempts: timeouts of a minute
# open it in the second round with the usual eight requests in flight, in the sixth with one. A shorter outage
# is left to the attempts; a longer one to the orchestrator, whose next run goes on from what is staged.
FAILURES = 5  # in a row; keys that fail by themselves may be as many, but then the proof is answered
SECONDS = 30.0  # of failures only: many restarts are over by then
OPEN_SECONDS = 30.0  # what is begun in that time ends at once; the next one tries the server again

T = TypeVar("T")


class Circuit:
    """Counts failures in a row; good answers end the row, refusals and pauses are none of its business."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._failures = 0
        self._since = 0.0  # when the first request of the row was sent
        self._answered_at = 0.0
        self._open_until = 0.0
        self._said = ""  # why it opened
        self._cause: Unavailable | None = None
        self._scopes: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """Let run what is inside, waiting included, until the circuit opens: then raise ServerUnavailable."""
        if time.monotonic() < self._open_until:
            self._fail()
        scope = asyncio.timeout(None)
        try:
            async with scope:
                self._scopes.add(scope)
                yield
        except TimeoutError:
            if scope.expired():
                self._fail()
            raise
        finally:
            self._scopes.discard(scope)

    async def send(
        self, request: Callable[[], Awaitable[T]], *, proof: Callable[[], Awaitable[object]] | None = None
    ) -> T:
        """Send a request and count how it ends; `proof` sends what should be answered if anything is."""
        if proof and self._is_due():
            await self._counted(proof, last=True)
        return await self._counted(request, last=proof is None and self._is_due())

    async def _counted(self, send: Callable[[], Awaitable[T]], *, last: bool) -> T:
        started = time.monotonic()
        try:
            answer = await send()
        except Unavailable as error:
            if self._failures == 0:
                self._since = max(started, self._answered_at)
            self._failures += 1
            if last:
                self._open(error)
            raise
        self._failures, self._answered_at = 0, time.monotonic()
        return answer

    def _is_due(self) -> bool:
        return self._failures >= FAILURES and time.monotonic() - self._since >= SECONDS

    def _open(self, error: Unavailable) -> NoReturn:
        """End all that is under way, once."""
        now = time.monotonic()
        if now < self._open_until:
            self._fail()
        self._open_until = now + OPEN_SECONDS
        self._cause = error
        self._said = (
            f"{self._endpoint} failed {self._failures} times in a row over {now - self._since:,.0f} s, so "
            f"all requests are ended ({error}). In the run of an extract what was answered is kept, and the "
            "next run goes on there"
        )
        for scope in self._scopes:
            scope.reschedule(asyncio.get_running_loop().time())
        self._fail()

    def _fail(self) -> NoReturn:
        raise ServerUnavailable(self._said, after_seconds=LATER_SECONDS) from self._cause

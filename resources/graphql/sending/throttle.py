"""One controller of load: requests in flight, keys a batch, requests a second, pauses.

What each of them learns, and from what, is said in `in_flight`, `batch_size` and `pace`; here they meet.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from resources.errors import Throttled, Unavailable
from resources.graphql.sending.batch_size import BatchSize
from resources.graphql.sending.in_flight import InFlight
from resources.graphql.sending.pace import Pace
from resources.graphql.sending.retry import MAX_PAUSE_SECONDS

FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.1, 60.0  # where a 429 says nothing of when
TRUSTED = 3  # 429s in a row whose Retry-After is taken as it is

Prepare = Callable[[], Awaitable[object]]


class Throttle:
    """Admits requests, and learns from how they end. Its clock is that of the event loop."""

    def __init__(self, *, max_in_flight: int, requests_per_second: float | None) -> None:
        self.max_in_flight = max_in_flight
        self._in_flight = InFlight(max_in_flight)
        self._pace = Pace(requests_per_second)
        self._active = 0
        self._sent = 0  # of these, those that wait for their answer
        self._room = asyncio.Condition()
        self._turn = asyncio.Lock()
        self._paused_until = 0.0
        self._refused = 0  # 429s in a row, without an answer between them

    @property
    def in_flight(self) -> int:
        """How many requests may be in flight now."""
        return self._in_flight.number

    @property
    def window(self) -> int:
        """Batches to hold at most, asked for or answered, while the oldest is waited for."""
        return self.in_flight + self.max_in_flight

    @asynccontextmanager
    async def slot(
        self, *, size: int = 1, batch: BatchSize | None = None, prepare: Prepare | None = None
    ) -> AsyncIterator[None]:
        """Hold one of the places for a request of so many keys, from its start to its answer.

        What `prepare` does may take time; whether the request may start is judged after it. A `batch`
        learns what the answer cost; waiting for the place does not count.
        """
        async with self._room:
            await self._room.wait_for(lambda: self._active < self.in_flight)
            self._active += 1
        try:
            await self._wait_for_turn(prepare)
            async with self._on_the_wire(size, batch):
                yield
        finally:
            self._active -= 1
            async with self._room:
                self._room.notify_all()

    async def _wait_for_turn(self, prepare: Prepare | None) -> None:
        """Wait until the pace and all pauses let a request go; one at a time watches the clock."""
        waited = False
        while True:
            if prepare:
                await prepare()
            if self._seconds_left() <= 0:
                break
            waited = True
            async with self._turn:
                while (seconds := self._seconds_left()) > 0:
                    await asyncio.sleep(seconds)
        self._pace.start(_now(), waited=waited)

    def _seconds_left(self) -> float:
        return max(self._paused_until, self._pace.due) - _now()

    @asynccontextmanager
    async def _on_the_wire(self, size: int, batch: BatchSize | None) -> AsyncIterator[None]:
        """Take the time of a request, and note how it ends."""
        self._sent += 1
        started, others = _now(), self._sent
        try:
            yield
        except Throttled as error:
            self._throttled(error, started)
            raise
        except Unavailable as error:
            if batch and error.timed_out:
                batch.late(size)
            raise
        else:
            self._answered(started, (others + self._sent) / 2, size, batch)
        finally:
            self._sent -= 1

    def _answered(self, started: float, together: float, size: int, batch: BatchSize | None) -> None:
        """Teach all three; where so many are on the wire together, each has its share of the time.

        By Little's law that share is the server's time per answer, even if it lets requests wait in a queue.
        """
        now = _now()
        self._refused = 0
        self._pace.answered(started)
        self._in_flight.answered(started, now, size)
        if batch:
            batch.answered(size, (now - started) / together, self._pace.spacing)

    def _throttled(self, error: Throttled, started: float) -> None:
        """Pause all; slow down once for all requests that were in flight together."""
        now = _now()
        if is_news := self._pace.refused(started, now):
            self._in_flight.halve(now)
            self._refused += 1
        if error.after_seconds is not None:
            seconds = self._longer(min(error.after_seconds, MAX_PAUSE_SECONDS))
        else:
            longest = min(LAST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**self._refused)
            seconds = random.uniform(longest / 2, longest) if is_news else 0.0  # noqa: S311
        self._paused_until = max(self._paused_until, now + seconds)

    def _longer(self, seconds: float) -> float:
        """Wait for longer than the server says, where that has not been enough some times in a row."""
        times = 2.0 ** max(0, self._refused - TRUSTED)
        return max(seconds, min(seconds * times, LAST_PAUSE_SECONDS))


def _now() -> float:
    return asyncio.get_running_loop().time()

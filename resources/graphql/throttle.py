"""One controller of load: requests in flight, keys a batch, requests a second, pauses.

Requests in flight rise by one and halve on a 429 or on rising latency. The batch starts at one key and
doubles while the time per key falls; it halves when the server refuses it.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from statistics import median

from resources.errors import Throttled
from resources.graphql.retry import MAX_PAUSE_SECONDS

FIRST_IN_FLIGHT = 2
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 1.0, 60.0  # where a 429 says nothing of when
LATENCY_RISE = 4.0  # smoothed latency over the best seen for a batch of that size
NOISE_SECONDS = 0.05  # below this, latency tells nothing of the server
SAMPLES = 3  # answers of one batch size before it is judged
REFUSALS = 2  # of a size before it is too big
GAIN = 0.9  # a doubled batch must cost less than this share of the time per key

Prepare = Callable[[], Awaitable[object]]


class Throttle:
    """Admits requests, and learns from how they end."""

    def __init__(self, *, max_in_flight: int, requests_per_second: float | None) -> None:
        self.max_in_flight = max_in_flight
        self.in_flight = min(FIRST_IN_FLIGHT, max_in_flight)
        self._spacing = 1.0 / requests_per_second if requests_per_second else 0.0
        self._active = 0
        self._room = asyncio.Condition()
        self._paused_until = 0.0
        self._next_start = 0.0
        self._unexplained = 0  # 429s in a row that did not say when to come back
        self._since_change = 0
        self._halved_at = 0.0
        self._latency = Latency()

    @property
    def window(self) -> int:
        """Batches to hold at most, asked for or answered, while the oldest is waited for."""
        return self.in_flight + self.max_in_flight

    @asynccontextmanager
    async def slot(
        self, *, size: int = 1, batch: "Batch | None" = None, prepare: Prepare | None = None
    ) -> AsyncIterator[None]:
        """Hold one of the places for a request of so many keys, from its start to its answer.

        What `prepare` does may take time; whether the request may start is judged after it. A `batch`
        learns how long the answer took; waiting for the place does not count.
        """
        async with self._room:
            await self._room.wait_for(lambda: self._active < self.in_flight)
            self._active += 1
        try:
            await self._wait_for_turn(prepare)
            started = time.monotonic()
            yield
            seconds = time.monotonic() - started
            self._answered(started, seconds, size)
            if batch:
                batch.answered(size, seconds)
        except Throttled as error:
            self._throttled(error, started)
            raise
        finally:
            await self._leave()

    async def _leave(self) -> None:
        self._active -= 1
        async with self._room:
            self._room.notify_all()

    async def _wait_for_turn(self, prepare: Prepare | None) -> None:
        while True:
            if prepare:
                await prepare()
            now, start = time.monotonic(), max(self._paused_until, self._next_start)
            if now >= start:
                break
            await asyncio.sleep(start - now)
        self._next_start = now + self._spacing

    def _throttled(self, error: Throttled, started: float) -> None:
        """Pause all; halve once for all requests that were in flight together."""
        if error.after_seconds is None:
            self._unexplained += 1
            longest = min(LAST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**self._unexplained)
            seconds = random.uniform(longest / 2, longest)  # noqa: S311
        else:
            seconds = min(error.after_seconds, MAX_PAUSE_SECONDS)
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)
        if started >= self._halved_at:
            self._halve()

    def _halve(self) -> None:
        self.in_flight = max(1, self.in_flight // 2)
        self._halved_at = time.monotonic()
        self._since_change = 0

    def _answered(self, started: float, seconds: float, size: int) -> None:
        """Take note of an answer; what left before the last halving says nothing of what that has changed."""
        self._unexplained = 0
        if started < self._halved_at:
            return
        self._since_change += 1
        if self._latency.rises(seconds, size):
            self._halve()
        elif self._since_change >= self.in_flight < self.max_in_flight:
            self.in_flight += 1
            self._since_change = 0


class Latency:
    """Compares how long answers take with the best seen for a request of the same size."""

    def __init__(self) -> None:
        self._best: dict[int, float] = {}
        self._smoothed = 1.0

    def rises(self, seconds: float, size: int) -> bool:
        """Take in one answer; say whether the server has become much slower than it can be."""
        best = self._best[size] = min(seconds, self._best.get(size, seconds))
        self._smoothed += 0.2 * (seconds / max(best, NOISE_SECONDS) - self._smoothed)
        if self._smoothed <= LATENCY_RISE:
            return False
        self._smoothed = 1.0
        return True


class Batch:
    """How many keys go into one document.

    A size that is refused more often than accepted is too big; seldom refusals are not about the size.
    """

    def __init__(self, limit: int) -> None:
        self.size = 1
        self._limit = limit
        self._accepted: Counter[int] = Counter()
        self._refused: Counter[int] = Counter()
        self._samples: list[float] = []
        self._per_key = float("inf")
        self._settled = False

    def answered(self, size: int, seconds: float) -> None:
        """Double while the time per key falls; go back one step and stay when it does not."""
        if size != self.size or self._settled:
            return
        self._samples.append(seconds / size)
        if len(self._samples) < SAMPLES:
            return
        per_key, self._samples = median(self._samples), []
        if per_key > GAIN * self._per_key:
            self.size, self._settled = max(1, size // 2), True
            return
        self._per_key = per_key
        self.size = min(size * 2, self._limit)
        self._settled = self.size == size

    def accepted(self, size: int) -> None:
        """Take note that the server answered so many keys."""
        self._accepted[size] += 1

    def refused(self, size: int) -> None:
        """Halve if it is the size, and never grow to it again."""
        self._refused[size] += 1
        if self._refused[size] < REFUSALS or self._refused[size] <= self._accepted[size]:
            return
        self._limit = min(self._limit, max(1, size // 2))
        if self.size > self._limit:
            self.size, self._settled, self._samples = self._limit, True, []

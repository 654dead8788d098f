"""A server and a client in virtual time: the real controller, and a model of what it talks to."""

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from resources.errors import Refused, Throttled
from resources.graphql.sending.batch_size import BatchSize
from resources.graphql.sending.in_flight import InFlight
from resources.graphql.sending.throttle import Throttle
from tests import virtual_time

READY = 2  # batches that wait for a place, as in paging/batches.py


class Bucket:
    """Allows so many requests a second, and a burst besides."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self._burst = rate, burst
        self._tokens, self._at = burst, 0.0

    def admits(self, now: float, number: int = 1) -> bool:
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < number:
            return False
        self._tokens -= number
        return True


class Window:
    """Allows so many requests in each window of some seconds."""

    def __init__(self, number: int, seconds: float, phase: float = 0.0) -> None:
        self._number, self._seconds, self._phase = number, seconds, phase
        self._window, self._used = -1, 0

    def admits(self, now: float, number: int = 1) -> bool:
        window = math.floor(now / self._seconds + self._phase)
        if window != self._window:
            self._window, self._used = window, 0
        self._used += number
        return self._used <= self._number


class Whim:
    """Refuses some requests, whatever their rate."""

    def __init__(self, share: float, seed: int) -> None:
        self._share, self._source = share, random.Random(seed)

    def admits(self, now: float, number: int = 1) -> bool:
        return self._source.random() >= self._share


class Outage:
    """Refuses all but the first request until some time, then limits as another does."""

    def __init__(self, until: float, after: Bucket) -> None:
        self._until, self._after, self._asked = until, after, 0

    def admits(self, now: float, number: int = 1) -> bool:
        self._asked += 1
        return self._asked == 1 or (now >= self._until and self._after.admits(now, number))

    def seconds_left(self, now: float) -> float | None:
        return self._until - now if now < self._until else None


@dataclass(kw_only=True)
class Server:
    """Answers n keys after latency + cost · n seconds of a worker's time."""

    limit: Bucket | Window | Whim | Outage | None = None
    retry_after: float | None = 1.0
    latency: float = 0.005  # nobody works on it
    quick: float = 0.0  # the share of requests whose latency is
    quick_latency: float = 0.05
    overhead: float = 0.0  # of a request, by a worker
    cost: float = 0.0  # of a key, by a worker
    excess: float = 0.0  # of a key, for each other key of the batch
    workers: int = 1000
    noise: float = 0.0  # sigma of a factor on all of it
    most_keys: int = 10**9
    counts_keys: bool = False  # the limit is one of keys
    seed: int = 7
    answered: int = 0
    refused: int = 0
    keys: int = 0
    too_many: int = 0
    at: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._source = random.Random(self.seed)
        self._free = asyncio.Semaphore(self.workers)

    async def ask(self, size: int) -> None:
        now = asyncio.get_running_loop().time()
        factor = math.exp(self._source.gauss(0, self.noise)) if self.noise else 1.0
        is_quick = self.quick and self._source.random() < self.quick
        way = (self.quick_latency if is_quick else self.latency) * factor / 2
        await asyncio.sleep(way)
        number = size if self.counts_keys else 1
        if self.limit and not self.limit.admits(asyncio.get_running_loop().time(), number):
            await asyncio.sleep(way)
            self.refused += 1
            left = self.limit.seconds_left(now) if isinstance(self.limit, Outage) else None
            raise Throttled("429", after_seconds=left or self.retry_after)
        if size > self.most_keys:
            self.too_many += 1
            raise Refused("too many aliases")
        work = (self.overhead + (self.cost + self.excess * size) * size) * factor
        if work:
            async with self._free:
                await asyncio.sleep(work)
        await asyncio.sleep(way)
        self.answered += 1
        self.keys += size
        self.at.append(now)


class Even(BatchSize):
    """A batch that learns nothing."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size

    def answered(self, size: int, seconds: float, spacing: float = 0.0) -> None:
        pass


class Steady(InFlight):
    """As many requests in flight as were allowed, from the start; learns nothing."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.number = most

    def answered(self, started: float, now: float, size: int) -> None:
        pass

    def halve(self, now: float) -> None:
        pass


def fixed(in_flight: int, size: int) -> tuple[Throttle, BatchSize]:
    throttle = Throttle(max_in_flight=in_flight, requests_per_second=None)
    throttle._in_flight = Steady(in_flight)
    return throttle, Even(size)


def extract(
    server: Server,
    throttle: Throttle,
    batch: BatchSize,
    seconds: float,
    see: Callable[[], None] = lambda: None,
) -> Server:
    """Ask for keys without end, for so long; the pauses that the client draws are the same each time."""
    random.seed(server.seed)

    async def ask(size: int) -> None:
        while True:
            try:
                async with throttle.slot(size=size, batch=batch):
                    await server.ask(size)
            except Throttled as error:
                await asyncio.sleep(error.after_seconds or 0.0)
            except Refused:
                batch.refused(size)
                await ask(size // 2)
                return await ask(size - size // 2)
            else:
                batch.accepted(size)
                return None

    async def run() -> None:
        tasks: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        while loop.time() < seconds:
            while len(tasks) < throttle.in_flight + READY:
                tasks.add(asyncio.create_task(ask(batch.size)))
            _, tasks = await asyncio.wait(
                tasks, return_when=asyncio.FIRST_COMPLETED, timeout=seconds - loop.time()
            )
            see()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    virtual_time.run(run())
    return server

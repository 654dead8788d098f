"""How a server answers: how late, how many at once, how many a second; and what it has answered."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

FIGURES = ("requests", "throttled", "rows", "keys", "bytes", "most_at_once", "seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What a loopback server has and does; the defaults answer everything at once.

    An answer takes `latency_seconds`, and `key_seconds` more for each key or row in it. With `places`, so
    many are answered at the same time and the others wait. Beyond `requests_per_second` (after `burst` at
    once; by default a tenth of a second's) it says 429, with `Retry-After: retry_after` or, with 0, without.
    """

    rows: int = 20_000
    latency_seconds: float = 0.0
    key_seconds: float = 0.0
    places: int = 0
    requests_per_second: float = 0.0
    burst: int = 0
    retry_after: float = 1.0


@dataclass(slots=True)
class Counts:
    """What a server has answered since it was last reset.

    `seconds` pass from the first request to the last answer; `cpu_seconds` are the server's own since then.
    """

    requests: int = 0
    throttled: int = 0
    rows: int = 0
    keys: int = 0
    bytes: int = 0
    most_at_once: int = 0
    seconds: float = 0.0
    asked: set[int | str] = field(default_factory=set)
    _first: float = 0.0
    _cpu: float = field(default_factory=time.process_time)

    def arrived(self, at_once: int) -> None:
        """Take note of a request."""
        self._first = self._first or time.monotonic()
        self.most_at_once = max(self.most_at_once, at_once)

    def answered(self) -> None:
        """Take note of the time of an answer."""
        self.seconds = time.monotonic() - self._first

    @property
    def shown(self) -> dict[str, float]:
        """The figures, as the counter endpoint gives them."""
        figures = {name: getattr(self, name) for name in FIGURES}
        return figures | {"distinct_keys": len(self.asked), "cpu_seconds": time.process_time() - self._cpu}


class Bucket:
    """Tokens that fill up at a rate; each request takes one."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst or max(1.0, rate / 10))
        self._tokens, self._since = self._burst, time.monotonic()

    def take(self) -> bool:
        """Say whether there is one."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._since) * self._rate)
        self._since = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Places:
    """Answers after a time, so many at once; what comes meanwhile waits in line."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._waiting: list[tuple[float, Callable[[], None]]] = []
        self._busy = 0
        self.present = 0

    def serve(self, size: int, send: Callable[[], None]) -> None:
        """Call `send` when a request of so many keys has been served."""
        self.present += 1
        seconds = self._behaviour.latency_seconds + size * self._behaviour.key_seconds
        if self._behaviour.places and self._busy >= self._behaviour.places:
            self._waiting.append((seconds, send))
        else:
            self._start(seconds, send)

    def _start(self, seconds: float, send: Callable[[], None]) -> None:
        self._busy += 1
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._end, send)
        else:
            self._end(send)

    def _end(self, send: Callable[[], None]) -> None:
        self._busy -= 1
        self.present -= 1
        send()
        if self._waiting:
            self._start(*self._waiting.pop(0))

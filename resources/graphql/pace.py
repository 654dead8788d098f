"""Requests a second: the user's limit, and the server's, learned from its 429s.

The server is taken for a bucket that fills at some rate, and is full after a pause unless it holds more than
the pause fills. What was answered between a pause and the next 429 then says the rate, whatever the bucket
holds. The pace stays a hair below it and probes upward: fast after the first 429, then ever more slowly.
"""

import math
from collections import deque
from dataclasses import dataclass

MARGIN = 0.99  # of the learned rate: a request that is late must not meet one that is early
STEP_DOWN = 0.98  # at least, of a pace that led to a 429
FAST = 2 * math.log(2)  # after the first 429 the pace doubles in half a second, to the next one
GROWN_SECONDS = 0.5  # at most, in one step, however slow the pace is
SLOW = 0.02  # a second, of the pace; halved by each 429
QUIET_SECONDS = 30.0  # without a 429: the limit may have risen, so the probing becomes twice as fast
SMALL_BUCKET_SECONDS = 60.0  # a pause costs what the bucket does not hold: probe seldom
SEEN_SECONDS = 4.0  # before a 429 that are looked at: a limit may change
LEAST_SECONDS, LEAST_ANSWERS = 0.2, 10  # from which on a rate is told from a burst
SURE_ANSWERS = 60  # tell a rate well enough to keep to it
FIRST_RATE = 1.0  # at least: a server that was busy with others, or down, when it began says nothing yet
FIRST_SHARE = 2  # times what the first burst and its pause came to: it began before the server minded
SHORT_SECONDS, SHORT_FLOOR = 0.5, 0.5  # a burst that says little beyond that the pace was too high
STEADY_SECONDS, STEADY_FLOOR = 10.0, 0.9  # a pace that held so long: late requests may have come in a bunch
SAME, KEPT = 1.05, 0.8  # the pace is that of the last 429, and the server answered as much until this one
DOUBTED, IN_VAIN = 2, 6  # the search for a rate takes less
LATE_SECONDS = 0.05  # a timer or a busy loop may be so late without lowering the rate


@dataclass(frozen=True, slots=True)
class Burst:
    """Requests that were answered between a pause and a 429: when they started."""

    starts: list[float]
    ended: float  # the start of the request that was refused

    @property
    def seconds(self) -> float:
        """How long it took, at the end with the place of the one refused."""
        return max(0.0, self.ended - self.starts[0])

    def rate(self, before: float, before_seconds: float) -> float:
        """Give the rate beyond a burst that began with an equally full bucket, from where it was kept up."""
        number = len(self.starts)
        rates = [0.0]
        for index, start in enumerate(self.starts):
            seconds, answered = self.ended - start, number - index
            if seconds - before_seconds >= LEAST_SECONDS and answered >= LEAST_ANSWERS:
                rates.append(min((answered - before) / (seconds - before_seconds), answered / seconds))
        return max(rates)


class Pace:
    """Says when the next request may start, and learns from answers and refusals."""

    def __init__(self, requests_per_second: float | None) -> None:
        self.rate = math.inf  # learned
        self._limit = requests_per_second or math.inf
        self._next = 0.0
        self._starts: deque[float] = deque()
        self._refused_at = 0.0  # when the last pause began
        self._refused_start: float | None = None  # of the request, until the pause is over
        self._before = (0.0, 0.0)  # answered in how many seconds: the burst to compare with
        self._growth = 0.0
        self._grows_from = 0.0
        self._learned_at = 0.0
        self._held = 0.0  # the pace that was learned last, before it grew
        self._in_vain = 0  # 429s in a row that lowering the pace has not kept off
        self._lowered_from = 0.0  # the pace before them

    @property
    def spacing(self) -> float:
        """Seconds between the starts of two requests."""
        return 1.0 / min(self.rate, self._limit)

    @property
    def due(self) -> float:
        """When the next request may start."""
        return self._next

    def start(self, now: float, *, waited: bool) -> None:
        """Take the turn; where a request waited for it, lateness is made up for, so that the rate holds."""
        if self._refused_start is not None:
            self._learn(now, self._refused_start)
            self._refused_start = None
        if not waited or now - self._next > LATE_SECONDS:
            self._next = now
        elif self.rate < self._limit:
            self._grow(now)
        self._next += self.spacing

    def answered(self, started: float) -> None:
        """Take note of an answer."""
        self._starts.append(started)
        while self._starts[0] < started - SEEN_SECONDS:
            self._starts.popleft()

    def refused(self, started: float, now: float) -> bool:
        """Take note of a 429; say whether it is news: of those in flight together the first one is."""
        if started < self._refused_at:
            return False
        self._refused_at, self._refused_start = now, started
        return True

    def _grow(self, now: float) -> None:
        if now < self._grows_from:
            return
        if self._growth < FAST and now - max(self._grows_from, self._refused_at) > QUIET_SECONDS:
            self._growth, self._grows_from = self._growth * 2, now
        self.rate *= math.exp(self._growth * min(self.spacing, GROWN_SECONDS))

    def _learn(self, now: float, refused_start: float) -> None:
        """Set the pace, when the pause after a 429 is over.

        Where nothing was answered since the pause before, that one was too short: it says nothing of a rate.
        """
        if not self._starts:
            return
        burst = Burst(list(self._starts), refused_start)
        self._starts.clear()
        since, self._learned_at = now - self._learned_at, now
        whole = len(burst.starts) / max(now - burst.starts[0], LEAST_SECONDS)
        self._grows_from = now
        if math.isinf(self.rate):
            self._before, self._growth = (len(burst.starts), burst.seconds), FAST
            self.rate = max(FIRST_RATE, FIRST_SHARE * MARGIN * whole)
            return
        kept, was_growing = burst.rate(*self._before), self._growth
        if self._is_unrelated(burst, since):
            self.rate, self._growth = FIRST_SHARE * self._lowered_from, FAST
            return
        # Where that did not hold the last times, the bucket was not what it seemed: the pause counts too.
        found = MARGIN * (whole if self._in_vain >= DOUBTED else max(whole, kept))
        floor = self._floor(burst, since) * self.rate
        self.rate = max(floor, min(found, STEP_DOWN * self.rate))
        answered, seconds = self._before
        self._before = (max(1.0, answered - self.rate * seconds), 0.0)
        self._growth = min(SLOW, was_growing / 2)
        if found < floor:
            self._growth = SLOW
        elif kept > whole and len(burst.starts) >= SURE_ANSWERS:
            self._grows_from = now + SMALL_BUCKET_SECONDS
        self._held = self.rate

    def _is_unrelated(self, burst: Burst, since: float) -> bool:
        """Say whether 429s go on coming, although the pace was lowered and the server kept up with it.

        Then they are not about it: another client has the same limit, or the server is that way.
        """
        kept_up = len(burst.starts) >= KEPT * self.rate * burst.seconds
        if not kept_up or self.rate > SAME * self._held or since > QUIET_SECONDS:
            self._in_vain, self._lowered_from = 0, self.rate
        elif burst.seconds >= LEAST_SECONDS:
            self._in_vain += 1
        return self._in_vain >= IN_VAIN

    def _floor(self, burst: Burst, since: float) -> float:
        """Say to what share of it a pace may fall at most: one that has held long was not so wrong."""
        if self._growth < FAST and since > STEADY_SECONDS:
            return STEADY_FLOOR
        is_short = burst.seconds < SHORT_SECONDS or len(burst.starts) < LEAST_ANSWERS
        return SHORT_FLOOR if is_short else 0.0

"""Requests a second: the user's limit, and the server's, learned from its 429s.

The server is taken for a bucket that fills at some rate, is full at first and empty at each 429. Of all rates
one explains why a 429 came after just those requests. The pace stays a hair below it, and later probes above
it: as late as the search for a rate may cost little, ever faster while nothing is refused.
"""

import math

from resources.graphql.sending.burst import LEAST_ANSWERS, LEAST_SECONDS, Burst

MARGIN = 0.985  # of the learned rate: a request that is late must not meet one that is early
STEP_DOWN = 0.98  # at least, of a pace that led to a 429
FAST = 2 * math.log(2)  # the growth of a search: the pace doubles in half a second
STEEP = 8  # the power by which the pace grows: hardly until it is time to probe, and then soon fast
PROBE_SECONDS = 100.0  # until then, for each second that a probe costs: the search takes one in a hundred
LEAST_PROBE_SECONDS, LEAST_PROBE_REQUESTS = 15.0, 200  # until then, where it costs nothing: 429s are few
TRUST = 10  # a rate is kept for so many times the time that it was learned from
FIRST_RATE = 1.0  # at least: a server that was busy with others, or down, when it began says nothing yet
FIRST_SHARE = 2  # times what the first burst and its pause came to: it began before the server minded
SHORT_SECONDS, SHORT_FLOOR = 0.5, 0.5  # a burst that says little beyond that the pace was too high
MOST_STARTS = 2000  # are remembered one by one; of more, every second one for two
BISECTIONS = 16
DOUBTED, IN_VAIN = 2, 4  # the search for a rate takes less
STEADY_SECONDS = 10.0  # a pace that held so long was not so wrong
LATE_SECONDS = 0.05  # a timer or a busy loop may be so late without lowering the rate


class Pace:
    """Says when the next request may start, and learns from answers and refusals."""

    def __init__(self, requests_per_second: float | None) -> None:
        self.rate = math.inf  # learned
        self._limit = requests_per_second or math.inf
        self._next = 0.0
        self._starts: list[float] = []
        self._answered, self._each = 0, 1
        self._refused_at = 0.0  # when the last pause began
        self._refused_start: float | None = None  # of the request, until the pause is over
        self._began = -math.inf  # the start of the request refused before
        self._resumed = -math.inf  # the end of the pause after it
        self._full: Burst | None = None  # a short one, from a full bucket: says what that holds
        self._last = Burst(0.0, 0.0, [], 0.0)  # the one before
        self._probe_seconds = 0.0  # at the pace, until it is back at the rate; 0 while that is searched
        self._kept_seconds = 0.0  # at the pace
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
            self._refused_start, waited = None, False
        if not waited or now - self._next > LATE_SECONDS:
            self._next = now
        elif self.rate < self._limit:
            self._grow()
        self._next += self.spacing

    def answered(self, started: float) -> None:
        """Take note of an answer."""
        self._answered += 1
        if self._answered % self._each == 0:
            self._starts.append(started)
        if len(self._starts) >= MOST_STARTS:
            self._starts, self._each = sorted(self._starts)[1::2], self._each * 2

    def refused(self, started: float, now: float) -> bool:
        """Take note of a 429; say whether it is news: of those in flight together the first one is."""
        if started < self._refused_at:
            return False
        self._refused_at, self._refused_start = now, started
        return True

    def _grow(self) -> None:
        self._kept_seconds += self.spacing
        growth = FAST
        if self._probe_seconds:
            share = min(10.0, self._kept_seconds / self._probe_seconds)
            growth = min(FAST, (1 / MARGIN - 1) * STEEP / self._probe_seconds * share ** (STEEP - 1))
        self.rate *= math.exp(growth * self.spacing)

    def _learn(self, now: float, refused_start: float) -> None:
        """Set the pace, when the pause after a 429 is over.

        Where nothing was answered since the pause before, that one was too short: it says nothing of a rate.
        """
        burst, self._starts = self._split(refused_start)
        if not burst.starts:
            return
        self._began, self._resumed, self._each = refused_start, now, 1
        self._kept_seconds = 0.0
        if self._full is None:
            self._full = self._last = burst
            self.rate = max(
                FIRST_RATE, FIRST_SHARE * burst.answered / max(now - burst.starts[0], LEAST_SECONDS)
            )
            return
        if self._is_unrelated(burst):
            self.rate, self._probe_seconds = FIRST_SHARE * self._lowered_from, 0.0
            return
        if self._in_vain and self._holds_more(self._last, self._full):
            self._full = self._last
        self._last = burst
        found = MARGIN * self._rate_of(burst, self._full)
        self.rate = max(self._floor(burst) * self.rate, min(found, STEP_DOWN * self.rate))
        self._held = self.rate
        lost = max(0.0, now - refused_start - max(self._full.missing(self.rate)) * self.spacing)
        seldom = max(PROBE_SECONDS * lost, LEAST_PROBE_SECONDS, LEAST_PROBE_REQUESTS * self.spacing)
        self._probe_seconds = min(seldom, TRUST * max(burst.seconds, now - refused_start))

    def _holds_more(self, last: Burst, full: Burst) -> bool:
        """Say whether a short burst shows that the bucket holds more than it seemed to at first."""
        is_short = last.seconds < STEADY_SECONDS
        return is_short and max(last.missing(self.rate)) > max(full.missing(self.rate))

    @staticmethod
    def _floor(burst: Burst) -> float:
        """Say to what share of it the pace may fall."""
        is_short = burst.seconds < SHORT_SECONDS or burst.answered < LEAST_ANSWERS
        return SHORT_FLOOR if is_short else 0.0

    def _split(self, refused_start: float) -> tuple[Burst, list[float]]:
        """Give what came before the request that was refused, and what came after it."""
        starts = sorted(self._starts)
        before = [start for start in starts if self._began < start <= refused_start]
        if self._full is None:
            self._began = self._resumed = before[0] if before else refused_start
        burst = Burst(self._began, self._resumed, before, refused_start, self._each)
        return burst, [start for start in starts if start > refused_start]

    def _rate_of(self, burst: Burst, full: Burst) -> float:
        """Give the rate at which one bucket, full before the one and empty before the other, ended empty."""
        low = burst.answered / (burst.ended - burst.began)  # or more, if the bucket was full meanwhile
        high = max(low, self.rate)
        least = low
        for _ in range(BISECTIONS):
            rate = (low + high) / 2
            holds = max(full.missing(rate))
            if burst.missing(rate, holds)[-1] > holds:
                low = rate
            else:
                high = rate
        # Where that did not hold the last time, the bucket was not what it seemed.
        return low if self._in_vain < DOUBTED else math.sqrt(low * least)

    def _is_unrelated(self, burst: Burst) -> bool:
        """Say whether 429s go on coming, although the pace was lowered.

        Then they are not about it: another client has the same limit, or the server is that way.
        """
        is_searched = burst.seconds < LEAST_SECONDS or burst.answered < LEAST_ANSWERS  # still, far above it
        if MARGIN * self.rate > self._held:
            self._in_vain = 0
        elif not is_searched:
            self._lowered_from = self._lowered_from if self._in_vain else self.rate
            self._in_vain += 1
        return not is_searched and self._in_vain >= IN_VAIN

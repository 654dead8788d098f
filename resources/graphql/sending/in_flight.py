"""Requests in flight: doubled until the first sign of trouble, then one more at a time."""

from collections import deque
from statistics import mean

FIRST_IN_FLIGHT = 2
LATENCY_RISE = 4.0  # smoothed latency over the best seen for a batch of that size
NOISE_SECONDS = 0.05  # below this, latency tells nothing of the server
TRIAL = 20  # answers that show how slow a number in flight is; more cost more, fewer leave it to chance
MANY = 2 * TRIAL  # answers, where waiting for them costs nothing
PROOF = 0.75  # of the latency before: a queue of half the length has 0.5, latency apart from load has 1
PATIENCE, MOST_PATIENCE = 200, 6400  # answers until the next trial, which costs the time of some twenty


class InFlight:
    """How many requests may be in flight; halved by trouble.

    Slow answers are trouble only where having half as many in flight makes them faster: else some kinds of
    answer are just slower than others, and the halving is undone.
    """

    def __init__(self, most: int) -> None:
        self.number = min(FIRST_IN_FLIGHT, most)
        self._most = most
        self._is_calm = True  # so far
        self._since_change = 0
        self._changed_at = 0.0  # halved, or gone back
        self._latency = Latency()
        self._trial: Trial | None = None  # at half
        self._undone: Trial | None = None  # back, and compared once more
        self._patience = PATIENCE
        self._rest = 0  # answers until latency may halve again

    def answered(self, started: float, now: float, size: int) -> None:
        """Take note of an answer; what left before the last change says nothing of what that has changed."""
        if started < self._changed_at:
            return
        ratio = self._latency.ratio(now - started, size)
        if self._trial:
            self._try_on(self._trial, ratio, now)
            return
        self._rest = max(0, self._rest - 1)
        if self._undone and self._has_helped_after_all(self._undone, ratio):
            self._relieved()
            self.halve(now)
        elif self._latency.rises(now - started, size) and self._may_be_load:
            self._try_half(now)
        else:
            self._grow()

    def halve(self, now: float) -> None:
        """Have half as many in flight, and go on carefully."""
        self._trial = self._undone = None  # what they compare is gone
        self.number = max(1, self.number // 2)
        self._changed_at = now
        self._since_change = 0
        self._is_calm = False

    def _grow(self) -> None:
        """Have one more in flight, if it is time."""
        self._since_change += 1
        if self.number < self._most and (self._is_calm or self._since_change >= self.number):
            self.number += 1
            self._since_change = 0

    @property
    def _may_be_load(self) -> bool:
        """A server that answers one after the other is at most as many times slower as there are requests."""
        return not self._rest and self.number >= LATENCY_RISE

    def _try_half(self, now: float) -> None:
        """Have half as many in flight until it is clear whether that helps."""
        trial = Trial(self.number, self._latency.usual, is_calm=self._is_calm)
        self.halve(now)
        self._trial = trial
        self._latency.smoothed = 1.0

    def _try_on(self, trial: "Trial", ratio: float, now: float) -> None:
        """Take in one more answer of the trial; after the last, leave it at half or go back."""
        trial.at_half.append(ratio)
        if not trial.is_over:
            return
        self._trial = None
        if trial.has_helped:
            self._relieved()
        else:
            self._go_back(trial, now)

    def _go_back(self, trial: "Trial", now: float) -> None:
        """Undo a halving that did not help, and leave latency alone for longer than the last time."""
        self.number, self._is_calm = trial.number, trial.is_calm
        self._changed_at = now
        self._undone = trial
        self._rest, self._patience = self._patience, min(MOST_PATIENCE, self._patience * 2)

    def _has_helped_after_all(self, trial: "Trial", ratio: float) -> bool:
        """Compare with what it is like back again: where load had just begun, little was known of it."""
        trial.back.append(ratio)
        if len(trial.back) < MANY:
            return False
        self._undone = None
        return trial.would_help

    def _relieved(self) -> None:
        """Trust latency again, by and by."""
        self._rest, self._patience = 0, max(PATIENCE, self._patience // 2)


class Latency:
    """Compares how long answers take with the best seen for a request of the same size."""

    def __init__(self) -> None:
        self.smoothed = 1.0
        self._best: dict[int, float] = {}
        self._latest: deque[float] = deque(maxlen=MANY)

    def ratio(self, seconds: float, size: int) -> float:
        """Say how many times the best one answer took."""
        best = self._best[size] = min(seconds, self._best.get(size, seconds))
        return seconds / max(best, NOISE_SECONDS)

    def rises(self, seconds: float, size: int) -> bool:
        """Take in one answer; say whether the server has become much slower than it can be."""
        ratio = self.ratio(seconds, size)
        self._latest.append(ratio)
        self.smoothed += 0.2 * (ratio - self.smoothed)
        return self.smoothed > LATENCY_RISE

    @property
    def usual(self) -> float:
        """Give the ratio without the chance of the moment: a peak falls by itself."""
        return min(self.smoothed, mean(self._latest))


class Trial:
    """Half as many in flight for some answers: how slow they were before, meanwhile, and back again."""

    def __init__(self, number: int, before: float, *, is_calm: bool) -> None:
        self.number, self.is_calm = number, is_calm
        self.at_half: list[float] = []
        self.back: list[float] = []
        self._before = before

    @property
    def is_over(self) -> bool:
        """Whether that is enough: half of it is, where answers are not faster at all."""
        number = len(self.at_half)
        return number >= TRIAL or (number >= TRIAL // 2 and mean(self.at_half) >= self._before)

    @property
    def has_helped(self) -> bool:
        """Whether answers have become faster by as much as a shorter queue makes them."""
        return mean(self.at_half) <= PROOF * self._before

    @property
    def would_help(self) -> bool:
        """Whether answers have become slower again by as much."""
        return mean(self.at_half) <= PROOF * mean(self.back)

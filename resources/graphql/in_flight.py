"""Requests in flight: doubled until the first sign of trouble, then one more at a time."""

FIRST_IN_FLIGHT = 2
LATENCY_RISE = 4.0  # smoothed latency over the best seen for a batch of that size
NOISE_SECONDS = 0.05  # below this, latency tells nothing of the server


class InFlight:
    """How many requests may be in flight; halved by trouble."""

    def __init__(self, most: int) -> None:
        self.number = min(FIRST_IN_FLIGHT, most)
        self._most = most
        self._is_calm = True  # so far
        self._since_change = 0
        self._halved_at = 0.0
        self._latency = Latency()

    def answered(self, started: float, now: float, size: int) -> None:
        """Take note of an answer; what left before the last halving says nothing of what that has changed."""
        if started < self._halved_at:
            return
        self._since_change += 1
        if self._latency.rises(now - started, size):
            self.halve(now)
        elif self.number < self._most and (self._is_calm or self._since_change >= self.number):
            self.number += 1
            self._since_change = 0

    def halve(self, now: float) -> None:
        """Have half as many in flight, and go on carefully."""
        self.number = max(1, self.number // 2)
        self._halved_at = now
        self._since_change = 0
        self._is_calm = False


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

"""Progress of a long extraction, for the compute log."""

import sys
import time
from collections.abc import Callable

from resources.graphql.page import Tally

EVERY_SECONDS = 10.0


class Progress:
    """Prints keys or rows done, the rate and the time left, at most every ten seconds."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._started = self._said = clock()

    def show(self, tally: Tally | Callable[[], Tally]) -> None:
        """Say how far it is, if it is time to; what an earlier run has left is no part of the rate."""
        now = self._clock()
        if now - self._said < EVERY_SECONDS:
            return
        self._said = now
        sum_ = tally if isinstance(tally, Tally) else tally()
        rate = (sum_.asked - sum_.staged) / (now - self._started)
        sys.stderr.write(f"{self._what}: {describe(sum_, rate)}\n")
        sys.stderr.flush()


def describe(tally: Tally, rate: float) -> str:
    """Write `12,000 of 40,000 keys, 350/s, 80 s left`."""
    if tally.total is None:
        of_all = f" of {tally.list_total:,}" if tally.list_total is not None else ""
        return f"{tally.asked:,}{of_all} rows, {rate:,.0f}/s"
    left = (tally.total - tally.asked) / rate if rate else 0.0
    return f"{tally.asked:,} of {tally.total:,} keys, {rate:,.0f}/s, {left:,.0f} s left"

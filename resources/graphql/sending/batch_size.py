"""Keys in one document: as many as make a key cheapest, below what the server refuses.

A request takes about L + c·n seconds for n keys, so bigger is better, by ever less. A batch grows while that
shows, fast where L is nearly all, and stays where a bigger one gains nothing; only one that is worse beyond
the noise is given up, if it is so in a second comparison too.
"""

from collections import Counter, deque
from statistics import median

LEAP, STEP = 4, 2  # the batch grows so many times: by leaps while that halves what a key costs
MUCH = 0.5
GAIN = 0.97  # of the cost before: a step that gains less is the last one, as L is below 6 % then
WORSE = 1.05  # a step that costs more is taken back
FEW, MANY, LATER = 2, 16, 8  # answers of one size before it is judged; smaller ones may be before the first
AGAIN = 200  # answers after which the next step is tried again; twice as many each time
REFUSALS = 2  # of a size before it is too big
NARROW = 1.1  # a size that was refused and one that was not are near enough


class BatchSize:
    """How many keys go into one document, learned from answers and refusals.

    A size that is refused more often than accepted is too big; seldom refusals are not about the size.
    """

    def __init__(self, limit: int) -> None:
        self.size = 1
        self._limit = limit
        self._refused_size = limit + 1  # the smallest that is too big
        self._accepted: Counter[int] = Counter()
        self._refused: Counter[int] = Counter()
        self._late: set[int] = set()
        self._samples: deque[float] = deque(maxlen=MANY)  # seconds of an answer
        self._spacing = 0.0
        self._other: tuple[int, float] | None = None  # a size to compare with: its answers took so long
        self._patience = AGAIN
        self._rest = 0  # answers until the next step is tried

    def answered(self, size: int, seconds: float, spacing: float = 0.0) -> None:
        """Take note of what a request of so many keys cost: grow, stay, or go back.

        It costs `spacing` seconds at least, where requests may not follow one another faster; sizes are
        compared by the latest one, as the limit may have been met between them.
        """
        self._spacing = spacing
        if size != self.size:
            return
        self._samples.append(seconds)
        if self._rest:
            self._rest -= 1
            if not self._rest:
                self._grow(STEP)
        elif self._other is None:
            self._grow(LEAP)
        elif len(self._samples) >= FEW:
            self._judge(*self._other)

    def _judge(self, other: int, seconds: float) -> None:
        """Take the next step early if it is clear; else by later answers, free of smaller ones under way."""
        cost, has_grown = self._cost(other, seconds), self.size > other
        if has_grown and self._cost(self.size, median(self._samples)) <= MUCH * cost:
            self._grow(LEAP)
        if len(self._samples) < MANY:
            return
        share = self._cost(self.size, self._seconds) / cost
        if has_grown and share <= GAIN:
            self._grow(STEP)
        elif has_grown and share > WORSE:
            self._go_to(other)
        else:
            if share > WORSE and other < self._refused_size:
                self._go_to(other)
            self._settle()

    def _go_to(self, other: int) -> None:
        """Go back, to compare once more: of that size few answers were known, perhaps quick ones."""
        self._other, self.size = (self.size, self._seconds), other
        self._samples.clear()

    def _cost(self, size: int, seconds: float) -> float:
        """Say what a key costs in an answer that takes so long."""
        return max(seconds, self._spacing) / size

    @property
    def _seconds(self) -> float:
        """What an answer takes at this size."""
        return median(list(self._samples)[-LATER:])

    def _settle(self) -> None:
        """Stay, and try again later: the server, or what limits it, may have changed."""
        self._samples.clear()
        self._rest, self._patience = self._patience, self._patience * 2

    def _grow(self, times: int) -> None:
        """Take the next size, halfway to one that was refused."""
        bigger = min(self.size * times, self._limit)
        if bigger >= self._refused_size:
            bigger = (self.size + self._refused_size) // 2
        if bigger <= self.size or bigger < self.size * NARROW < self._limit:
            self._settle()
            return
        self._other = self.size, self._seconds
        self.size = bigger
        self._samples.clear()

    def accepted(self, size: int) -> None:
        """Take note that the server answered so many keys."""
        self._accepted[size] += 1

    def refused(self, size: int) -> None:
        """Halve if it is the size, and never grow to it again."""
        self._refused[size] += 1
        if self._refused[size] < REFUSALS or self._refused[size] <= self._accepted[size]:
            return
        self._refused_size = min(self._refused_size, max(2, size))
        if size in self._late:
            self._limit = min(self._limit, max(1, size // 2))
        if self.size >= self._refused_size or self.size > self._limit:
            self.size = max(1, size // 2)
            self._samples.clear()
            self._other, self._rest = None, 0

    def late(self, size: int) -> None:
        """Take note that a request of so many keys was not answered in time: more than half is too many."""
        self._late.add(size)

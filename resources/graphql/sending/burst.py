"""What was answered between two 429s, and what it says of a bucket."""

from dataclasses import dataclass

LEAST_SECONDS, LEAST_ANSWERS = 0.2, 10  # from which on a rate is told from a burst


@dataclass(frozen=True, slots=True)
class Burst:
    """Requests that were answered between two 429s: when they started, and how many each stands for."""

    began: float  # the start of the request that was refused before
    resumed: float  # the end of the pause after it
    starts: list[float]
    ended: float  # the start of the request that was refused
    each: int = 1

    @property
    def seconds(self) -> float:
        """How long it took, without the pause."""
        return max(0.0, self.ended - self.resumed)

    @property
    def answered(self) -> int:
        """The number of requests."""
        return len(self.starts) * self.each

    def missing(self, rate: float, at_first: float = 0.0) -> list[float]:
        """Give what a bucket that fills at this rate lacked after each, if it lacked so much at first."""
        after, at = [at_first], self.began
        for start in self.starts:
            after.append(max(0.0, after[-1] - rate * (start - at)) + self.each)
            at = start
        return after

"""What a case gives: the runs of each contestant, and ratios beside the targets they have to reach."""

from dataclasses import dataclass, field
from statistics import median

from tests.benchmarks.contestant import Usage


@dataclass(slots=True)
class Measured:
    """All runs of one contestant over so many rows."""

    name: str
    rows: int
    runs: list[Usage] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median."""
        return median(run.seconds for run in self.runs)

    @property
    def cpu_seconds(self) -> float:
        """The median."""
        return median(run.cpu_seconds for run in self.runs)

    @property
    def memory_bytes(self) -> int:
        """The highest peak."""
        return max(run.memory_bytes for run in self.runs)

    @property
    def rate(self) -> float:
        """Rows a second, from the start of the process to its end."""
        return self.rows / self.seconds


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure that may have a target: one to reach (`at_least`), or one not to pass."""

    what: str
    value: float
    target: float | None = None
    at_least: bool = True
    unit: str = "×"

    @property
    def is_reached(self) -> bool:
        """Say whether the target is reached; without one it is."""
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target

    @property
    def shown_target(self) -> str:
        """The target in words, or nothing."""
        if self.target is None:
            return ""
        return f"{'≥' if self.at_least else '≤'} {self.target:g} {self.unit}".strip()


@dataclass(slots=True)
class Result:
    """What a case found out."""

    title: str
    measured: list[Measured] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def of(self, name: str) -> Measured:
        """Give the runs of a contestant."""
        return next(m for m in self.measured if m.name == name)


def times_as_fast(ours: Measured, other: Measured) -> float:
    """Compare rows a second: the median over turns, in each of which both had the same machine."""
    pairs = zip(ours.runs, other.runs, strict=True)
    return median((ours.rows / mine.seconds) / (other.rows / theirs.seconds) for mine, theirs in pairs)


def after_start(measured: Measured, trial: Usage, trial_rows: int) -> float | None:
    """Give the rows a second without what the process needs to start, as a trial over few rows shows it.

    None where most of the time is the start: what is left would be noise.
    """
    if measured.seconds < 2 * trial.seconds:
        return None
    return (measured.rows - trial_rows) / (measured.seconds - trial.seconds)

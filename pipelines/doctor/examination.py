"""Runs the checks one after the other, each within its time; whatever one of them raises is its finding."""

import signal
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Generic, Self, TypeVar

from pipelines.doctor.finding import Finding, State, not_checked, problem
from pipelines.doctor.setup import Setup
from pipelines.root import ROOT
from resources.errors import ConfigurationError, ExtractionError, TryLater

CHECK_SECONDS = 20.0
TOTAL_SECONDS = 180.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Check:
    """One line to be: `after` are the checks without which there is nothing to look at.

    `advice` is for the errors of the tree, whose words say what happened.
    """

    name: str
    look: Callable[[Setup], Finding]
    advice: str
    after: tuple[str, ...] = ()
    seconds: float = CHECK_SECONDS


class OutOfTime(BaseException):
    """A check did not end within its time; no code that it runs may take this for a failure of its own."""


class Outcome(Generic[T]):
    """What a function gave or raised, in a `with`: other people's code may raise anything."""

    value: T | None = None
    error: Exception | None = None

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Keep the error; what ends a process passes."""
        if not isinstance(error, Exception):
            return False
        self.error = error
        return True


def examine(checks: Sequence[Check], setup: Setup, *, only: Collection[str] = ()) -> Iterator[Finding]:
    """Give the findings as they come; `only` names some checks, whatever they build on."""
    until = time.monotonic() + TOTAL_SECONDS
    states: dict[str, State] = {}
    for check in chosen(checks, only):
        missing = [name for name in check.after if states.get(name) in (State.PROBLEM, State.NOT_CHECKED)]
        left = until - time.monotonic()
        if missing:
            found = not_checked(f"{missing[0]} comes first")
        elif left <= 0:
            found = not_checked(f"the {TOTAL_SECONDS:.0f} s for all checks are over")
        else:
            found = looked(check, setup, min(check.seconds, left))
        states[check.name] = found.state
        yield found.named(check.name)


def chosen(checks: Sequence[Check], only: Collection[str]) -> list[Check]:
    """Give the checks that are named; all of them if none is."""
    names = [check.name for check in checks]
    if unknown := sorted(set(only) - set(names)):
        raise ConfigurationError(f"there is no check {', '.join(unknown)} here; there are {', '.join(names)}")
    return [check for check in checks if not only or check.name in only]


def looked(check: Check, setup: Setup, seconds: float) -> Finding:
    """Let one check look, and make a finding of what it raises."""
    outcome: Outcome[Finding] = Outcome()
    try:
        with within(seconds), outcome:
            outcome.value = check.look(setup)
    except OutOfTime:
        later = f"try again later, or alone with --only {check.name}; if it stays so, {check.advice}"
        return problem(f"it did not end within {seconds:.0f} s", later, later=True)
    match outcome.error:
        case TryLater() as error:
            return problem(str(error), f"try again later; if it stays so, {check.advice}", later=True)
        case ExtractionError() as error:
            return problem(str(error), check.advice)
        case Exception() as error:  # its words may hold anything
            says = f"an unexpected {type(error).__name__}{place_of(error)}"
            return problem(says, f"{check.advice}; if that is not it, report it")
    assert outcome.value is not None  # noqa: S101
    return outcome.value


def place_of(error: BaseException) -> str:
    """Say where in our code an error came from, or through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_ours(frame.filename)]
    return f" at {Path(frames[-1].filename).relative_to(ROOT)}:{frames[-1].lineno}" if frames else ""


def _is_ours(file: str) -> bool:
    path = Path(file)
    return path.is_relative_to(ROOT / "pipelines") or path.is_relative_to(ROOT / "resources")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in what runs inside, where it waits in Python."""

    def late(_: int, __: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

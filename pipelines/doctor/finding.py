"""What a check has found, in words for a person."""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """How it stands with what was looked at."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: the check's name, what it has found, and what to do about it.

    `later`: the problem may be gone without anybody's doing, as a server that is down.
    """

    name: str
    state: State
    says: str
    advice: str = ""
    later: bool = False

    def __post_init__(self) -> None:
        """Refuse to leave a person alone with a problem."""
        if self.state in (State.WARNING, State.PROBLEM) and not self.advice:
            raise ValueError(f"{self.name}: a {self.state} needs an advice")

    def named(self, name: str) -> "Finding":
        """Give the check's name to what it has found."""
        return replace(self, name=name)


def ok(says: str) -> Finding:
    """Say that it is well, with a fact."""
    return Finding("", State.OK, says)


def warning(says: str, advice: str) -> Finding:
    """Say what works but should be otherwise."""
    return Finding("", State.WARNING, says, advice)


def problem(says: str, advice: str, *, later: bool = False) -> Finding:
    """Say what does not work."""
    return Finding("", State.PROBLEM, says, advice, later)


def not_checked(why: str) -> Finding:
    """Say why it was not looked at."""
    return Finding("", State.NOT_CHECKED, f"not checked: {why}")

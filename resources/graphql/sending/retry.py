"""The one retry policy: by kind of failure, bounded in attempts and in seconds. Nothing else retries."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from resources.errors import (
    Attempt,
    ServerUnavailable,
    Throttled,
    TokenRefused,
    Unauthorized,
    Unavailable,
)
from resources.graphql.counts import Counts

RENEWALS = 4  # a fresh token that is refused this often in a row will not be accepted later
RENEWALS_IN_ANSWER = 2  # a GraphQL error may mean the key instead of the token: the caller looks closer
UNREACHABLE_ATTEMPTS = 4  # before the first answer ever, a name or port is likelier wrong than late
THROTTLED_ATTEMPTS = 30
MAX_PAUSE_SECONDS = 900.0  # a longer Retry-After is left to the orchestrator
LATER_SECONDS = 300.0  # when the orchestrator should try again
LONGEST_LATER_SECONDS = 3600.0  # whatever the server says: a run that waits holds its place
BACKOFF = wait_random_exponential(multiplier=0.5, max=30)  # full jitter

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Policy:
    """How often, and for how long, one request is tried again."""

    attempts: int = 8
    seconds: float = 900.0


class Retry:
    """Tries one request again as its failure demands, and counts what it did."""

    def __init__(self, policy: Policy, counts: Counts) -> None:
        self._policy = policy
        self._counts = counts
        self._reached = False

    async def call(self, send: Callable[[], Awaitable[T]], *, attempts: int | None = None) -> T:
        """Call until an answer comes; `attempts` lowers the bound for Unavailable."""
        limit = min(attempts or self._policy.attempts, self._policy.attempts)
        kinds: list[str] = []
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((Unauthorized, Throttled, Unavailable)),
            after=lambda state: kinds.append(_noted(state).kind),
            stop=lambda state: self._used_up(_failure(state), kinds, limit) or self._too_long(state),
            wait=_wait,
            before_sleep=self._count,
            reraise=True,
        )
        answer: T = await retrying(send)
        self._reached = True
        return answer

    def _used_up(self, failure: Attempt, kinds: list[str], limit: int) -> bool:
        """Judge the last failure by how often its kind has come; `kinds` are those of all attempts so far."""
        number = kinds.count(failure.kind)
        match failure:
            case Unauthorized(in_answer=True):
                return number >= RENEWALS_IN_ANSWER
            case Unauthorized():
                return number >= RENEWALS and set(kinds[-RENEWALS:]) == {failure.kind}
            case Throttled(after_seconds=float(seconds)) if seconds > MAX_PAUSE_SECONDS:
                return True
            case Throttled():
                return number >= THROTTLED_ATTEMPTS
            case Unavailable(unreachable=True) if not self._reached:
                return number >= min(UNREACHABLE_ATTEMPTS, limit)
            case Unavailable(unreachable=True):
                return number >= self._policy.attempts  # a restart: to ask for less is no help
            case Unavailable(timed_out=True) if limit < self._policy.attempts:
                return True  # a batch: a smaller one may be answered in time
            case _:
                return number >= limit

    def _too_long(self, state: RetryCallState) -> bool:
        return stop_after_delay(self._policy.seconds)(state)

    def _count(self, state: RetryCallState) -> None:
        self._counts.retries[_failure(state).kind] += 1


def _failure(state: RetryCallState) -> Attempt:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, Attempt):
        raise TypeError(f"only attempts are tried again, not {error!r}")
    return error


def _noted(state: RetryCallState) -> Attempt:
    """Give the last failure, which now says how often and how long it was tried."""
    failure = _failure(state)
    failure.attempts, failure.seconds = state.attempt_number, state.seconds_since_start or 0.0
    return failure


def _wait(state: RetryCallState) -> float:
    """Renew at once; wait as long as the server says; else backoff."""
    match _failure(state):
        case Unauthorized():
            return 0.0
        case Throttled(after_seconds=float(seconds)):
            return seconds
        case _:
            return float(BACKOFF(state))


def give_up(error: Attempt, *, host: str, refusal: str) -> NoReturn:
    """Raise what a run should end with, when an attempt's failure is final."""
    match error:
        case Unauthorized():
            raise TokenRefused(f"{host} refuses fresh access tokens ({error}); {refusal}") from error
        case Throttled(after_seconds=float(seconds)):
            raise ServerUnavailable(
                f"{host}: {error} and asks to come back in {seconds:,.0f} s",
                after_seconds=min(seconds, LONGEST_LATER_SECONDS),
            ) from error
        case Unavailable(unreachable=True):
            raise ServerUnavailable(
                f"{host} cannot be reached: {error}. Is the base URL right? "
                "Behind a proxy, set trust_env (TARGETDATA_TRUST_ENV=true)",
                after_seconds=LATER_SECONDS,
            ) from error
        case _:
            raise ServerUnavailable(
                f"{host} went on failing: {error}. Attempts: {error.attempts}, over {error.seconds:,.0f} s",
                after_seconds=LATER_SECONDS,
            ) from error

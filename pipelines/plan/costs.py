"""What some partitions would cost in one way of running them: figures that were seen, or bounds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.plan.seen import SeenRun

BEYOND = 10  # so many times what the largest run seen has asked, or has lasted, is not told by it


@dataclass(frozen=True, slots=True)
class Span:
    """From a number to another; `high` is None where nobody knows."""

    low: float
    high: float | None

    def __add__(self, other: "Span") -> "Span":
        """Add what comes besides."""
        known = self.high is not None and other.high is not None
        return Span(self.low + other.low, (self.high or 0) + (other.high or 0) if known else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the settings and the query allow: keys in a request, requests for a key, requests a second."""

    max_batch: int
    kinds: int
    requests_per_second: float | None
    has_tokens: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The costs of partitions in so many runs; None is unknown. Lists have no lookups and no `bounds`.

    `requests`, `seconds` and `renewals` are as in the runs seen; `bounds` are of the requests without their
    retries, from full ones to one key in each. `beyond_seen` is a run too large for the runs seen to tell its
    requests and its time.
    """

    runs: int
    lookups: int | None
    bounds: Span | None
    requests: Span | None
    seconds: Span | None
    renewals: Span | None
    beyond_seen: bool = False


def unknown_costs(runs: int) -> Costs:
    """Give the costs of runs whose keys are not known."""
    return Costs(runs=runs, lookups=None, bounds=None, requests=None, seconds=None, renewals=None)


def costs_of_lookups(lookups: Sequence[int], seen: Sequence[SeenRun], limits: Limits) -> Costs:
    """Give the costs of runs that ask so many distinct keys each."""
    bounds = [Span(math.ceil(number / limits.max_batch), number * limits.kinds) for number in lookups]
    beyond = bool(seen) and max(lookups) > BEYOND * max(run.lookups for run in seen)
    known = [] if beyond else seen
    runs = list(zip(lookups, bounds, strict=True))
    seconds = [_seconds(number, of_run, known, limits) for number, of_run in runs]
    return Costs(
        runs=len(lookups),
        lookups=sum(lookups),
        bounds=_added(bounds),
        requests=_rounded(_added([_requests(number, of_run, known, limits) for number, of_run in runs])),
        seconds=_added(seconds),
        renewals=_added([_renewals(of_run, seen, limits) for of_run in seconds]),
        beyond_seen=beyond,
    )


def costs_of_lists(partitions: Sequence[int], seen: Sequence[SeenRun], limits: Limits) -> Costs:
    """Give the costs of runs that read the lists of so many partitions each, as long as those seen."""
    seconds = [_scaled(number, [run.seconds / run.partitions for run in seen]) for number in partitions]
    return Costs(
        runs=len(partitions),
        lookups=None,
        bounds=None,
        requests=_rounded(_scaled(sum(partitions), [run.requests / run.partitions for run in seen])),
        seconds=_added(seconds),
        renewals=_added([_renewals(of_run, seen, limits) for of_run in seconds]),
    )


def _requests(lookups: int, bounds: Span, seen: Sequence[SeenRun], limits: Limits) -> Span | None:
    """Scale with the requests that a lookup took, within the run's own bounds."""
    scaled = [lookups * run.requests / run.lookups for run in seen if run.lookups]
    found = [min(max(number, bounds.low), lookups * limits.kinds) for number in scaled]
    return Span(min(found), max(found)) if found else None


def _seconds(lookups: int, bounds: Span, seen: Sequence[SeenRun], limits: Limits) -> Span | None:
    """Scale with the time that a lookup took, and not faster than requests may start."""
    found = _scaled(lookups, [run.seconds / run.lookups for run in seen if run.lookups])
    if found is None or found.high is None or not limits.requests_per_second:
        return found
    least = bounds.low / limits.requests_per_second
    return Span(max(found.low, least), max(found.high, least))


def _renewals(seconds: Span | None, seen: Sequence[SeenRun], limits: Limits) -> Span | None:
    """Count one token for each run, and another whenever one has ended, as long as they were seen to last."""
    if not limits.has_tokens:
        return Span(0, 0)
    if seconds is None or seconds.high is None:
        return Span(1, None)
    ended = next((run for run in seen if run.renewals > 1), None)
    if ended:
        lasts = Span(ended.seconds / ended.renewals, ended.seconds / (ended.renewals - 1))
        return Span(1 + seconds.low // (lasts.high or 1), 1 + seconds.high // lasts.low)
    longest = max(run.seconds for run in seen)  # in which one token was enough
    return Span(1, max(1, math.ceil(seconds.high / longest)) if seconds.high <= BEYOND * longest else None)


def _scaled(number: int, ratios: Sequence[float]) -> Span | None:
    return Span(number * min(ratios), number * max(ratios)) if ratios else None


def _rounded(span: Span | None) -> Span | None:
    return span and Span(round(span.low), None if span.high is None else round(span.high))


def _added(spans: Sequence[Span | None]) -> Span | None:
    known = [span for span in spans if span is not None]
    return sum(known, Span(0, 0)) if len(known) == len(spans) else None

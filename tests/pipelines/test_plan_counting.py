"""The distinct keys of many partitions are counted on disk, and figures of runs become those of a plan."""

from datetime import UTC, datetime

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.plan.costs import Limits, Span, costs_of_lists, costs_of_lookups
from pipelines.plan.counting import SortedKeys
from pipelines.plan.seen import SeenRun

TEXTS = st.text(alphabet="ab\u00e9\U0001f600", max_size=3)
LIMITS = Limits(max_batch=10, kinds=1, requests_per_second=None, has_tokens=True)


@settings(max_examples=50)
@given(
    partitions=st.lists(st.sets(st.tuples(TEXTS, TEXTS | st.none()), max_size=30), min_size=1, max_size=6),
    rows=st.integers(1, 5),
    columns=st.sampled_from([1, 2]),
)
def test_distinct_keys_are_those_of_a_set(
    partitions: list[set[tuple[str, str | None]]], rows: int, columns: int
) -> None:
    names = ["kind", "value"][:columns]
    keys = [{key[:columns] for key in partition} for partition in partitions]
    groups = [list(range(len(keys))), [0], [len(keys) - 1, 0]]
    with SortedKeys(rows) as kept:
        places = [
            kept.add(pa.table([pa.array(column, pa.string()) for column in _columns(of_one, columns)], names))
            for of_one in keys
        ]
        found = kept.distinct([[places[at] for at in dict.fromkeys(group)] for group in groups])
    assert found == [len(set().union(*(keys[at] for at in group))) for group in groups]


def _columns(keys: set[tuple[str, str | None]], number: int) -> list[list[str | None]]:
    return [[key[at] for key in keys] for at in range(number)]


def seen(lookups: int, requests: int, seconds: float, renewals: int = 1) -> SeenRun:
    return SeenRun("run", datetime.now(UTC), 1, lookups, requests, lookups, seconds, renewals)


def test_a_token_is_renewed_as_often_as_it_was_seen_to_end() -> None:
    ended = costs_of_lookups([1000], [seen(1000, 100, 600.0, 3)], LIMITS)
    assert ended.renewals == Span(3, 4), "it lasts from 200 to 300 seconds"
    never = costs_of_lookups([1000, 500], [seen(1000, 100, 60.0)], LIMITS)
    assert never.renewals == Span(2, 2), "one was enough for as long a run"
    assert costs_of_lookups([3000], [seen(1000, 100, 60.0)], LIMITS).renewals == Span(1, 3)
    assert costs_of_lookups([10, 10], [], LIMITS).renewals == Span(2, None)


def test_figures_are_from_the_best_run_to_the_worst_and_within_the_limits() -> None:
    runs = [seen(100, 10, 1.0), seen(100, 20, 4.0)]
    costs = costs_of_lookups([1000], runs, LIMITS)
    assert (costs.requests, costs.seconds) == (Span(100, 200), Span(10.0, 40.0))
    slow = Limits(max_batch=10, kinds=1, requests_per_second=5.0, has_tokens=True)
    assert costs_of_lookups([1000], runs, slow).seconds == Span(20.0, 40.0)
    chain = Limits(max_batch=10, kinds=3, requests_per_second=None, has_tokens=True)
    assert costs_of_lookups([1000], [], chain).bounds == Span(100, 3000)


@given(
    lookups=st.lists(st.integers(0, 300), min_size=1, max_size=5),
    runs=st.lists(st.builds(seen, st.integers(1, 300), st.integers(1, 900), st.just(1.0)), min_size=1),
    kinds=st.integers(1, 3),
)
def test_requests_as_seen_are_never_outside_what_is_possible(
    lookups: list[int], runs: list[SeenRun], kinds: int
) -> None:
    limits = Limits(max_batch=10, kinds=kinds, requests_per_second=None, has_tokens=True)
    costs = costs_of_lookups(lookups, runs, limits)
    assert costs.bounds is not None
    assert costs.bounds.high is not None
    assert (costs.requests is None) == costs.beyond_seen
    if costs.requests is not None:
        assert costs.requests.high is not None
        assert costs.bounds.low <= costs.requests.low <= costs.requests.high <= costs.bounds.high


def test_each_run_is_within_its_own_bounds() -> None:
    large = [seen(10_000, 1300, 60.0)]
    assert costs_of_lookups([2] * 30, large, LIMITS).requests == Span(30, 30), "a run sends one at least"
    assert costs_of_lookups([2, 1000], large, LIMITS).requests == Span(131, 131)
    assert costs_of_lookups([5], [seen(5, 9, 1.0)], LIMITS).requests == Span(5, 5), "the others were retries"


def test_a_run_of_three_lookups_tells_nothing_of_a_million() -> None:
    tiny = [seen(3, 9, 2.0)]
    costs = costs_of_lookups([1_000_000], tiny, LIMITS)
    assert costs.beyond_seen
    assert (costs.requests, costs.seconds, costs.renewals) == (None, None, Span(1, None))
    assert costs.bounds == Span(100_000, 1_000_000)
    assert not costs_of_lookups([30] * 30, tiny, LIMITS).beyond_seen, "each run is ten times as large"
    assert costs_of_lists([31], tiny, LIMITS).renewals == Span(1, None), "no run was nearly as long"

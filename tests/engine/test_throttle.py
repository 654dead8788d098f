"""The controller of load, without a network: what it learns from answers and refusals."""

import asyncio
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import Throttled
from resources.graphql.sending.batch_size import BatchSize
from resources.graphql.sending.in_flight import Latency
from resources.graphql.sending.retry import MAX_PAUSE_SECONDS
from resources.graphql.sending.throttle import FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS, Throttle


def learn(batch: BatchSize, seconds_of: Callable[[int], float], times: int = 60) -> None:
    for _ in range(times):
        batch.answered(batch.size, seconds_of(batch.size))


def test_a_batch_grows_to_its_limit_where_a_request_costs_more_than_its_keys() -> None:
    batch = BatchSize(100)
    learn(batch, lambda size: 1.0 + 0.01 * size)
    assert batch.size == 100


def test_a_batch_stops_growing_where_only_keys_cost() -> None:
    batch = BatchSize(100)
    learn(batch, lambda size: 1.0 + size)
    assert 16 <= batch.size <= 64
    assert (1.0 + batch.size) / batch.size <= 1.1


def test_a_batch_goes_back_when_a_bigger_one_costs_more_a_key() -> None:
    batch = BatchSize(100)
    learn(batch, lambda size: 1.0 if size <= 4 else 0.4 * size)
    assert batch.size == 4


def test_a_batch_that_has_settled_grows_when_a_request_becomes_dear() -> None:
    batch = BatchSize(100)
    learn(batch, lambda size: 0.1 * size, times=30)
    assert batch.size < 8
    learn(batch, lambda size: 60.0 + size, times=500)
    assert batch.size == 100


def test_a_refused_size_is_never_reached_again_but_approached() -> None:
    batch, most = BatchSize(100), 15
    for _ in range(500):
        if batch.size > most:
            batch.refused(batch.size)
        else:
            batch.accepted(batch.size)
            batch.answered(batch.size, 1.0)
    assert most / 1.1 <= batch.size <= most
    assert max(batch._refused.values()) == 2, "each size is refused as often as it takes to be sure"


@pytest.mark.parametrize(("refusals", "size"), [(0, 4), (2, 1)])
def test_a_size_is_gone_back_to_unless_it_was_refused_meanwhile(refusals: int, size: int) -> None:
    batch = BatchSize(100)
    batch.answered(1, 0.1)  # a quick one
    learn(batch, lambda _: 1.0, times=16)
    assert batch.size == 1, "four keys in a second are dearer"
    for _ in range(refusals):
        batch.refused(4)
    learn(batch, lambda _: 1.0, times=16)
    assert batch.size == size


def test_more_than_half_of_what_was_not_answered_in_time_is_not_tried() -> None:
    batch = BatchSize(100)
    learn(batch, lambda _: 1.0)
    for _ in range(2):
        batch.late(100)
        batch.refused(100)
    learn(batch, lambda _: 1.0)
    assert batch.size == 50


def test_a_batch_that_went_back_keeps_to_half_of_what_is_not_answered_in_time() -> None:
    batch = BatchSize(100)
    batch.size = 64
    for _ in range(2):
        batch.late(100)
        batch.refused(100)
    assert batch.size == 50


def test_refusals_that_are_seldom_are_not_about_the_size() -> None:
    batch = BatchSize(100)
    learn(batch, lambda size: 1.0 + 0.01 * size)
    for _ in range(20):
        batch.accepted(100)
        batch.refused(100)
    assert batch.size == 100
    batch.refused(100)
    assert batch.size == 50


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0.001, 10), st.integers(0, 3)), max_size=200),
    st.integers(1, 128),
)
def test_a_batch_stays_below_its_limit_and_what_was_refused(
    events: list[tuple[bool, float, int]], limit: int
) -> None:
    batch, sizes = BatchSize(limit), [1]
    for answered, seconds, ago in events:
        size = sizes[-1 - ago % len(sizes)]  # an answer of an earlier size may come late
        batch.answered(size, seconds) if answered else batch.refused(size)
        if batch.size != sizes[-1]:
            sizes.append(batch.size)
        assert 1 <= batch.size <= limit
        assert batch.size == 1 or batch.size < batch._refused_size


def run_slots(throttle: Throttle, number: int) -> None:
    async def one() -> None:
        async with throttle.slot():
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        await asyncio.gather(*(one() for _ in range(number)))

    asyncio.run(all_of_them())


def test_requests_in_flight_rise_to_the_limit_and_not_beyond() -> None:
    throttle = Throttle(max_in_flight=6, requests_per_second=None)
    run_slots(throttle, 200)
    assert throttle.in_flight == 6


def test_refusals_of_requests_that_were_in_flight_together_halve_once() -> None:
    async def scenario() -> int:
        throttle = Throttle(max_in_flight=8, requests_per_second=None)
        throttle._in_flight.number = 8
        all_started = asyncio.Barrier(8)

        async def refused() -> None:
            with pytest.raises(Throttled):
                async with throttle.slot():
                    await all_started.wait()
                    raise Throttled("429", after_seconds=0.0)

        await asyncio.gather(*(refused() for _ in range(8)))
        return throttle.in_flight

    assert asyncio.run(scenario()) == 4


def test_a_pause_holds_all_requests_back() -> None:
    async def scenario() -> float:
        throttle = Throttle(max_in_flight=8, requests_per_second=None)
        with pytest.raises(Throttled):
            async with throttle.slot():
                raise Throttled("429", after_seconds=0.3)
        paused = time.monotonic()
        async with throttle.slot():
            return time.monotonic() - paused

    assert asyncio.run(scenario()) >= 0.29


def test_requests_a_second_are_spaced() -> None:
    throttle = Throttle(max_in_flight=8, requests_per_second=50)
    started = time.monotonic()
    run_slots(throttle, 11)
    assert time.monotonic() - started >= 10 / 50


def test_latency_that_rises_far_above_the_best_is_noticed() -> None:
    latency = Latency()
    assert not any(latency.rises(0.1, 1) for _ in range(20))
    assert any(latency.rises(1.0, 1) for _ in range(20))


def test_noise_of_milliseconds_is_no_rise() -> None:
    latency = Latency()
    assert not any(latency.rises(seconds, 1) for seconds in [0.001, 0.02] * 50)


def test_a_later_shorter_pause_does_not_shorten_a_longer_one() -> None:
    async def scenario() -> float:
        throttle = Throttle(max_in_flight=2, requests_per_second=None)
        started = time.monotonic()
        with pytest.raises(Throttled):
            async with throttle.slot():
                with pytest.raises(Throttled):
                    async with throttle.slot():
                        raise Throttled("429", after_seconds=0.3)
                raise Throttled("429", after_seconds=0.0)
        async with throttle.slot():
            return time.monotonic() - started

    assert asyncio.run(scenario()) >= 0.29


def test_what_is_prepared_may_take_time_and_a_pause_that_began_meanwhile_holds() -> None:
    async def scenario() -> float:
        throttle = Throttle(max_in_flight=2, requests_per_second=None)
        preparing, prepared = asyncio.Event(), asyncio.Event()

        async def prepare() -> None:
            preparing.set()
            await prepared.wait()

        async def late() -> float:
            async with throttle.slot(prepare=prepare):
                return time.monotonic()

        task = asyncio.create_task(late())
        await preparing.wait()
        await refuse(throttle, seconds=0.3)
        paused = time.monotonic()
        prepared.set()
        return await task - paused

    assert asyncio.run(scenario()) >= 0.29


def test_a_pause_is_never_longer_than_a_run_should_wait() -> None:
    throttle = Throttle(max_in_flight=2, requests_per_second=None)
    asyncio.run(refuse(throttle, seconds=1e9))
    assert pause_of(throttle) <= MAX_PAUSE_SECONDS


def test_refusals_that_do_not_say_when_to_come_back_pause_ever_longer_until_an_answer_comes() -> None:
    async def scenario() -> tuple[float, float]:
        throttle = Throttle(max_in_flight=2, requests_per_second=None)
        for _ in range(5):
            await refuse(throttle, seconds=None)
        longest = pause_of(throttle)
        throttle._paused_until = 0.0
        async with throttle.slot():
            pass
        await refuse(throttle, seconds=None)
        return longest, pause_of(throttle)

    longest, again = asyncio.run(scenario())
    assert again <= 2 * FIRST_PAUSE_SECONDS < 8 * FIRST_PAUSE_SECONDS < longest <= LAST_PAUSE_SECONDS


async def refuse(throttle: Throttle, seconds: float | None) -> None:
    throttle._paused_until = 0.0  # the pause before is over
    with pytest.raises(Throttled):
        async with throttle.slot():
            raise Throttled("429", after_seconds=seconds)


def pause_of(throttle: Throttle) -> float:
    return throttle._paused_until - time.monotonic()


def test_answers_that_become_slow_halve_what_is_in_flight() -> None:
    async def answer(throttle: Throttle, seconds: float) -> None:
        async with throttle.slot():
            await asyncio.sleep(seconds)

    async def scenario() -> list[int]:
        throttle = Throttle(max_in_flight=8, requests_per_second=None)
        throttle._in_flight.number = 8
        await asyncio.gather(*(answer(throttle, 0.0) for _ in range(8)))
        before = throttle.in_flight
        await asyncio.gather(*(answer(throttle, 0.4) for _ in range(8)))
        return [before, throttle.in_flight]

    before, after = asyncio.run(scenario())
    assert (before, after) == (8, 4)

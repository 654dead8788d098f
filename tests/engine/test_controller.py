"""The controller against models of servers, in virtual time: what share it reaches of what they allow."""

import asyncio
import math
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.graphql.sending.batch_size import BatchSize
from resources.graphql.sending.burst import Burst
from resources.graphql.sending.in_flight import TRIAL, InFlight
from resources.graphql.sending.pace import Pace
from resources.graphql.sending.throttle import Throttle
from tests.engine.simulated import Bucket, Even, Outage, Server, Whim, Window, extract, fixed

SECONDS = 60.0
FEW = settings(max_examples=4, derandomize=True)
SEEDS = st.integers(0, 1000)


def learned(
    server: Server, *, seconds: float = SECONDS, most: int = 1, rate: float | None = None, at_once: int = 8
) -> Throttle:
    """Extract with the real controller; give it."""
    throttle = Throttle(max_in_flight=at_once, requests_per_second=rate)
    extract(server, throttle, BatchSize(most), seconds)
    return throttle


def refused_share(server: Server) -> float:
    return server.refused / (server.answered + server.refused)


@FEW
@given(
    rate=st.integers(20, 40),
    burst_seconds=st.floats(0.5, 3.0),
    latency=st.floats(0.003, 0.08),
    retry_after=st.sampled_from([None, 0.5, 1.0]),
    seed=SEEDS,
)
def test_a_rate_is_learned_and_kept(
    rate: int, burst_seconds: float, latency: float, retry_after: float | None, seed: int
) -> None:
    bucket = Bucket(rate, rate * burst_seconds)
    server = Server(limit=bucket, latency=latency, retry_after=retry_after, noise=0.1, seed=seed)
    learned(server)
    assert server.answered / SECONDS >= 0.92 * rate
    assert refused_share(server) <= 0.02


@pytest.mark.parametrize("retry_after", [None, 1.0])
@pytest.mark.parametrize(
    ("rate", "latency", "share"), [(15, 0.01, 0.88), (20, 0.01, 0.955), (20, 0.1, 0.955), (50, 0.1, 0.955)]
)
def test_a_server_that_allows_hardly_a_burst_costs_its_pauses_and_little_more(
    rate: int, latency: float, share: float, retry_after: float | None
) -> None:
    server = Server(limit=Bucket(rate, rate / 10), latency=latency, retry_after=retry_after, noise=0.02)
    learned(server, seconds=180.0, at_once=32 if latency > 0.05 else 8)
    assert server.answered / 180 >= share * rate
    assert refused_share(server) <= 0.01


@pytest.mark.parametrize("rate", [5, 10])
@pytest.mark.parametrize("burst_seconds", [1, 3])
def test_a_slow_server_is_asked_beyond_its_rate_but_seldom(rate: int, burst_seconds: int) -> None:
    server = Server(limit=Bucket(rate, rate * burst_seconds), retry_after=None, latency=0.02, noise=0.1)
    learned(server, seconds=900.0)
    assert server.answered / 900 >= 0.98 * rate
    assert refused_share(server) <= 0.01


@pytest.mark.parametrize("seed", range(3))
def test_a_few_answers_do_not_say_how_slow_a_server_is(seed: int) -> None:
    server = Server(limit=Bucket(5, 1), retry_after=None, latency=0.02, noise=0.1, seed=seed)
    learned(server, seconds=180.0)
    assert server.answered / 180 >= 0.9 * 5
    assert refused_share(server) <= 0.02


def test_a_request_that_is_a_little_late_does_not_lower_the_rate_and_a_stall_is_not_made_up_for() -> None:
    pace = Pace(10.0)
    pace.start(1.0, waited=False)
    pace.start(pace.due + 0.03, waited=True)
    assert pace.due == pytest.approx(1.2)
    pace.start(pace.due + 3.0, waited=True)
    assert pace.due == pytest.approx(4.2 + 0.1)


def test_what_is_remembered_of_answers_is_bounded_and_says_the_same() -> None:
    def answered(number: int) -> Pace:
        pace = Pace(None)
        for index in range(number):
            pace.answered(index / 100)
        return pace

    many = answered(100_000)
    assert len(many._starts) < 2000
    burst = Burst(0.0, 0.0, many._starts, 1000.0, many._each)
    assert burst.answered == pytest.approx(100_000, rel=0.001)
    assert burst.missing(80.0)[-1] == pytest.approx(100_000 - 80 * 1000, rel=0.01)


@FEW
@given(number=st.integers(20, 40), seconds=st.sampled_from([1.0, 10.0]), phase=st.floats(0, 0.99))
def test_a_limit_by_windows_is_learned_too(number: int, seconds: float, phase: float) -> None:
    server = Server(limit=Window(round(number * seconds), seconds, phase), retry_after=seconds)
    learned(server)
    assert server.answered / SECONDS >= 0.7 * number
    assert refused_share(server) <= 0.02


def test_refusals_that_are_not_about_the_rate_do_not_slow_it_down_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answered() -> int:
        servers = [Server(limit=Whim(0.05, seed), latency=0.05, retry_after=0.1) for seed in range(6)]
        for server in servers:
            learned(server, seconds=120.0)
        return sum(server.answered for server in servers)

    with_it = answered()
    monkeypatch.setattr("resources.graphql.sending.pace.IN_VAIN", 10**9)
    assert with_it >= 1.5 * answered()


@pytest.mark.parametrize(("seconds", "burst"), [(60.0, 2), (60.0, 20), (300.0, 2), (900.0, 60)])
def test_a_server_that_is_busy_at_first_is_asked_at_its_rate_soon_after(seconds: float, burst: int) -> None:
    server = Server(limit=Outage(seconds, Bucket(20, burst)), latency=0.05)
    throttle = Throttle(max_in_flight=8, requests_per_second=None)
    extract(server, throttle, BatchSize(1), seconds + 120.0)
    after = [at for at in server.at if at > seconds]
    assert after[4] < seconds + 5
    assert len(after) >= 0.6 * 20 * 120
    assert server.refused <= 0.02 * len(after)
    assert throttle._pace.rate < 60


def test_a_window_of_a_minute_is_filled_without_asking_on_and_on() -> None:
    server = Server(limit=Window(120, 60.0), retry_after=1.0)
    learned(server, seconds=600.0)
    assert server.answered >= 0.8 * 1200
    assert refused_share(server) <= 0.1


@pytest.mark.parametrize(("before", "after"), [(20.0, 60.0), (60.0, 20.0)])
def test_a_limit_that_changes_is_followed(before: float, after: float) -> None:
    bucket = Bucket(before, 10)
    server = Server(limit=bucket)

    def change() -> None:
        if server.at[-1:] > [60.0]:
            bucket.rate = after

    extract(server, Throttle(max_in_flight=8, requests_per_second=None), Even(1), 300.0, change)
    last = sum(at > 270.0 for at in server.at)
    assert 0.85 * after <= last / 30 <= after * 1.05


@pytest.mark.parametrize("rate", [7.0, 50.0, 300.0])
def test_the_users_own_rate_holds_exactly(rate: float) -> None:
    server = Server(latency=0.01)
    learned(server, seconds=20.0, rate=rate)
    assert rate * 20 - 5 <= server.answered <= rate * 20 + 1
    spaces = [b - a for a, b in zip(server.at, server.at[1:], strict=False)]
    assert min(spaces) >= 1 / rate - 1e-6


def test_after_a_pause_requests_are_spaced() -> None:
    server = Server(limit=Bucket(50, 25), latency=0.01)
    learned(server, seconds=20.0)
    paused = [b for a, b in zip(server.at, server.at[1:], strict=False) if b - a >= 0.9]
    assert paused
    for end in paused:
        assert sum(end <= at < end + 0.02 for at in server.at) <= 3


@FEW
@given(latency=st.floats(0.02, 1.0), at_once=st.integers(1, 32), seed=SEEDS)
def test_latency_is_hidden_by_the_requests_in_flight(latency: float, at_once: int, seed: int) -> None:
    server = Server(latency=latency, noise=0.1, seed=seed)
    learned(server, seconds=20.0 + 20 * latency, at_once=at_once)
    assert server.answered / (20.0 + 20 * latency) >= 0.9 * at_once / latency / math.exp(0.1**2 / 2)


SWEEP = [(in_flight, size) for in_flight in (2, 4, 8) for size in (1, 4, 12, 30, 100)]
PROFILES = {
    "late, and cheap a key": {"latency": 0.2, "cost": 0.0005},
    "few workers, and dear a key": {"latency": 0.01, "overhead": 0.02, "cost": 0.004, "workers": 4},
    "few workers, and nothing but keys": {"latency": 0.01, "cost": 0.01, "workers": 2},
    "no more than 15 aliases": {"latency": 0.1, "cost": 0.001, "most_keys": 15},
    "dearer keys in bigger batches": {"latency": 0.05, "overhead": 0.02, "cost": 0.002, "excess": 0.0002},
}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_keys_a_second_are_near_those_of_the_best_fixed_settings(profile: str, noise: float) -> None:
    def server() -> Server:
        return Server(**PROFILES[profile], noise=noise)  # type: ignore[arg-type]

    best = max(extract(server(), *fixed(*settings), 10.0).keys / 10 for settings in SWEEP)
    found = server()
    learned(found, most=100)
    assert found.keys / SECONDS >= 0.88 * best


TWO_KINDS = {  # some answers are quick, as of what is not found; the rest are slow, whatever the load
    "one in ten is quick": {"quick": 0.1, "latency": 0.6},
    "one in two is quick": {"quick": 0.5, "latency": 0.6},
    "one in fifty is quick": {"quick": 0.02, "latency": 1.0},
}


@pytest.mark.parametrize("profile", TWO_KINDS)
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_slow_answers_that_are_not_about_load_do_not_take_requests_from_flight(
    profile: str, noise: float
) -> None:
    shares = []
    for seed in range(15):
        best, found = (Server(**TWO_KINDS[profile], noise=noise, seed=seed) for _ in range(2))
        extract(best, *fixed(8, 1), SECONDS)  # no fewer are faster
        learned(found)
        shares.append(found.keys / best.keys)
    assert mean(shares) >= 0.85, shares
    assert min(shares) >= 0.75, shares


def test_a_quick_answer_does_not_keep_batches_small() -> None:
    shares = []
    for seed in range(8):
        best, found = (Server(**TWO_KINDS["one in ten is quick"], seed=seed) for _ in range(2))
        extract(best, *fixed(8, 100), SECONDS)
        learned(found, most=100)
        shares.append(found.keys / best.keys)
    assert mean(shares) >= 0.75, shares
    assert min(shares) >= 0.45, shares


def test_the_more_often_halving_has_not_helped_the_less_it_is_tried() -> None:
    rates = []
    for seconds in (600.0, 1200.0):
        server = Server(**TWO_KINDS["one in ten is quick"])
        learned(server, seconds=seconds)
        rates.append(server.answered)
    assert (rates[1] - rates[0]) / 600 >= 0.97 * 8 / (0.1 * 0.05 + 0.9 * 0.6)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("noise", [0.0, 0.2, 0.4])
def test_a_server_that_loses_its_workers_is_relieved_and_stays_so(workers: int, noise: float) -> None:
    server, throttle = (
        Server(cost=0.1, workers=16, noise=noise),
        Throttle(max_in_flight=16, requests_per_second=None),
    )
    seen: list[tuple[float, int]] = []

    def see() -> None:
        if server.at[-1:] > [30.0] and server.workers == 16:
            server.workers, server._free = workers, asyncio.Semaphore(workers)
        seen.append((asyncio.get_running_loop().time(), throttle.in_flight))

    extract(server, throttle, Even(1), 180.0, see)
    assert mean(number for at, number in seen if 20.0 < at < 30.0) >= 15.5
    assert mean(number for at, number in seen if at > 60.0) <= 8
    assert sum(at > 60.0 for at in server.at) / 120 >= 0.95 * workers / 0.1 / math.exp(noise**2 / 2)


def slowed(in_flight: InFlight) -> float:
    """Have it try half of eight; give the time."""
    in_flight.number = 8
    in_flight.answered(0.0, 0.05, 1)
    for _ in range(2):
        in_flight.answered(0.0, 1.0, 1)
    assert in_flight.number == 4
    return 1.0


def test_a_halving_that_does_not_help_is_undone() -> None:
    in_flight = InFlight(8)
    now = slowed(in_flight)
    for _ in range(TRIAL):
        in_flight.answered(now, now + 1.0, 1)
    assert in_flight.number == 8


def test_a_halving_that_helps_stays() -> None:
    in_flight = InFlight(8)
    now = slowed(in_flight)
    for _ in range(TRIAL):
        in_flight.answered(now, now + 0.1, 1)
    assert in_flight.number == 4


def test_a_refusal_meanwhile_is_not_undone() -> None:
    in_flight = InFlight(8)
    now = slowed(in_flight)
    in_flight.halve(now)
    in_flight.answered(now, now + 1.0, 1)
    assert in_flight.number == 2


@FEW
@given(
    rate=st.sampled_from([20, 50]),
    latency=st.sampled_from([0.005, 0.02]),
    cost=st.sampled_from([0.0, 0.0005]),
    seed=SEEDS,
)
def test_where_requests_are_scarce_a_batch_is_soon_as_big_as_it_may_be(
    rate: int, latency: float, cost: float, seed: int
) -> None:
    server = Server(limit=Bucket(rate, rate), latency=latency, cost=cost, noise=0.1, seed=seed)
    learned(server, most=100, seconds=20.0)
    assert server.keys / server.answered >= 90
    assert server.keys / 20 >= 0.85 * rate * 100


def test_requests_refused_by_their_keys_do_not_break_it() -> None:
    server = Server(limit=Bucket(40, 40), latency=0.02, counts_keys=True)
    learned(server, most=30, seconds=300.0)
    assert server.keys / 300 >= 0.8 * 40
    assert refused_share(server) <= 0.1

"""The controller of load: what it reaches of a rate, of a latency, and of the best fixed settings.

All runs are of the same client in this process, over fixed times; the server counts. Fixed settings are the
same client with a controller that learns neither requests in flight nor keys a batch.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import product
from statistics import median
from unittest.mock import patch

from resources.graphql.query import Query
from resources.graphql.sending.batch_size import BatchSize
from resources.graphql.sending.in_flight import InFlight
from resources.graphql_resource import GraphQLResource
from tests.benchmarks.documents import BY_CURSOR, BY_UMID, SCHEMA
from tests.benchmarks.figures import Ratio, Result
from tests.benchmarks.load import Behaviour
from tests.benchmarks.loopback import Loopback, running
from tests.benchmarks.race import Options
from tests.benchmarks.rows import Rows

NOTE = (
    "Rates are those of {rate:.0f} s from the start: in the first seconds they are learned, and each 429 "
    "with `Retry-After: 1` costs a second, in which a small bucket fills but once. The last three rows "
    "compare {learning:.0f} s of a controller that knows nothing at first with {fixed:.0f} s of each fixed "
    "setting, and {limited:.0f} s of both where requests are limited: there the fixed ones run at the same "
    "time. The search for a rate takes some ten to twenty 429s, whatever it is: of ten requests a second "
    "or fewer that is more than 1 % of these minutes; after a quarter of an hour it is less, from five a "
    "second on."
)
ROWS = 400_000
BURSTS = (1.0, 0.1)  # of a second's requests: what a server's bucket holds
RATES = (20, 50, 100, 200)  # requests a second that a server allows, all at the same time
RATE_SECONDS = 180.0  # with two or three pauses of a second in the first of them
LATENCY_SECONDS, FIXED_SECONDS, LEARNING_SECONDS = 20.0, 4.0, 20.0
LIMITED_SECONDS = 40.0  # for fixed settings too, as they have the same pauses and the same first burst
SETTLE_SECONDS = 1.0  # until the server has answered what the run before had left under way
IN_FLIGHT, LATENCY = 8, 0.1
FEW_KEYS = 20  # so that the CPU is not the limit
SWEEP = ((2, 50), (4, 10), (4, 100), (8, 1), (8, 10), (8, 30), (8, 100))
PROFILES = {
    "late, and cheap a key": Behaviour(rows=ROWS, latency_seconds=0.25, key_seconds=0.0005),
    "four places, and dear a key": Behaviour(rows=ROWS, latency_seconds=0.02, key_seconds=0.004, places=4),
    "20 requests a second": Behaviour(rows=ROWS, latency_seconds=0.02, requests_per_second=20, burst=20),
}


class Steady(InFlight):
    """As many requests in flight as were allowed, from the start."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.number = most

    def answered(self, started: float, now: float, size: int) -> None:
        """Learn nothing."""

    def halve(self, now: float) -> None:
        """Learn nothing."""


class Even(BatchSize):
    """As many keys as were allowed, from the start."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.size = limit

    def answered(self, size: int, seconds: float, spacing: float = 0.0) -> None:
        """Learn nothing."""


@contextmanager
def fixed() -> Iterator[None]:
    """Have clients that are opened meanwhile learn nothing."""
    with (
        patch("resources.graphql.sending.throttle.InFlight", Steady),
        patch("resources.graphql.client.BatchSize", Even),
    ):
        yield


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked for: lookups of keys, or a list where there are none."""

    query: Query
    keys: list[str] | None = None

    def rates(self, server: Loopback, seconds: float, **settings: object) -> dict[str, float]:
        """Ask for so long; give the server's counts, and answers and keys a second."""
        time.sleep(SETTLE_SECONDS)
        server.reset()
        with closing(GraphQLResource(url=server.url, **settings)) as api:
            until = time.monotonic() + seconds
            with closing(api.pages(self.query, keys=self.keys)) as pages:
                while time.monotonic() < until:
                    next(pages)
                counts = server.counts()
        assert counts["keys"] == counts["distinct_keys"], "a key was asked for twice"
        wall = counts["seconds"]
        return counts | {"rate": counts["requests"] / wall, "keys_a_second": counts["keys"] / wall}


def measure(options: Options) -> Result:
    """Measure all three."""
    lookups, pages = works()
    result = Result("The controller")
    for share, retry_after in product(BURSTS, (1.0, 0.0)):
        result.ratios += limited(lookups, retry_after, share)
    result.ratios += late(lookups, pages)
    for name, behaviour in PROFILES.items():
        options.say(name)
        result.ratios.append(beside_fixed(lookups, behaviour, name, options))
    result.notes.append(
        NOTE.format(
            rate=RATE_SECONDS, learning=LEARNING_SECONDS, fixed=FIXED_SECONDS, limited=LIMITED_SECONDS
        )
    )
    return result


def works() -> tuple[Work, Work]:
    """Give lookups and a list."""
    rows = Rows(ROWS)
    lookups = Work(
        Query.load(BY_UMID, schema=SCHEMA, identity="profileId"), [rows.umid(i) for i in range(ROWS)]
    )
    return lookups, Work(Query.load(BY_CURSOR, schema=SCHEMA, identity="profileId"))


def limited(work: Work, retry_after: float, share: float) -> list[Ratio]:
    """Measure the share of what each server allows, and of 429s; its bucket holds so much of a second."""

    def one(rate: int) -> list[Ratio]:
        behaviour = Behaviour(
            rows=ROWS,
            requests_per_second=rate,
            burst=round(rate * share),
            retry_after=retry_after,
            latency_seconds=0.01,
        )
        with running(behaviour) as server:
            counts = work.rates(server, RATE_SECONDS, max_batch=1)
        says = "with" if retry_after else "without"
        what = f"{rate} requests/s, bucket of {share:g} s, 429 {says} Retry-After"
        refused = counts["throttled"] / (counts["requests"] + counts["throttled"])
        return [
            Ratio(f"{what}: answered", counts["rate"] / rate, 0.95),
            Ratio(f"{what}: answered 429", refused * 100, 1.0, at_least=False, unit="%"),
        ]

    with ThreadPoolExecutor(len(RATES)) as pool:
        return [ratio for ratios in pool.map(one, RATES) for ratio in ratios]


def late(lookups: Work, pages: Work, seconds: float = LATENCY_SECONDS) -> list[Ratio]:
    """Measure the share of what the requests in flight allow, against latency."""
    with running(Behaviour(rows=ROWS, latency_seconds=LATENCY)) as server:
        alone = lookups.rates(server, seconds, max_batch=1)
        batched = lookups.rates(server, seconds, max_batch=FEW_KEYS)
        cursor = pages.rates(server, seconds, page_size=FEW_KEYS)
    at_once = IN_FLIGHT / LATENCY
    return [
        Ratio("latency of 100 ms: lookups, one a request", alone["rate"] / at_once, 0.9),
        Ratio("latency of 100 ms: keys, in batches", batched["keys_a_second"] / (FEW_KEYS * at_once), 0.9),
        Ratio("latency of 100 ms: pages along a cursor", cursor["rate"] * LATENCY, 0.9),
    ]


def beside_fixed(work: Work, behaviour: Behaviour, name: str, options: Options) -> Ratio:
    """Compare with the best of a sweep, in turns."""
    swept: dict[tuple[int, int], list[float]] = {settings: [] for settings in SWEEP}
    learned = []
    for _ in range(options.repeats):
        with fixed():
            for settings, rate in zip(SWEEP, sweep(work, behaviour), strict=True):
                swept[settings].append(rate)
        with running(behaviour) as server:
            seconds = LIMITED_SECONDS if behaviour.requests_per_second else LEARNING_SECONDS
            learned.append(work.rates(server, seconds)["keys_a_second"])
    medians = {settings: median(found) for settings, found in swept.items()}
    best = max(medians, key=lambda settings: medians[settings])
    what = f"{name}: keys/s beside the best fixed, {best[0]} in flight × {best[1]} keys"
    return Ratio(what, median(learned) / medians[best], 0.9)


def sweep(work: Work, behaviour: Behaviour) -> list[float]:
    """Give the keys a second of each fixed setting: at the same time where a rate leaves the CPU idle."""
    is_limited = behaviour.requests_per_second > 0
    seconds = LIMITED_SECONDS if is_limited else FIXED_SECONDS

    def one(settings: tuple[int, int]) -> float:
        with running(behaviour) as server:
            in_flight, batch = settings
            counts = work.rates(server, seconds, max_in_flight=in_flight, max_batch=batch)
        return counts["keys_a_second"]

    with ThreadPoolExecutor(len(SWEEP) if is_limited else 1) as pool:
        return list(pool.map(one, SWEEP))

"""The wall clock jumps by days, back and forth: tokens, pauses, retries and timeouts do not mind."""

import ast
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from resources.errors import ServerUnavailable
from resources.graphql.query import Query
from tests.chaos.figures import show
from tests.conftest import ROOT, Connect
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_lookups, extract, lookups

DAY = last_days()[-1]
DAYS = 30.0  # so far a jump goes
ON_THE_WIRE_SECONDS = 0.2  # a request that left before the 429 had arrived
WALL_CLOCK = {  # where the engine reads it, and why it may
    "resources/graphql/sending/gate.py": "a Retry-After as a date, from a server without a Date; capped",
    "resources/graphql/paging/lookup.py": "fetched_at: a time of day is what it says",
    "resources/graphql/paging/stretch.py": "fetched_at",
}


def wall_clocks(path: Path) -> Iterator[int]:
    """Give the lines of a module that read the wall clock."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if name in ("time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today"):
                yield node.lineno


def test_the_engine_reads_the_wall_clock_only_where_a_time_of_day_is_meant() -> None:
    modules = [
        path for part in ("graphql", "targetdata") for path in (ROOT / "resources" / part).rglob("*.py")
    ]
    found = {str(path.relative_to(ROOT)) for path in modules if list(wall_clocks(path))}
    assert found == WALL_CLOCK.keys()


@contextmanager
def jumping(patch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Make each look at the wall clock give another day; the list has the jumps."""
    jumps: list[float] = []
    real, source = time.time, random.Random(7)

    def jump() -> float:
        jumps.append(source.uniform(-DAYS, DAYS) * 86_400)
        return jumps[-1]

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz or UTC) + timedelta(seconds=jump())

    with patch.context() as patched:
        patched.setattr(time, "time", lambda: real() + jump())
        for module in WALL_CLOCK:
            patched.setattr(module.removesuffix(".py").replace("/", ".") + ".datetime", Jumping)
        yield jumps


def early(sandbox: Sandbox) -> list[float]:
    """Give how long after a pause was asked for requests came that did not keep to it."""
    asked = [(r.done_at, r.retry_after) for r in sandbox.requests if r.retry_after]
    return [
        request.at - said_at
        for said_at, pause in asked
        for request in sandbox.requests
        if ON_THE_WIRE_SECONDS < request.at - said_at < pause
    ]


def test_an_extraction_with_pauses_and_retries_is_the_same(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    umids, faults = sandbox.umids_of(DAY)[:100], sandbox.faults
    faults.every, faults.kinds = 12, ["429", "503", "429-date", "503-later", "drop"]
    faults.retry_after, faults.latency = 0.5, 0.01
    with jumping(monkeypatch) as jumps:
        _, found, tally = extract(connect(sandbox, max_batch=2), profiles_query, umids)
    show(
        "clock jumps",
        jumps=len(jumps),
        farthest_days=max(map(abs, jumps)) / 86_400,
        requests=len(sandbox.requests),
        pauses=tally.counts.retries["throttled"],
        requests_before_a_pause_was_over=len(early(sandbox)),
        renewals=sandbox.token_requests,
    )
    assert len(jumps) > 20
    assert lookups(found) == expected_lookups(sandbox, umids)
    assert sandbox.answers == dict.fromkeys(umids, 1)
    assert tally.counts.retries["throttled"] >= 2
    assert early(sandbox) == []
    assert sandbox.token_requests == 1, "a token of an hour does not end by a jump of days"


def test_a_token_that_lives_short_is_renewed_before_it_ends(
    connect: Connect, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = stack.enter_context(Sandbox(people=1, seed=7, token_seconds=1.0))
    client = connect(sandbox).client
    with jumping(monkeypatch):
        until = time.monotonic() + 1.6
        while time.monotonic() < until:
            client.ask("{ __typename }")
    statuses = [r.status for r in sandbox.requests if r.path == "/graphql"]
    show("clock jumps, tokens of a second", renewals=sandbox.token_requests, answered_401=statuses.count(401))
    assert 2 <= sandbox.token_requests <= 6
    assert statuses.count(401) <= 3  # of a busy machine


def test_a_stalled_server_is_a_timeout_at_its_time(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(sandbox, read_timeout_seconds=0.5, max_attempts=2).client
    client.ask("{ __typename }")
    sandbox.faults.stall = True
    with jumping(monkeypatch), pytest.raises(ServerUnavailable, match="did not come in time"):
        started = time.monotonic()
        client.ask("{ __typename }")
    assert 0.9 < time.monotonic() - started < 10

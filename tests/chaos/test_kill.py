"""(a) Runs that are killed at random points: after the next run the tables are what the sandbox holds."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from resources.lake import Lake
from resources.lake.publishing.leftovers import collect
from tests.chaos.figures import show
from tests.chaos.victims import ASKED_TWICE, IN_FLIGHT, Order, folder
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_lookups, expected_profiles, lookups, plain

MEMORY = Path("/dev/shm")  # where it is there: fsync costs nothing
MOST_CHANGES = 110  # in the lake, by a run to its end
LOOK_SECONDS = 0.001


@pytest.fixture
def memory() -> Iterator[Path]:
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as path:
        yield Path(path)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(people=240, seed=11) as running:
        yield running


@pytest.mark.journey
@pytest.mark.parametrize("points", [20, pytest.param(200, marks=pytest.mark.chaos)], ids=["short", "long"])
def test_a_run_that_is_killed_anywhere_is_gone_on_with(points: int, sandbox: Sandbox, memory: Path) -> None:
    keys = {str(day): sandbox.umids_of(day) for day in last_days(2)}
    distinct = {umid for umids in keys.values() for umid in umids}
    chance, outcomes, most_twice = random.Random(points), Counter[str](), 0.0
    for point in range(points):
        sandbox.clear()
        order = Order(sandbox.url, sandbox.refresh_token, str(memory / str(point)), keys)
        in_lake = point % 2 == 0
        victim = order.start(at=chance.randint(1, MOST_CHANGES) if in_lake else 0)
        if not in_lake:
            kill_after(victim, sandbox, chance.randint(1, len(distinct) // 5))
        victim.join()
        outcomes["killed at a change" if in_lake else "killed at a request"] += victim.exitcode == -9
        outcomes["ended before"] += victim.exitcode == 0
        assert victim.exitcode in (0, -signal.SIGKILL)
        kills = 1
        if victim.exitcode and point % 5 == 0:  # so is the run that goes on
            second = order.start(at=chance.randint(1, MOST_CHANGES))
            second.join()
            outcomes["killed again"] += second.exitcode == -9
            kills += 1
        is_published = all(Lake(path=order.path).manifest("profiles", folder(day)) for day in keys)
        if victim.exitcode:  # what is published by then is asked for as a whole again
            successor = order.start()
            successor.join()
            assert successor.exitcode == 0
        assert sandbox.answers.keys() == distinct
        twice = sum(times - 1 for times in sandbox.answers.values())
        most_twice = max(most_twice, 0 if is_published else twice / kills)
        assert_tables(order, sandbox)
    show("kill -9", points=points, **outcomes, keys=len(distinct), most_asked_twice=most_twice)
    assert outcomes["killed at a change"] >= points // 4
    assert outcomes["killed at a request"] >= points // 4
    assert most_twice <= ASKED_TWICE


def test_a_run_that_is_cancelled_loses_no_answer_that_had_come(sandbox: Sandbox, memory: Path) -> None:
    keys = {str(day): sandbox.umids_of(day) for day in last_days(2)}
    order = Order(sandbox.url, sandbox.refresh_token, str(memory / "lake"), keys)
    victim = order.start()
    wait_for(victim, lambda: len(sandbox.answers) > 1.5 * IN_FLIGHT)
    assert victim.pid
    os.kill(victim.pid, signal.SIGINT)
    victim.join()
    assert victim.exitcode == 1
    assert not Lake(path=order.path).manifests("profiles")
    answered = len(sandbox.answers)
    successor = order.start()
    successor.join()
    assert successor.exitcode == 0
    twice = sum(times > 1 for times in sandbox.answers.values())
    assert_tables(order, sandbox)
    show("cancelled", answered_before=answered, asked_twice=twice)
    assert answered > IN_FLIGHT
    assert twice <= IN_FLIGHT, "what was decoded is staged, however few keys it is"


def wait_for(victim: BaseProcess, moment: Callable[[], bool]) -> None:
    """Wait for a moment in a run, or for its end."""
    while victim.is_alive() and not moment():
        time.sleep(LOOK_SECONDS)


def kill_after(victim: BaseProcess, sandbox: Sandbox, requests: int) -> None:
    """Kill a run when the sandbox has got so many requests of it."""
    wait_for(victim, lambda: len(sandbox.requests) >= requests)
    victim.kill()


def assert_tables(order: Order, sandbox: Sandbox) -> None:
    lake = Lake(path=order.path)
    for day, umids in order.keys.items():
        assert plain(lake.read("profiles", folder(day))) == expected_profiles(sandbox, umids)
        assert lookups(lake.read("profiles__lookups", folder(day))) == expected_lookups(sandbox, umids)
    collect(lake.root, older_than=timedelta(0))
    assert not [path for path in (lake.root / "_staging").rglob("*") if path.is_file()]

"""(d) Two runs of one partition at once, and a run that comes back from the dead: one of them, whole."""

import os
import signal
import time
from pathlib import Path

import pytest

from resources.lake import Lake
from tests.chaos.figures import show
from tests.chaos.victims import Order, folder
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_lookups, expected_profiles, lookups, plain

LOOK_SECONDS = 0.001


@pytest.fixture
def order(sandbox: Sandbox, tmp_path: Path) -> Order:
    keys = {str(day): sandbox.umids_of(day) for day in last_days(2)}
    return Order(sandbox.url, sandbox.refresh_token, str(tmp_path / "lake"), keys)


def assert_whole(order: Order, sandbox: Sandbox) -> set[str]:
    """Look at the tables, of which those of a partition are of one run; give the runs."""
    lake, runs = Lake(path=order.path), set()
    for day, umids in order.keys.items():
        assert plain(lake.read("profiles", folder(day))) == expected_profiles(sandbox, umids)
        assert lookups(lake.read("profiles__lookups", folder(day))) == expected_lookups(sandbox, umids)
        manifests = [lake.manifest(table, folder(day)) for table in ("profiles", "profiles__lookups")]
        (run,) = {manifest.run for manifest in manifests if manifest}
        runs.add(run)
    return runs


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.chaos)], ids=["short", "long"])
def test_of_two_runs_at_once_one_is_published_whole(rounds: int, order: Order, sandbox: Sandbox) -> None:
    refused = 0
    for _ in range(rounds):
        both = [order.start(), order.start()]
        for process in both:
            process.join()
        codes = sorted(str(process.exitcode) for process in both)
        assert codes in (["0", "0"], ["0", "1"])  # the second may have begun when the first was done
        refused += codes == ["0", "1"]
        assert len(assert_whole(order, sandbox)) == 1
    show("two runs at once", rounds=rounds, refused=refused)
    assert refused


def test_a_run_that_was_thought_dead_publishes_nothing_when_it_goes_on(
    order: Order, sandbox: Sandbox, tmp_path: Path
) -> None:
    zombie = order.start(said=str(tmp_path / "said"))
    while len(sandbox.requests) < 10:
        assert zombie.is_alive()
        time.sleep(LOOK_SECONDS)
    assert zombie.pid
    os.kill(zombie.pid, signal.SIGSTOP)
    successor = order.start()
    successor.join()
    assert successor.exitcode == 0
    published = assert_whole(order, sandbox)
    os.kill(zombie.pid, signal.SIGCONT)
    zombie.join()
    assert zombie.exitcode == 1
    assert "is claimed by run" in (tmp_path / "said").read_text()
    assert assert_whole(order, sandbox) == published
    show("a zombie", asked_by_it=len(sandbox.requests))

"""docs/schedule-and-backfill.md is executed: its commands, one after the other, and what they start."""

import shlex
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.environment import Environment
from resources.failures import LATER_RETRIES
from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.documents import blocks
from tests.sandbox import Sandbox

PAGE = ROOT / "docs" / "schedule-and-backfill.md"
DAYS = [date(2026, 11, 16) + timedelta(days=n) for n in range(7)]


def commands() -> list[str]:
    lines = [line for text in blocks(PAGE, "sh") for line in text.splitlines()]
    return [line for line in lines if ".venv/bin/" in line]


@pytest.mark.journey
def test_its_commands_start_what_it_says(sandbox: Sandbox, tmp_path: Path) -> None:
    clone = copied_checkout(tmp_path / "clone")
    sandbox.write_feed(clone / "data" / "feed", DAYS)
    location = Location(sandbox, tmp_path, clone, settings={"TARGETDATA_FEED": "", "TARGETDATA_LAKE": ""})
    started: list[list[dict[str, str]]] = []
    own = dict(location.settings)
    for command in commands():
        before, _, after = command.partition(".venv/bin/")
        location.settings = own | dict(setting.split("=", 1) for setting in before.split())
        known = {run.run_id for run in runs(location)}
        location.run(*shlex.split(after))
        started.append([dict(run.tags) for run in runs(location) if run.run_id not in known])
    with location.instance() as instance:
        states = {state.name: state.status.value for state in instance.all_instigator_state()}
    assert states == {"profiles_every_morning": "RUNNING", "feed_arrived": "STOPPED"}
    assert [len(tags) for tags in started] == [0, 0, 0, 0, 3, 1, 1, 2]
    assert started[-2][0]["dagster/asset_partition_range_end"] == "2026-11-21"
    assert all(tags["targetdata/over_budget"] == "true" for tags in started[-1])
    published = {path.name for path in (clone / "data" / "lake" / "profiles").iterdir()}
    assert published == {"date=2026-11-20", "date=2026-11-21", "date=2026-11-22"}


def runs(location: Location) -> list[dg.DagsterRun]:
    with location.instance() as instance:
        return list(instance.get_runs())


def test_its_figures_are_those_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    waits = Environment.model_fields["feed_late_seconds"].default * LATER_RETRIES
    assert f"{LATER_RETRIES} times, which is six hours" in " ".join(text.split())
    assert waits == timedelta(hours=6).total_seconds()

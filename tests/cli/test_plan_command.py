"""targetdata plan: its numbers are what the backfill after it then asks, of the shipped extracts."""

import json
import math
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.defs.profiles_refresh.assets import due, planned
from pipelines.plan.extracts import PlannedPartition
from resources.lake import Lake
from tests.dagster_runs import Location
from tests.local import last_days
from tests.pipelines.test_refresh import publish
from tests.sandbox import Sandbox

DAYS = last_days(2)
FROM_TO = ("--from", str(DAYS[0]), "--to", str(DAYS[1]))


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    sandbox.write_feed(tmp_path / "feed", DAYS)
    return Location(sandbox, tmp_path)


def plan(location: Location, *arguments: str) -> Any:
    return json.loads(location.run("targetdata", "plan", "profiles", *FROM_TO, "--json", *arguments).stdout)


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def asked(location: Location) -> tuple[int, int]:
    """Give the lookups and the requests of the extract since the last time."""
    requests = [request for request in location.sandbox.requests if request.keys]
    found = sum(len(request.answered) for request in requests), len(requests)
    location.sandbox.clear()
    return found


@pytest.mark.journey
def test_the_backfill_asks_what_was_planned(location: Location, sandbox: Sandbox) -> None:
    umids = [sandbox.umids_of(day) for day in DAYS]
    before = plan(location)
    assert [(p["keys"], p["origin"]) for p in before["partitions"]] == [(len(u), "feed") for u in umids]
    names = "TARGETDATA_BUDGET_LOOKUPS or TARGETDATA_BUDGET_REQUESTS"
    unset = f"No budget is set, so no size is refused: set {names}"
    assert before["budget"] == {"lookups": None, "requests": None, "unset": unset}
    assert (before["published"], before["as_configured"]["requests"], before["seen"]) == (0, None, [])
    for day in DAYS:
        location.materialize(str(day), select="profile_keys,profiles")
    lookups, requests = asked(location)
    assert lookups == before["a_run_a_partition"]["lookups"] == sum(map(len, umids))
    least, most = before["a_run_a_partition"]["request_bounds"]
    assert (least, most) == (sum(math.ceil(len(of_day) / 100) for of_day in umids), lookups)
    assert least <= requests <= most

    location.settings["TARGETDATA_PARTITIONS_PER_RUN"] = "0"
    there = everything(location.folder)
    after = plan(location, "--max-lookups", "1", "--over-budget")
    assert everything(location.folder) == there, "a plan only reads"
    assert sandbox.requests == []
    assert [(p["keys"], p["origin"]) for p in after["partitions"]] == [(len(u), "lake") for u in umids]
    assert after["published"] == 2
    assert after["budget"] == {"lookups": 1, "requests": None, "unset": None}
    assert sum(run["requests"] for run in after["seen"]) == requests
    assert after["as_configured"] == after["one_run"]
    location.materialize(*map(str, DAYS), select="profiles")
    lookups, requests = asked(location)
    assert lookups == after["one_run"]["lookups"] == len({umid for of_day in umids for umid in of_day})
    least, most = after["one_run"]["request_bounds"]
    assert least <= requests <= most == lookups


@pytest.fixture
def two_accounts(tmp_path: Path, stack: ExitStack) -> tuple[Location, Sandbox]:
    """Give a location of the account `eu`, and its sandbox; the settings of no account lead nowhere."""
    sandbox = stack.enter_context(Sandbox(people=60, seed=1))
    sandbox.write_feed(tmp_path / "eu", DAYS)
    own = {"FEED": str(tmp_path / "eu" / "events-{date}.jsonl.gz"), "LAKE": str(tmp_path / "lake" / "eu")}
    settings = {f"TARGETDATA_EU_{name}": value for name, value in own.items()}
    return Location(sandbox, tmp_path, settings=settings | {"TARGETDATA_ACCOUNT": "eu"}), sandbox


def test_over_the_budget_of_the_settings_it_exits_with_3(two_accounts: tuple[Location, Sandbox]) -> None:
    location, sandbox = two_accounts
    keys = len(sandbox.umids_of(DAYS[1]))
    location.settings["TARGETDATA_EU_BUDGET_LOOKUPS"] = str(keys - 1)
    done = location.run("targetdata", "plan", "profiles", check=False)
    assert done.returncode == 3
    assert f"keys: {keys}, profile_keys (partitions: 1 read from the feed now)" in done.stdout
    assert "pool targetdata_eu: 1 run at a time" in done.stdout.lower()
    assert f"Error: profiles is over the budget, or not known to be within it: {keys} lookups" in done.stderr
    assert "--over-budget" in done.stderr
    assert "No budget is set" not in done.stdout
    location.run("targetdata", "plan", "profiles", "--max-lookups", str(keys))


def test_old_profiles_are_planned_as_the_refresh_chooses_them(memory: Path) -> None:
    lake = Lake(path=str(memory / "lake"))
    publish(lake, {f"p{n:02}": 40.0 + n for n in range(40)})
    now = datetime.now(UTC)
    days = {str(n): PlannedPartition(str(n), f"date={n}", (now, now + timedelta(days=1))) for n in range(3)}
    chosen = planned.choose(lake, days)
    assert chosen == due(lake, days)
    assert [len(keys) for keys in chosen.values()] == [2, 2, 2], "the share of all that is asked a day"
    assert len(pa.concat_tables(chosen.values())["profile_id"].unique()) == 6


def test_the_help_teaches() -> None:
    said = " ".join(CliRunner().invoke(app, ["plan", "--help"]).output.split())
    assert "Example: targetdata plan profiles --from 2026-11-01 --to 2026-11-30" in said
    assert "with 3 if the backfill is over the budget" in said

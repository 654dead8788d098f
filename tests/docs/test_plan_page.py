"""The page about the plan is executed: its commands, its budget, its extract."""

import re
import shlex
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.documents import blocks
from tests.sandbox import Sandbox

PAGE = ROOT / "docs" / "plan.md"
DAYS = [date(2026, 11, 17) + timedelta(days=n) for n in range(6)]


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    """Give a copy of the checkout with the page's extract, and a feed that lacks the first day."""
    clone = copied_checkout(tmp_path / "clone")
    sandbox.write_feed(clone / "data" / "feed", DAYS)
    (clone / "pipelines" / "defs" / "newcomers").mkdir()
    (code,) = blocks(PAGE, "python")
    (clone / "pipelines" / "defs" / "newcomers" / "assets.py").write_text(code)
    return Location(sandbox, tmp_path, clone, settings={"TARGETDATA_FEED": ""})


@pytest.mark.journey
def test_its_commands_say_what_the_page_says(location: Location, sandbox: Sandbox) -> None:
    for day in DAYS[-2:]:
        location.materialize(str(day), select="profile_keys,profiles")
    umids = [set(sandbox.umids_of(day)) for day in DAYS]
    sandbox.clear()
    plan, over, backfill, extract, own = [text.strip() for text in blocks(PAGE, "sh")]

    said = run(location, plan)
    (shown,) = re.findall(r"^```\n(profiles, .*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert labels(said) == labels(shown)
    assert f"at least {sum(map(len, umids)):,} " in said
    assert f"at least {len(set().union(*umids)):,}" in said
    location.settings["TARGETDATA_BUDGET_LOOKUPS"] = "1"
    assert run(location, over.replace("2000", "100"), code=3)
    assert run(location, backfill)
    assert sandbox.requests == [], "nothing was asked for any of them"
    assert "1 more than the budget" not in run(location, extract)
    del location.settings["TARGETDATA_BUDGET_LOOKUPS"]
    assert f"\nlookups              {len(umids[5] - umids[4])}" in run(
        location, own.replace("11-21", "11-22")
    )
    location.materialize(str(DAYS[-1]), select="newcomers")
    asked = location.lake.manifest("newcomers__lookups", f"date={DAYS[-1]}")
    assert asked is not None
    assert asked.rows == len(umids[5] - umids[4])


def run(location: Location, command: str, *, code: int = 0) -> str:
    """Run a command of the page; give what it printed."""
    before, _, after = command.partition(".venv/bin/")
    own = dict(location.settings)
    location.settings |= dict(setting.split("=", 1) for setting in before.split())
    done = location.run(*shlex.split(after), check=False)
    location.settings = own
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def labels(text: str) -> list[str]:
    """Give the beginning of each line, before its first number."""
    return [re.split(r"\d", line)[0][:15] for line in text.strip().splitlines()]

"""The README is executed: its commands and its code."""

import re
import shlex
from datetime import date, timedelta
from pathlib import Path

import pytest

from resources.graphql_resource import ApiResource
from tests import documents
from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.sandbox import Sandbox
from tests.terminal import Terminal

README = (ROOT / "README.md").read_text(encoding="utf-8")
DAYS = [date(2026, 11, 16) + timedelta(days=n) for n in range(7)]


def blocks(language: str) -> list[str]:
    return documents.blocks(ROOT / "README.md", language)


def commands() -> list[str]:
    return [line for text in blocks("sh") for line in text.splitlines() if ".venv/bin/" in line]


@pytest.fixture
def location(tmp_path: Path) -> Location:
    """Give a copy of the checkout whose feed and lake are where the README has them."""
    with Sandbox(people=2000, seed=7) as sandbox:  # the README's keys are of the demo's people
        clone = copied_checkout(tmp_path / "clone")
        sandbox.write_feed(clone / "data" / "feed", DAYS)
        places = {"TARGETDATA_FEED": "", "TARGETDATA_LAKE": str(tmp_path / "lake")}
        yield Location(sandbox, tmp_path, clone, settings=places)


def test_every_target_that_is_named_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert targets >= {"demo", "test", "dev", "check"}
    assert all(f"\n{target}: .venv/installed" in makefile for target in targets)
    assert (ROOT / ".env.example").is_file()


@pytest.mark.journey
def test_the_commands_work_one_after_the_other(location: Location) -> None:
    add_extract(location.root)
    assert len(commands()) >= 7
    own = location.settings
    for command in commands():
        before, _, after = command.partition(".venv/bin/")
        location.settings = own | dict(setting.split("=", 1) for setting in before.split())
        if after == "targetdata login":
            log_in(location)
        else:
            location.run(*shlex.split(after))
    assert location.lake.manifest("profiles", f"date={DAYS[-1]}")
    consents = location.lake.read("consents", f"date={DAYS[-1]}")
    people = [umid for umid in location.sandbox.umids_of(DAYS[-1]) if location.sandbox.person_of(umid)]
    assert consents["umid"].to_pylist() == people
    assert location.lake.read("people", f"date={DAYS[-1]}").num_rows > 0


def log_in(location: Location) -> None:
    """Paste the token where it is asked for."""
    env = location.environment | {
        "PYTHONPATH": str(location.root),
        "TERM": "dumb",
        "DISPLAY": "",
        "BROWSER": "",
    }
    with Terminal(["-m", "pipelines.cli", "login"], cwd=location.root, env=env) as terminal:
        terminal.until("(not shown): ")
        terminal.type(location.sandbox.refresh_token + "\n")
        assert terminal.end() == 0, terminal.shown
    assert location.sandbox.refresh_token in (location.root / ".env").read_text()


def add_extract(clone: Path) -> None:
    """Do what the README says: put two files into a folder."""
    folder = clone / "pipelines" / "defs" / "consents"
    folder.mkdir()
    (folder / "consents.graphql").write_text(blocks("graphql")[0])
    (code,) = [text for text in blocks("python") if "@dg.asset" in text]
    (folder / "assets.py").write_text(code)


def test_three_lines_make_a_frame(location: Location) -> None:
    code = blocks("python")[0]
    assert sum(map(bool, code.splitlines())) == 3
    done = location.run("python", f"{code}print(len(frame), list(frame)[0], frame['profile_id'][0])")
    assert done.stdout.split() == ["1", "profile_id", "0e55f757-b845-4dd9-936f-df80fd422fb5"]


def test_the_resource_for_another_api_is_one() -> None:
    names: dict[str, object] = {}
    exec(blocks("python")[-1], names)
    assert isinstance(names["api"], ApiResource)

"""docs/schema.md is executed: the API changes, and what the page says to do about it helps."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.documents import blocks, commands
from tests.local import last_days
from tests.sandbox import Sandbox

DOCUMENT = ROOT / "docs" / "schema.md"
PAGE = DOCUMENT.read_text(encoding="utf-8")
DAYS = last_days(2)
NEW, FRESH = "  fresh: [Fresh]\n", "type Fresh { a: Int } scalar Instant"


@pytest.fixture
def location(tmp_path: Path) -> Iterator[Location]:
    """Give a copy of the checkout, on an account that has something new."""
    edits = {
        "  owner: String\n": f"  owner: String\n{NEW}",
        "scalar Instant": "scalar Instant type Fresh { a: Int }",
    }
    with Sandbox(people=60, seed=7, edits=edits) as sandbox:
        sandbox.write_feed(tmp_path / "feed", DAYS)
        yield Location(sandbox, tmp_path, copied_checkout(tmp_path / "clone"))


def drift_of(location: Location, asset: str) -> dg.AssetCheckEvaluation:
    with location.instance() as instance:
        key = dg.AssetCheckKey(dg.AssetKey(asset), "schema_drift")
        records = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    event = records[0].event
    assert event is not None
    found = event.get_dagster_event().event_specific_data
    assert isinstance(found, dg.AssetCheckEvaluation)
    return found


def test_the_command_prints_what_the_page_shows_and_fails_for_what_a_query_uses(tmp_path: Path) -> None:
    with Sandbox(people=5, edits={"  owner: String\n": "", "  umdids: [Identifier]\n": ""}) as sandbox:
        done = Location(sandbox, tmp_path).run(*shlex.split(commands(DOCUMENT)[0]), check=False)
    (picture,) = re.findall(r"^```\n(breaking.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert (done.stdout, done.returncode) == (picture, 1)


@pytest.mark.journey
def test_its_commands_its_check_and_its_policy_work_one_after_the_other(location: Location) -> None:
    diff, pull, new = map(shlex.split, commands(DOCUMENT))
    assert "PersonTargetData.fresh was added." in location.run(*diff).stdout
    location.run(*pull)
    location.run(*new)
    (line,) = blocks(DOCUMENT, "python")
    assets = location.root / "pipelines/defs/people/assets.py"
    assets.write_text(f"{assets.read_text()}\n\n{line}")
    query = location.root / "pipelines/defs/profiles/profiles.graphql"
    query.write_text(query.read_text().replace("fresh {\n      a\n    }\n", ""))
    location.materialize(str(DAYS[0]), select="*people,*profiles")
    assert drift_of(location, "people").passed
    assert drift_of(location, "profiles").passed
    query.write_text(query.read_text().replace("    owner\n", "    owner\n    fresh { a }\n", 1))
    stopped = location.materialize(str(DAYS[1]), select="*profiles", check=False)
    assert stopped.returncode != 0
    assert "+ fresh: list<item: struct<a: int64>>" in stopped.stdout + stopped.stderr
    (setting,) = re.findall(r"^ *```ini\n *(.*?)\n", PAGE, re.MULTILINE)
    location.settings |= dict([setting.split("=")])
    location.materialize(str(DAYS[1]), select="profiles")
    assert "fresh" in location.lake.read("profiles", f"date={DAYS[1]}").schema.names

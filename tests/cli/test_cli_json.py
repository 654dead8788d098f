"""What commands print for scripts, and how they end when they are interrupted."""

import json
import signal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import PROFILES_QUERY
from tests.dagster_runs import Location, copied_checkout
from tests.local import last_days
from tests.sandbox import Sandbox

DAY = last_days()[-1]


@pytest.fixture
def clone(sandbox: Sandbox, tmp_path: Path) -> Location:
    return Location(sandbox, tmp_path, copied_checkout(tmp_path / "clone"))


def printed(location: Location, *arguments: str) -> object:
    return json.loads(location.run("targetdata", *arguments, "--json").stdout)


def test_the_help_groups_the_commands_and_teaches_the_first_steps(clone: Location) -> None:
    said = clone.run("targetdata", "--help").stdout
    places = [
        said.index(words) for words in ("Set up:", "Extract:", "Look after:", "First steps:", "Exit codes:")
    ]
    assert places == sorted(places)
    assert said.index("  doctor") < said.index("Extract:") < said.index("  plan") < said.index("Look after:")
    assert "    targetdata doctor        says" in said
    assert "    75   the same command may succeed later" in said


def test_an_extract_prints_its_files_and_figures(clone: Location) -> None:
    sandbox, folder = clone.sandbox, clone.folder
    (events,) = sandbox.write_feed(folder, [DAY])
    out = folder / "profiles.parquet"
    keys = ("--keys", str(events), "--identity", "profileId", "--out", str(out))
    found = printed(clone, "extract", str(PROFILES_QUERY), *keys)
    assert isinstance(found, dict)
    umids = sandbox.umids_of(DAY)
    assert found["files"] == {
        "profiles": str(out),
        "profiles__lookups": str(folder / "profiles__lookups.parquet"),
    }
    assert found["rows"] == {"profiles": pq.read_table(out).num_rows, "profiles__lookups": len(umids)}
    assert found["asked"] == len(umids) == found["found"] + found["not_found"] + found["failed"]
    assert found["requests"] == len([r for r in sandbox.requests if r.path == "/graphql"])
    assert (found["token_renewals"], found["retries"], found["notes"]) == (1, {}, [])


def test_a_pull_prints_what_changes(clone: Location, tmp_path: Path) -> None:
    found = printed(clone, "schema", "pull", "--dry-run")
    assert isinstance(found, dict)
    assert found["schema"] == "pipelines/schema.graphql"
    assert (found["introspected"], found["written"]) == (True, False)
    (document,) = found["documents"]
    assert document["document"] == "pipelines/defs/profiles/profiles.graphql"
    assert (document["changes"], document["dropped"]) == (False, [])
    assert any("identifiersByName" in field for field in document["could_be_added"])


def test_a_new_extract_prints_its_files_and_the_roots(clone: Location) -> None:
    roots = printed(clone, "new", "--roots")
    assert isinstance(roots, list)
    assert {"personTargetDataByUmid", "personTargetDataByProfileId"} <= {root["root"] for root in roots}
    assert "personTargetDataByUmid(umid: String!): PersonTargetData" in [root["field"] for root in roots]
    found = printed(clone, "new", "people", "--root", "personTargetDataByUmid")
    assert isinstance(found, dict)
    assert [Path(file).name for file in found["files"]] == ["people.graphql", "assets.py"]
    assert (found["row_type"], found["keys"]) == ("PersonTargetData", ["umid"])


def test_a_pull_that_is_interrupted_writes_nothing_and_says_so(clone: Location) -> None:
    before = {path: path.read_bytes() for path in clone.root.rglob("*.graphql")}
    clone.sandbox.faults.stall = True
    process = clone.start("targetdata", "schema", "pull")
    while not any(request.path == "/graphql" for request in clone.sandbox.requests):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in said) == (130, False)
    assert "Interrupted; nothing was written." in said
    assert {path: path.read_bytes() for path in clone.root.rglob("*.graphql")} == before

"""The page about the hand-off is executed: its commands on a lake that the line has made."""

import shlex
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT
from tests.dagster_runs import Location
from tests.documents import blocks, commands
from tests.local import last_days
from tests.sandbox import Sandbox

PAGE = ROOT / "docs" / "handoff.md"
DAYS = last_days(2)


@pytest.mark.journey
def test_its_commands_print_what_the_page_shows_and_duckdb_runs_its_own(
    sandbox: Sandbox, location: Location
) -> None:
    sandbox.write_feed(location.folder / "feed", DAYS)
    location.materialize(str(DAYS[1]), select="profile_keys,profiles")
    duck, snow, big, lint = (shlex.split(text.replace("2026-11-22", str(DAYS[1]))) for text in commands(PAGE))
    (shown,) = blocks(PAGE, "sql")
    assert location.run(*snow).stdout == shown.replace("2026-11-22", str(DAYS[1]))
    loaded = location.run(*big)
    assert f"gs://my-bucket/lake/profiles/date={DAYS[1]}/part-00000.parquet" in loaded.stdout
    (warning,) = [line for line in PAGE.read_text().splitlines() if line.startswith("warning: ")]
    assert warning in location.run(*lint).stdout.splitlines()
    assert warning in loaded.stderr.splitlines()
    created = location.run(*duck).stdout
    script = location.run(*(word for word in duck if word != "--ddl-only")).stdout
    assert script.startswith(created.rstrip())
    manifest = location.lake.manifest("profiles", f"date={DAYS[1]}")
    assert manifest
    with duckdb.connect() as database:
        for _ in range(2):
            database.execute(script)
            assert database.execute("SELECT count(*) FROM profiles").fetchone() == (manifest.rows,)


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    return Location(sandbox, tmp_path, settings={"TARGETDATA_START_DATE": str(DAYS[0])})

"""The demo's tables equal what the sandbox holds, row by row."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resources.lake import Lake
from tests.conftest import ROOT
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_lookups, expected_profiles, expected_wide, lookups, plain


@pytest.mark.journey
def test_the_demos_tables_equal_what_the_sandbox_holds_row_by_row(tmp_path: Path) -> None:
    days = last_days()
    home = tmp_path / "dagster"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"DAGSTER_HOME": str(home), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    sandbox = Sandbox(people=2000, seed=7)  # the people are its seed's; it need not serve
    lake = Lake(path=str(tmp_path / "lake"))
    for day in days:
        umids = sandbox.umids_of(day)
        assert lake.read("profile_keys", f"date={day}")["umid"].to_pylist() == umids
        rows = plain(lake.read("profiles", f"date={day}"))
        assert rows == expected_profiles(sandbox, umids)
        found = lookups(lake.read("profiles__lookups", f"date={day}"))
        assert found == expected_lookups(sandbox, umids)
        wide = plain(lake.read("profiles_wide", f"date={day}"))
        assert wide == expected_wide(sandbox, umids)
        assert f"profiles_daily {day}  ok" in done.stdout
        numbers = [line.split()[1::2] for line in done.stdout.splitlines() if line.startswith(f"│ {day}")]
        assert numbers == [[str(day), *(f"{len(table):,}" for table in (umids, rows, found, wide))]]

"""docs/erasing.md is executed: its commands, one after the other, and what it shows of them."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.dagster_runs import Location
from tests.documents import commands
from tests.local import last_days
from tests.sandbox import Sandbox

pytestmark = pytest.mark.journey  # whole runs, one after the other

DOCUMENT = ROOT / "docs" / "erasing.md"
PAGE = DOCUMENT.read_text(encoding="utf-8")
DAY = last_days()[-1]
TOLD = "import io, sys; sys.stdin = io.StringIO({!r}); sys.argv = {!r}; from pipelines.cli import app; app()"


def typed(location: Location, command: str, umid: str) -> str:
    """Run a command whose standard input is a umid."""
    return location.run("python", TOLD.format(f"{umid}\n", shlex.split(command))).stdout


def test_its_commands_erase_a_person_and_print_what_it_shows(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.write_feed(tmp_path / "feed", [DAY])
    location = Location(sandbox, tmp_path)
    location.materialize(str(DAY), select="*")
    secret, foreseen, done, again = commands(DOCUMENT)
    name, value = location.run(*shlex.split(secret)[:1], *shlex.split(secret)[2:]).stdout.strip().split("=")
    location.settings[name] = value
    lookups = location.lake.read("profiles__lookups", f"date={DAY}").to_pylist()
    umid = next(row["umid"] for row in lookups if row["status"] == "found")
    said = typed(location, foreseen, umid)
    (picture,) = re.findall(r"^```\n(known by.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shape(picture) - {"…"} < shape(said)
    assert {line for line in shape(said) if line.startswith("lake")} < shape(picture)
    assert f"lake: profiles date={DAY}: 1 rows removed" in typed(location, done, umid)
    assert "lake: 0 rows in 0 partitions" in location.run(*shlex.split(again)).stdout
    records = [json.loads(path.read_text()) for path in (location.lake.root / "_erasures").iterdir()]
    assert sorted(record["rows"]["lake"].get(f"profiles date={DAY}", 0) for record in records) == [0, 1]


def shape(text: str) -> set[str]:
    """Leave out what differs from person to person: days, numbers, kinds."""
    lines = [re.sub(r"date=[\d-]+|\d+|known by: .*;", "", line) for line in text.splitlines()]
    return set(lines)

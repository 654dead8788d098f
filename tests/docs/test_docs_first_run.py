"""docs/first-run.md: what it shows is what the demo prints, and its code reads what the demo has left."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.documents import blocks
from tests.local import last_days

PAGE = ROOT / "docs" / "first-run.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_its_commands_are_targets_and_modules() -> None:
    demo, dev, sandbox = (text.strip() for text in blocks(PAGE, "sh"))
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{command.removeprefix('make ')}: .venv/installed" in makefile for command in (demo, dev))
    python = sandbox.split()[1:]
    done = subprocess.run([sys.executable, *python], cwd=ROOT, capture_output=True, text=True, check=True)
    (options,) = re.findall(r"`(--every[^`]*)`", TEXT)
    named = [word for word in options.split() if not word.isdigit()]
    assert [word for word in named if word not in done.stdout] == []


@pytest.mark.journey
def test_what_it_shows_is_printed_and_read(tmp_path: Path) -> None:
    home = tmp_path / "data" / "sandbox"
    environment = os.environ | {"DAGSTER_HOME": str(home / "dagster"), "COLUMNS": "200"}
    demo = [sys.executable, "-m", "tests.demo", str(home)]
    done = subprocess.run(
        demo, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    (shown,) = re.findall(r"^```\n(The sandbox.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    printed = shapes(done.stdout.replace(str(home), "data/sandbox"))
    assert [line for line in shapes(shown) if line not in printed and line != "…"] == []
    for place in re.findall(r"^\| `(data/[^`]*)`", TEXT, re.MULTILINE):
        assert (tmp_path / place.replace("2026-11-24", str(last_days()[-1]))).exists(), place
    (code,) = blocks(PAGE, "python")
    read = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert all(word in read.stdout for word in ("profile_id", "not_found", "profiles__identifiers"))


def shapes(text: str) -> list[str]:
    """Leave out what differs from day to day: numbers, and how wide a column is."""
    return [re.sub(r"[\d,.]+", "0", " ".join(line.split())) for line in text.splitlines() if line.strip()]

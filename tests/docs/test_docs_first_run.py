"""docs/first-run.md: what it shows is what the demo prints, and its code reads what the demo has left."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from resources.lake import Lake
from tests.conftest import ROOT
from tests.dagster_runs import copied_checkout
from tests.dev import settings_for_a_shell
from tests.documents import blocks
from tests.local import last_days, local_account

PAGE = ROOT / "docs" / "first-run.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_its_commands_are_targets_and_modules() -> None:
    demo, dev, _, _, sandbox = (text.strip() for text in blocks(PAGE, "sh"))
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


@pytest.mark.journey
def test_a_table_of_ones_own_is_run_in_a_shell_with_the_sandbox(tmp_path: Path) -> None:
    clone = copied_checkout(tmp_path / "clone")
    (clone / ".venv").symlink_to(Path(sys.prefix))
    folder = clone / "data" / "sandbox"
    *_, new, run, _ = blocks(PAGE, "sh")
    for back, day in enumerate(("2026-11-24", "2026-11-23"), start=1):
        run = run.replace(day, str(last_days()[-back]))
    keys = ["asset", "materialize", "-m", "pipelines.definitions", "--select", "profile_keys", "--partition"]
    with local_account(folder, people=100) as (_, settings), settings_for_a_shell(folder, settings):
        subprocess.run(
            [
                "sh",
                "-ec",
                f". data/sandbox/settings.sh; .venv/bin/dagster {shlex.join(keys)} {last_days()[-1]}",
            ],
            cwd=clone,
            env=bare_environment(clone),
            timeout=120,
            check=True,
        )
        done = subprocess.run(
            ["sh", "-ec", new + run],
            cwd=clone,
            env=bare_environment(clone),
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    assert Lake(path=str(folder / "lake")).read("people", f"date={last_days()[-1]}").num_rows > 0


def bare_environment(clone: Path) -> dict[str, str]:
    """Give what a shell has that knows no account."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(clone)}


def shapes(text: str) -> list[str]:
    """Leave out what differs from day to day: numbers, and how wide a column is."""
    return [re.sub(r"[\d,.]+", "0", " ".join(line.split())) for line in text.splitlines() if line.strip()]

"""targetdata gc: what killed runs have left is put in place or removed, and nothing else is touched."""

import json
import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from resources.errors import LakeError
from resources.lake import Lake
from resources.lake.publishing.aside import LEFT_FOR, State
from resources.lake.publishing.claim import Claims
from resources.lake.publishing.leftovers import collect
from tests.crashing import committed, killed
from tests.dagster_runs import Location
from tests.lake_rows import DAY, SCHEMAS, everything, hidden, publish, rows, seen
from tests.sandbox import Sandbox

ANY_AGE, WEEK = timedelta(0), timedelta(days=7)


@pytest.fixture
def lake(memory: Path) -> Lake:
    return Lake(path=str(memory / "lake"))


def killed_while_it_writes(lake: Lake, *, run: str) -> None:
    with lake.write(DAY, SCHEMAS, run=run) as writer:
        writer.write(rows("x"))
        os.kill(os.getpid(), signal.SIGKILL)


def leave(lake: Lake, run: str = "dead", *, days: float = 0) -> Path:
    """Leave what a run leaves that is killed while it writes; give its folder."""
    assert killed(lake, killed_while_it_writes, run=run)
    (folder,) = (lake.root / "_staging").glob(f"people/*-{run}")
    (folder / "data").write_text("x" * 1000)  # Parquet was not yet written to the disk
    return aged(folder, days)


def aged(path: Path, days: float) -> Path:
    """Make a folder and all in it so many days old."""
    then = time.time() - days * 86400
    for found in (*path.rglob("*"), path):
        os.utime(found, (then, then))
    return path


def tree(lake: Lake) -> dict[Path, float]:
    """Give all that is in the lake, and when it was changed."""
    return {path: path.stat().st_mtime_ns for path in lake.root.rglob("*")}


def test_what_dead_runs_left_is_removed_when_it_is_old_enough(lake: Lake) -> None:
    publish(lake, "a")
    before = everything(lake)
    young, old = leave(lake, "young", days=6), leave(lake, "old", days=8)
    done = collect(lake.root, older_than=WEEK)
    assert [found.path for found in done.of(State.REMOVED)] == [old]
    assert [found.path for found in done.of(State.YOUNG)] == [young]
    assert done.of(State.REMOVED)[0].bytes == 1000
    assert 7.9 < done.of(State.REMOVED)[0].idle / timedelta(days=1) < 8.1
    assert (old.exists(), young.exists()) == (False, True)
    assert everything(lake) == before


def test_what_a_living_run_holds_is_never_removed_however_old(lake: Lake) -> None:
    with lake.write(DAY, SCHEMAS, run="living") as writer:
        writer.write(rows("a"))
        (folder,) = (lake.root / "_staging").glob("people/*")
        aged(folder, 30)
        for dry_run in (True, False):
            done = collect(lake.root, older_than=ANY_AGE, dry_run=dry_run)
            assert [(found.path, found.state) for found in done.leftovers] == [(folder, State.HELD)]
    assert seen(lake) == "a"


def test_a_dry_run_says_the_same_and_leaves_no_trace(lake: Lake) -> None:
    committed(lake, "b", folder="date=2026-11-21")
    leave(lake, days=8)
    before = tree(lake)
    foreseen = collect(lake.root, older_than=WEEK, dry_run=True)
    assert tree(lake) == before
    done = collect(lake.root, older_than=WEEK)
    assert foreseen.finished == done.finished
    assert [found.path for found in foreseen.of(State.REMOVED)] == [f.path for f in done.of(State.REMOVED)]
    assert (len(done.finished), len(done.of(State.REMOVED))) == (1, 1)


def test_what_is_committed_is_put_in_place_and_what_it_needs_is_kept_until_then(lake: Lake) -> None:
    publish(lake, "a")
    committed(lake, "b", run="killed")
    with Claims(lake.root, "people", DAY).locked():
        done = collect(lake.root, older_than=ANY_AGE)
        assert (done.finished, [found.state for found in done.leftovers]) == ([], [State.NEEDED])
        assert seen(lake) == "b"
    done = collect(lake.root, older_than=ANY_AGE)
    assert [(commit.name, commit.run) for commit in done.finished] == [(f"people {DAY}", "killed")]
    assert not hidden(lake, "_staging")
    assert seen(lake) == "b"


def test_one_that_cannot_be_put_in_place_keeps_nothing_from_the_others(lake: Lake) -> None:
    committed(lake, "b", folder="date=2026-11-20")
    (staged,) = (lake.root / "_staging").rglob("people.parquet")
    staged.unlink()
    committed(lake, "c", folder="date=2026-11-21")
    old = leave(lake, days=8)
    done = collect(lake.root, older_than=WEEK)
    assert [commit.folder for commit in done.finished] == ["date=2026-11-21"]
    assert [found.path for found in done.of(State.REMOVED)] == [old]
    assert ["people date=2026-11-20 was committed" in str(problem) for problem in done.problems] == [True]


def test_what_version_0_1_left_without_a_lock_is_removed_by_its_age_alone(lake: Lake) -> None:
    for name in ("people-1-a", "people-2-b"):
        (lake.root / "_staging" / name / DAY).mkdir(parents=True)
        (lake.root / "_staging" / name / DAY / "people.parquet").write_text("x")
    aged(lake.root / "_staging" / "people-1-a", 8)
    for age in (WEEK, ANY_AGE):  # one of a day may still be written
        collect(lake.root, older_than=age)
        assert [path.name for path in (lake.root / "_staging").iterdir()] == ["people-2-b"]


def test_the_next_run_of_a_table_removes_what_is_old_and_no_other_tables(lake: Lake) -> None:
    age = LEFT_FOR / timedelta(days=1)
    young, old = leave(lake, "young", days=age - 1), leave(lake, "old", days=age + 1)
    other = lake.root / "_staging" / "things" / "x"
    other.mkdir(parents=True)
    aged(other, age + 1)
    publish(lake, "a", folder="date=2026-11-25")
    assert [path.exists() for path in (old, young, other)] == [False, True, True]


def test_the_next_run_of_a_table_keeps_what_another_partition_needs(lake: Lake) -> None:
    committed(lake, "a")
    (folder,) = (lake.root / "_staging").glob("people/*")
    aged(folder, 30)
    publish(lake, "b", folder="date=2026-11-25")
    assert (seen(lake), seen(lake, "date=2026-11-25")) == ("a", "b")


def test_the_command_shows_what_it_would_do_and_does_it(sandbox: Sandbox, tmp_path: Path) -> None:
    location = Location(sandbox, tmp_path)
    committed(location.lake, "b", run="killed", folder="date=2026-11-21")
    old = leave(location.lake, days=2)
    said = location.run("targetdata", "gc", "--older-than", "36h", "--dry-run").stdout
    assert "would be put in place: people date=2026-11-21, published by run killed" in said
    assert f"would be removed: {old}, " in said
    assert "untouched for 2 days" in said
    assert old.exists()
    done = json.loads(location.run("targetdata", "gc", "--older-than", "36h", "--json").stdout)
    assert [found["path"] for found in done["removed"]] == [str(old)]
    assert done["removed"][0]["bytes"] == 1000
    assert [(found["partition"], found["run"]) for found in done["finished"]] == [
        ("people date=2026-11-21", "killed")
    ]
    assert not old.exists()
    assert seen(location.lake, "date=2026-11-21") == "b"


def test_the_command_teaches_and_names_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    none = SimpleNamespace(lake=Path("/no/lake"))
    monkeypatch.setattr("pipelines.environment.environment", lambda: none)
    said = " ".join(CliRunner().invoke(app, ["gc", "--help"]).output.split())
    assert "Example: targetdata gc --older-than 36h --dry-run" in said
    for arguments, reason in {
        ("--older-than", "week"): "--older-than week: write it as 7d, 36h or 90m",
        (): "there is no lake at /no/lake: set TARGETDATA_LAKE",
    }.items():
        wrong = CliRunner().invoke(app, ["gc", *arguments])
        assert (wrong.exit_code, wrong.output) == (1, f"Error: {reason}\n")


def test_leftovers_that_cannot_be_removed_keep_no_run_from_publishing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(lake, days=8)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        with pytest.raises(LakeError, match="cannot be written: Permission denied"):
            collect(lake.root, older_than=WEEK)
        with lake.write(DAY, SCHEMAS, run="next"):
            patched.undo()
    assert seen(lake) == ""

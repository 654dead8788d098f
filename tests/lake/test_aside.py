"""Folders aside: held while their process lives, adopted or removed when it is dead."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from resources import lock
from resources.lake.publishing.aside import Aside, remove_dead
from resources.table_file import make_folder
from tests.conftest import ROOT

HOLDING = """
import sys
from pathlib import Path
from resources.lake.publishing.aside import Aside
held = Aside.make(Path(sys.argv[1]), "people", "a")
(held.path / "data").write_text("x")
print("held", flush=True)
sys.stdin.read()
"""
ANY_AGE = timedelta(0)


def holder(root: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_folder_is_its_process_own_until_that_is_killed(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        folder = tmp_path / "_staging" / "people" / "a"
        assert Aside.adopt(folder) is None
        assert remove_dead(tmp_path, "people", older_than=ANY_AGE) == []
        process.kill()
        process.wait()
        adopted = Aside.adopt(folder)
        assert adopted is not None
        assert (folder / "data").read_text() == "x"
        adopted.release()
        assert remove_dead(tmp_path, "people", older_than=ANY_AGE) == [folder]
        assert not folder.exists()


def test_what_is_not_old_enough_stays(tmp_path: Path) -> None:
    Aside.make(tmp_path, "people", "a").release()
    assert remove_dead(tmp_path, "people", older_than=timedelta(hours=1)) == []
    hour_ago = (tmp_path / "_staging" / "people" / "a").stat().st_mtime - 3600
    for path in (tmp_path / "_staging" / "people").rglob("*"):
        os.utime(path, (hour_ago, hour_ago))
    assert len(remove_dead(tmp_path, "people", older_than=timedelta(hours=1))) == 1


def test_what_is_gone_or_was_never_there_is_not_adopted(tmp_path: Path) -> None:
    held = Aside.make(tmp_path, "people", "a")
    held.remove()
    assert Aside.adopt(held.path) is None
    assert remove_dead(tmp_path, "people", older_than=ANY_AGE) == []


def test_a_folder_that_goes_while_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[Path] = []

    def made_and_gone(path: Path, *, new: bool) -> None:
        make_folder(path, new=new)
        if not removed:
            removed.append(path)
            shutil.rmtree(path.parent)

    monkeypatch.setattr("resources.lake.publishing.aside.make_folder", made_and_gone)
    held = Aside.make(tmp_path, "people", "a")
    assert removed == [held.path]
    assert held.path.is_dir()
    held.remove()
    assert list((tmp_path / "_staging").iterdir()) == []


def test_a_lock_on_a_file_that_was_replaced_meanwhile_is_none(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = lock.take(path)
    assert held is not None
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(lock.take, path, wait=True)
        while sum(link == str(path) for link in map(linked, Path("/proc/self/fd").iterdir())) < 2:
            assert not waiting.done()
        path.unlink()
        path.touch()
        os.close(held)
        assert waiting.result() is None


def linked(path: Path) -> str | None:
    """Give what an open file's number stands for; the listing's own is closed by now."""
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return None

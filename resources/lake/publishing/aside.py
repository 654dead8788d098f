"""Folders aside, `_staging/<table>/<name>`: what a run writes before anybody else may see it."""

import os
import shutil
import time
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from resources import lock
from resources.lake.publishing.commit import is_needed
from resources.table_file import make_folder

STAGING = "_staging"
LOCK = ".lock"
LEFT_FOR = timedelta(days=7)  # what a dead run has left, before it is removed
TRIES = 10  # to make a folder in one that others remove when it is empty


class Aside:
    """A folder that this process holds: its lock ends with the process, however that ends."""

    def __init__(self, path: Path, held: int) -> None:
        self.path = path
        self._held: int | None = held

    @classmethod
    def make(cls, root: Path, table: str, name: str) -> Self:
        """Make a folder aside in a lake's root and hold it; raises FileExistsError where there is one."""
        path = root / STAGING / table / name
        for _ in range(TRIES):
            with suppress(FileNotFoundError):  # somebody has removed it, or the table's folder, just now
                make_folder(path, new=True)
                held = lock.take(path / LOCK, wait=True)  # who looks at it has it for a moment only
                if held is not None:
                    return cls(path, held)
        raise FileNotFoundError(f"{path} is removed as soon as it is made")

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """Hold a folder that is there; None if a living process does, or if it is gone."""
        try:
            held = lock.take(path / LOCK)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return None if held is None else cls(path, held)

    def release(self) -> None:
        """Leave the folder as it is, to whoever comes next."""
        if self._held is not None:
            os.close(self._held)
        self._held = None

    def remove(self) -> None:
        """Remove the folder and all that is in it; the lock's file goes last."""
        for path in [p for p in content(self.path) if p.name != LOCK]:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)
        self.release()
        with suppress(OSError):
            self.path.parent.rmdir()


class State(StrEnum):
    """What becomes of a folder aside."""

    HELD = "held"  # a living run has it
    NEEDED = "needed"  # it is committed and not yet in place
    YOUNG = "young"  # a dead run has left it, not long enough ago
    REMOVED = "removed"


def remove_dead(root: Path, table: str, *, older_than: timedelta = LEFT_FOR) -> list[Path]:
    """Remove what runs that are dead have left of a table and nobody has touched for so long."""
    old = [path for path in content(root / STAGING / table) if measured(path)[1] >= older_than]
    return [path for path in old if swept(root, path, old=True) is State.REMOVED]


def swept(root: Path, path: Path, *, old: bool, dry_run: bool = False) -> State:
    """Remove a folder aside if it is old and nobody needs it; say what becomes of it."""
    if dry_run or not old:
        return _looked_at(root, path, old=old)
    held = Aside.adopt(path)
    if held is None:
        return State.HELD
    if is_needed(root, path):  # asked while we hold it: nobody else commits it now
        held.release()
        return State.NEEDED
    held.remove()
    return State.REMOVED


def _looked_at(root: Path, path: Path, *, old: bool) -> State:
    """Say what would become of a folder, without leaving a trace in it."""
    with suppress(FileNotFoundError, NotADirectoryError):  # nobody holds it
        held = lock.take(path / LOCK, create=False)
        if held is None:
            return State.HELD
        os.close(held)
    if is_needed(root, path):
        return State.NEEDED
    return State.REMOVED if old else State.YOUNG


def content(path: Path) -> list[Path]:
    """Give what is in a folder; nothing, if there is no such folder."""
    try:
        return sorted(path.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def measured(path: Path) -> tuple[int, timedelta]:
    """Give the bytes in a folder, and the time since something in it was changed last."""
    size, touched = 0, 0.0
    for folder, _, files in os.walk(path):
        for name in ("", *files):
            with suppress(FileNotFoundError):
                found = os.stat(os.path.join(folder, name))
                touched = max(touched, found.st_mtime)
                size += found.st_size if name else 0
    return size, timedelta(seconds=time.time() - touched)

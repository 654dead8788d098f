"""Folders aside, `_staging/<table>/<name>`: what a run writes before anybody else may see it."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Self

STAGING = "_staging"
LOCK = ".lock"
LEFT_FOR = timedelta(days=7)  # what a dead run has left, before it is removed


class Aside:
    """A folder that this process holds: its lock ends with the process, however that ends."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock: int | None = lock

    @classmethod
    def make(cls, root: Path, table: str, name: str) -> Self:
        """Make a folder aside in a lake's root and hold it; raises FileExistsError where there is one."""
        path = root / STAGING / table / name
        path.mkdir(parents=True)
        made = cls.adopt(path)
        if made is None:
            raise FileExistsError(f"{path} is held by another process")
        return made

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """Hold a folder that is there; None if a living process does, or if it is gone."""
        try:
            lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock).st_ino == os.stat(path / LOCK).st_ino:
                return cls(path, lock)
        except (BlockingIOError, FileNotFoundError):  # it was removed while we waited for it
            pass
        os.close(lock)
        return None

    def release(self) -> None:
        """Leave the folder as it is, to whoever comes next."""
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def remove(self) -> None:
        """Remove the folder and all that is in it; the lock's file goes last."""
        for path in [p for p in _content(self.path) if p.name != LOCK]:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)
        self.release()
        with suppress(OSError):
            self.path.parent.rmdir()


def remove_dead(root: Path, table: str, *, older_than: timedelta = LEFT_FOR) -> list[Path]:
    """Remove what runs that are dead have left of a table and nobody has touched for so long."""
    removed = []
    for path in _content(root / STAGING / table):
        if time.time() - _touched(path) >= older_than.total_seconds() and (held := Aside.adopt(path)):
            held.remove()
            removed.append(path)
    return removed


def _content(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _touched(path: Path) -> float:
    """Give when something in a folder was changed last, in seconds since 1970."""
    return max(_times(path), default=0.0)


def _times(path: Path) -> Iterator[float]:
    for found in (path, *path.rglob("*")):
        with suppress(FileNotFoundError):
            yield found.stat().st_mtime

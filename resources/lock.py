"""Locks on files: each ends with the process that holds it, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def take(path: Path, *, wait: bool = False, create: bool = True) -> int | None:
    """Lock a file and give what holds the lock, to be closed; None if another process has it.

    Raises FileNotFoundError where its folder is gone, or the file without `create`.
    """
    lock = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        if os.fstat(lock).st_ino == path.stat().st_ino:
            return lock
    except (BlockingIOError, FileNotFoundError):  # it was removed while we waited for it
        pass
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None


@contextmanager
def released(held: int | None) -> Iterator[None]:
    """Let go of what holds a lock when the `with` ends."""
    try:
        yield
    finally:
        if held is not None:
            os.close(held)

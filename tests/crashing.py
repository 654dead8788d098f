"""Children that end or stop themselves just before a certain change on the disk.

They are forked after the imports: a child costs some milliseconds.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

import pandas  # noqa: F401  what children need is there before they are forked
import pyarrow.compute
import pyarrow.pandas_compat
import pyarrow.parquet  # noqa: F401

from resources.lake import Lake
from resources.lake.publishing.commit import Commit
from tests.forks import CONTEXT
from tests.lake_rows import publish

Body = Callable[..., None]  # of a lake, and texts
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "open"}


def child(
    lake: Lake, body: Body, *arguments: str, at: int = 0, end: int = signal.SIGKILL, **named: str
) -> BaseProcess:
    """Start a child that sends itself a signal before its change number `at` in the lake."""
    process = CONTEXT.Process(target=_run, args=(lake.path, at, end, body, arguments, named))
    process.start()
    return process


def killed(lake: Lake, body: Body, *arguments: str, at: int = 0, **named: str) -> bool:
    """Say whether a child was killed, at that change; it ended well otherwise."""
    process = child(lake, body, *arguments, at=at, **named)
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return process.exitcode != 0


def committed(lake: Lake, *ids: str, **named: str) -> None:
    """Publish in a child that is killed when it has committed and before it moves anything."""
    assert killed(lake, publish_until, "SIGKILL", *ids, **named)


def publish_until(lake: Lake, end: str, *ids: str, **named: str) -> None:
    """Publish, and get a signal in between, when it is committed and nothing is moved."""
    finish = Commit.finish

    def ended(commit: Commit, root: Path) -> None:
        os.kill(os.getpid(), signal.Signals[end])
        finish(commit, root)

    Commit.finish = ended  # type: ignore[method-assign]
    publish(lake, *ids, **named)


def _run(
    path: str, at: int, end: int, body: Body, arguments: Sequence[str], named: Mapping[str, str]
) -> None:
    changes = 0

    def count(event: str, given: tuple[object, ...]) -> None:
        nonlocal changes
        if event in CHANGES and _changes(event, given, path):
            changes += 1
            if changes == at:
                os.kill(os.getpid(), end)

    sys.addaudithook(count)
    body(Lake(path=path), *arguments, **named)


def _changes(event: str, given: tuple[object, ...], path: str) -> bool:
    if event == "open" and not int(str(given[2])) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return False
    return isinstance(given[0], (str, Path)) and str(given[0]).startswith(path)

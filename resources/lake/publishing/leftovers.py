"""What killed runs have left in a lake: committed and not in place, or aside and of no use any more."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from resources.errors import LakeError
from resources.lake.publishing.aside import STAGING, State, content, measured, swept
from resources.lake.publishing.commit import Commit, pending
from resources.lake.publishing.published import finish_forward
from resources.table_file import lake_errors

OF_OLD = re.compile(r".+-\d+-.+")  # <table>-<generation>-<run>, as version 0.1.0 had it, without a lock
OLD_IDLE = timedelta(days=1)  # only its age tells that nobody is at it


@dataclass(frozen=True, slots=True)
class Leftover:
    """A folder aside, how big it is, for how long nobody has touched it, and what became of it."""

    path: Path
    bytes: int
    idle: timedelta
    state: State


@dataclass(slots=True)
class Collected:
    """What was done for a lake, or would be in a dry run; `problems` are what a person has to see to."""

    finished: list[Commit] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    problems: list[LakeError] = field(default_factory=list)

    def of(self, *states: State) -> list[Leftover]:
        """Choose leftovers by what became of them."""
        return [leftover for leftover in self.leftovers if leftover.state in states]


def collect(root: Path, *, older_than: timedelta, dry_run: bool = False) -> Collected:
    """Put in place what killed runs have committed, and remove what dead ones have left aside.

    What is published is not touched, nor what a living run holds or nobody has left for so long.
    """
    done = Collected()
    for commit in pending(root):
        try:
            with lake_errors(root):
                if dry_run or finish_forward(root, commit.table, commit.folder):
                    done.finished.append(commit)
        except LakeError as problem:
            done.problems.append(problem)
    with lake_errors(root):
        done.leftovers.extend(_leftovers(root, older_than, dry_run))
    return done


def _leftovers(root: Path, older_than: timedelta, dry_run: bool) -> Iterator[Leftover]:
    for folder in content(root / STAGING):
        if OF_OLD.fullmatch(folder.name):
            yield _of_old(folder, max(older_than, OLD_IDLE), dry_run)
            continue
        for path in content(folder):
            size, idle = measured(path)
            state = swept(root, path, old=idle >= older_than, dry_run=dry_run)
            yield Leftover(path, size, idle, state)


def _of_old(path: Path, older_than: timedelta, dry_run: bool) -> Leftover:
    size, idle = measured(path)
    is_old = idle >= older_than
    if is_old and not dry_run:
        shutil.rmtree(path)
    return Leftover(path, size, idle, State.REMOVED if is_old else State.YOUNG)

"""The record of a commit: once it is in place the partition is published, whatever becomes of the run.

It names what stands aside and where it belongs. A run moves that into place and removes the record; where it
was killed before the end, whoever comes next does, and until then a reader finds each file at either place.
A partition that is dropped has a record of the files that are to go, and no reader finds them from then on.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from resources.errors import LakeError
from resources.lake.publishing.level import level_of
from resources.table_file import UNREADABLE, make_folder, replace, sha256, sync, write_file

COMMITS = "_commits"
FORMAT_VERSION = 1


class Move(msgspec.Struct, frozen=True):
    """A verified file, from where it stands aside to where it belongs; both below the lake's folder."""

    source: str
    target: str
    sha256: str


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One generation of all tables of a partition; `table` is the asset's own. `drops` are files to go."""

    format_version: int = FORMAT_VERSION
    table: str
    folder: str
    run: str
    generation: int
    moves: tuple[Move, ...]
    drops: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The partition, for a person."""
        return f"{self.table} {self.folder}".strip()

    def has(self, table: str) -> bool:
        """Say whether a table is of this commit."""
        targets = (*(move.target for move in self.moves), *self.drops)
        return any(Path(target).parts[0] == table for target in targets)

    def source_of(self, target: str) -> str | None:
        """Give where a file stands aside, None if it is not of this commit."""
        return next((move.source for move in self.moves if move.target == target), None)

    def put(self, root: Path, aside: Path) -> None:
        """Put the record in place: from this moment on the partition is published."""
        for folder in {(root / move.target).parent for move in self.moves}:
            make_folder(folder)
        sync(aside)
        replace(write_file(aside / "commit.json", msgspec.json.encode(self)), self._record(root))

    def finish(self, root: Path) -> None:
        """Move into place what is still aside, and remove the record; needs the partition's lock."""
        for move in self.moves:
            if (root / move.source).exists():
                os.replace(root / move.source, root / move.target)
        for target in self.drops:
            (root / target).unlink(missing_ok=True)
        for folder in {(root / target).parent for target in self.drops}:
            with suppress(OSError):  # of a table without partitions, or with files of somebody else
                folder.rmdir()
            if folder.is_dir():
                sync(folder)
        for folder in {(root / move.target).parent for move in self.moves}:
            sync(folder)
        self._record(root).unlink()
        sync(root / COMMITS)

    def check(self, root: Path) -> None:
        """Raise LakeError unless every file is there, aside or in place, as it was when it was verified."""
        for move in self.moves:
            found = [root / place for place in (move.source, move.target) if (root / place).is_file()]
            if not found or sha256(found[0]) != move.sha256:
                raise LakeError(
                    f"{self.name} was committed and cannot be put in place: {move.source} is lost or "
                    f"damaged. Delete {self._record(root)} and run it again"
                )

    def _record(self, root: Path) -> Path:
        return root / COMMITS / _file_name(self.table, self.folder)


def pending(root: Path) -> Iterator[Commit]:
    """Give what is committed and perhaps not yet in place, of all partitions: seldom more than a few."""
    try:
        records = sorted((root / COMMITS).iterdir())
    except FileNotFoundError:
        return
    for record in records:
        if found := _read(record):
            yield found


def is_needed(root: Path, aside: Path) -> bool:
    """Say whether something in a folder aside is committed and perhaps not yet in place."""
    place = str(aside.relative_to(root))
    return any(move.source.startswith(f"{place}/") for commit in pending(root) for move in commit.moves)


def pending_of(root: Path, table: str, folder: str) -> Commit | None:
    """Give a partition's commit that is perhaps not yet in place, by the asset's own table."""
    return _read(root / COMMITS / _file_name(table, folder))


def _file_name(table: str, folder: str) -> str:
    return f"{table}.{level_of(folder)}.json"


def _read(record: Path) -> Commit | None:
    try:
        return msgspec.json.decode(record.read_bytes(), type=Commit)
    except FileNotFoundError:  # it is in place by now
        return None
    except UNREADABLE as error:
        raise LakeError(f"{record} is damaged: delete it and run the partition again") from error

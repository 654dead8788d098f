"""What is published: in place, or committed by a run that was killed before all of it was in place."""

import errno
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from resources.errors import LakeError, PartitionMissing
from resources.lake.publishing.claim import Claims
from resources.lake.publishing.commit import Commit, pending, pending_of
from resources.lake.publishing.manifest import FILE, NAME, Manifest

LOOKS, LOOK_SECONDS = 10, 0.05  # at a partition that is being put in place

T = TypeVar("T")


class Stamp(NamedTuple):
    """Who published a file."""

    generation: str
    run: str


class Opened(NamedTuple):
    """A partition's file and its manifest."""

    file: pa.NativeFile
    manifest: Manifest

    @property
    def stamp(self) -> Stamp:
        """Who published it."""
        return Stamp(str(self.manifest.generation), self.manifest.run)


def finish_forward(root: Path, table: str, folder: str) -> bool:
    """Put in place what is committed of a partition; False if a living process is about to do so."""
    with Claims(root, table, folder).locked_at_once() as is_ours:
        if is_ours:
            recover(root, table, folder)
        return is_ours


def recover(root: Path, table: str, folder: str) -> None:
    """Put in place what is committed of a partition, checked against its checksums; needs its lock."""
    if commit := pending_of(root, table, folder):
        commit.check(root)
        commit.finish(root)


def together(root: Path, folder: str, tables: Sequence[str]) -> list[Opened]:
    """Open tables of a partition that were published together; what is open stays as it is.

    A partition may be replaced between one look at it and the next, so there are several.
    """
    before: list[Stamp | None] = []
    for number in range(LOOKS):
        time.sleep(LOOK_SECONDS if number else 0)
        with ExitStack() as unless_kept:
            found = [_opened(root, table, folder, unless_kept) for table in tables]
            stamps = [one and one.stamp for one in found]
            opened = [one for one in found if one]
            if len(opened) == len(tables) and len(set(stamps)) == 1:
                unless_kept.pop_all()
                return opened
        if None not in stamps and stamps == before:
            raise PartitionMissing(
                f"{' and '.join(tables)} {folder} are of different runs: materialize {tables[0]} again"
            )
        before = stamps
    raise LakeError(f"{' or '.join(tables)} {folder} was published by half: run the partition again")


def _opened(root: Path, table: str, folder: str, unless_kept: ExitStack) -> Opened | None:
    """Open a table's file; None if it is not its manifest's: it is being replaced, or was by half."""
    commits = unfinished(root, table)
    with readable(root, table, folder):
        file = _at(root, commits, Path(table, folder, FILE), lambda path: pa.OSFile(str(path)))
        unless_kept.callback(file.close)
        footer = pq.read_schema(file).metadata or {}
    with suppress(FileNotFoundError):
        manifest = _at(root, commits, Path(table, folder, NAME), Manifest.read)
        opened = Opened(file, manifest)
        if opened.stamp == Stamp(*(footer.get(name, b"").decode() for name in (b"generation", b"run"))):
            return opened
    return None


def manifests(root: Path, table: str) -> list[Manifest]:
    """Give the manifests of all partitions of a table, in the order of their folders."""
    commits = unfinished(root, table)
    found = []
    for folder in ["", *sorted(path.name for path in (root / table).glob("*=*"))]:
        with suppress(FileNotFoundError):
            found.append(_at(root, commits, Path(table, folder, NAME), Manifest.read))
    return found


def manifest(root: Path, table: str, folder: str) -> Manifest | None:
    """Give the manifest of one partition of a table, None if there is none."""
    with suppress(FileNotFoundError):
        return _at(root, unfinished(root, table), Path(table, folder, NAME), Manifest.read)
    return None


def unfinished(root: Path, table: str) -> list[Commit]:
    """Give the commits of a table that are not yet in place, after trying to finish them.

    One that a living run is at, or that we may not write, is read where it stands aside.
    """
    return [commit for commit in pending(root) if commit.has(table) and not _finished(root, commit)]


def _finished(root: Path, commit: Commit) -> bool:
    try:
        return finish_forward(root, commit.table, commit.folder)
    except OSError:
        return False


def _at(root: Path, commits: Sequence[Commit], target: Path, read: Callable[[Path], T]) -> T:
    """Read a published file where it stands aside, or in place: it is moved from there to here only.

    One that is dropped is not there.
    """
    if any(str(target) in commit.drops for commit in commits):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(root / target))
    for source in [commit.source_of(str(target)) for commit in commits]:
        if source is not None:
            with suppress(FileNotFoundError):
                return read(root / source)
    return read(root / target)


@contextmanager
def readable(root: Path, table: str, folder: str) -> Iterator[None]:
    """Name what is read in the errors of reading."""
    try:
        yield
    except FileNotFoundError as error:
        raise PartitionMissing(
            f"{table} has no partition {folder or '(whole)'} in {root}: materialize {table} first"
        ) from error
    except (OSError, pa.ArrowInvalid) as error:
        number = error.errno if isinstance(error, OSError) else None
        reason = os.strerror(number) if number else type(error).__name__
        name = f"{table} {folder}".strip()
        raise LakeError(f"{name} in {root} cannot be read as Parquet ({reason})") from error

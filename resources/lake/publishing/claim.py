"""Who may publish a partition: the newest claim, checked and used under the partition's lock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from resources import lock
from resources.errors import LakeBusy, LakeError
from resources.lake.publishing.level import level_of
from resources.table_file import UNREADABLE, make_folder, replace, write_file

CLAIMS, FILE, LOCK = "_claims", "claim.json", ".lock"
WAIT_SECONDS = 60.0  # for another run's moves, which take milliseconds
LOOK_SECONDS = 0.02


class Claim(msgspec.Struct, frozen=True):
    """Who writes a partition: a later claim fences an earlier one out."""

    generation: int
    run: str


class Claims:
    """The claims of one partition of an asset, named by the asset's own table."""

    def __init__(self, root: Path, table: str, folder: str) -> None:
        self.name = f"{table} {folder}".strip()
        self._folder = root / CLAIMS / table / level_of(folder)

    @classmethod
    def of_all(cls, root: Path) -> Iterator[tuple[str, str, Self]]:
        """Give the claims of all partitions with their table and the partition's level."""
        for path in sorted((root / CLAIMS).glob("*/*")):
            found = cls(root, path.parent.name, path.name)
            found._folder = path
            yield path.parent.name, path.name, found

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the partition against all other runs; raise LakeBusy if one of them does not let go of it."""
        until = time.monotonic() + WAIT_SECONDS
        while (held := self._take_lock()) is None:
            if time.monotonic() > until:
                raise LakeBusy(self._busy(), after_seconds=WAIT_SECONDS)
            time.sleep(LOOK_SECONDS)
        with lock.released(held):
            yield

    @contextmanager
    def locked_at_once(self) -> Iterator[bool]:
        """Hold the partition if nobody else does, and say whether that is so."""
        held = self._take_lock()
        with lock.released(held):
            yield held is not None

    def _take_lock(self) -> int | None:
        make_folder(self._folder)
        return lock.take(self._folder / LOCK)

    def _busy(self) -> str:
        claim = self.newest()
        by = f" (claimed last by run {claim.run})" if claim else ""
        return (
            f"{self.name} is being published by another process{by}, which has held {self._folder / LOCK} "
            f"for {WAIT_SECONDS:.0f} seconds: end that process if it hangs, and run this again"
        )

    def newest(self) -> Claim | None:
        """Give the newest claim, None where there is none."""
        path = self._folder / FILE
        try:
            return msgspec.json.decode(path.read_bytes(), type=Claim)
        except FileNotFoundError:
            return None
        except UNREADABLE as error:
            raise LakeError(f"{path} is damaged: delete it and run the partition again") from error

    def add(self, run: str, *, above: int) -> Claim:
        """Claim the partition, with a generation above all before and `above`; needs the lock."""
        newest = self.newest()
        claim = Claim(generation=max(newest.generation if newest else 0, above) + 1, run=run)
        staged = write_file(self._folder / f"{FILE}.part", msgspec.json.encode(claim))
        replace(staged, self._folder / FILE)
        return claim

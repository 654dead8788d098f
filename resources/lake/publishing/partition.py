"""A partition being written: aside, verified, then published whole; or nothing of it at all."""

import errno
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import pyarrow as pa

from resources.errors import Fenced, LakeError
from resources.lake.publishing.aside import STAGING, remove_dead
from resources.lake.publishing.claim import Claims
from resources.lake.publishing.commit import COMMITS, Commit
from resources.lake.publishing.manifest import FILE, NAME, Manifest
from resources.lake.publishing.published import recover
from resources.lake.publishing.unpublished import Unpublished
from resources.table_file import lake_errors, make_folder

NOTHING: Mapping[str, Manifest] = MappingProxyType({})


class PartitionWriter:
    """Writes the tables of one partition, in a `with`: published at its end, discarded on any error.

    When the `with` is entered the partition is claimed, and a lake that cannot be written is found; the files
    are opened with the first rows. `table` is the asset's own, if it is not the first; `replacing` are the
    manifests of published tables that are written again without some of their rows.
    """

    def __init__(
        self,
        root: Path,
        folder: str,
        schemas: Mapping[str, pa.Schema],
        *,
        run: str,
        footer: Mapping[str, str],
        is_cancelled: Callable[[], bool],
        table: str | None = None,
        replacing: Mapping[str, Manifest] = NOTHING,
    ) -> None:
        self.folder = folder
        self.manifests: dict[str, Manifest] = {}
        self._root = root
        self._schemas = schemas
        self._run = run
        self._footer = footer
        self._is_cancelled = is_cancelled
        self._replacing = replacing
        self._table = table or next(iter(schemas))
        self._claims = Claims(root, self._table, folder)
        self._files: Unpublished | None = None

    def __enter__(self) -> Self:
        """Finish what an earlier run has committed, claim the partition, remove what dead runs have left."""
        with lake_errors(self._root):
            for name in self._schemas:
                _require_writable(self._root, name, self.folder)
            with self._claims.locked():
                recover(self._root, self._table, self.folder)
                self._claim = self._claims.add(self._run, above=self._published_generation())
        with suppress(OSError):  # that is no reason to write nothing
            remove_dead(self._root, self._table)
        return self

    def require_claim(self) -> None:
        """Raise Fenced if another run has claimed the partition since, or this one was cancelled."""
        self.require_newest()
        if self._is_cancelled():
            raise Fenced(f"this run was cancelled or has failed: it publishes nothing of {self._claims.name}")

    def require_newest(self) -> None:
        """Raise Fenced if another run has claimed the partition since."""
        newest = self._claims.newest()
        if newest != self._claim:
            by = f"run {newest.run}" if newest else "somebody who deleted the claims"
            raise Fenced(f"{self._claims.name} is claimed by {by} since: this run publishes nothing of it")

    def write(self, tables: Mapping[str, pa.Table]) -> None:
        """Add rows to tables by name."""
        with lake_errors(self._root):
            self._open_files().write(tables)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Publish, or leave no trace."""
        try:
            if error is None:
                with lake_errors(self._root):
                    self._publish(self._open_files())
        finally:
            if self._files:
                self._files.discard()

    def _open_files(self) -> Unpublished:
        if self._files is None:
            self._files = Unpublished(
                self._root,
                self.folder,
                self._schemas,
                table=self._table,
                claim=self._claim,
                footer=self._footer,
                replacing=self._replacing,
            )
        return self._files

    def _publish(self, files: Unpublished) -> None:
        """Verify all tables aside; then, while nobody else can claim the partition, commit and move them."""
        commit = files.verified()
        with self._claims.locked():
            self.require_claim()
            commit.put(self._root, files.aside.path)
            self._put_in_place(commit)
        self.manifests = files.manifests

    def _put_in_place(self, commit: Commit) -> None:
        try:
            commit.finish(self._root)
        except OSError as error:
            raise LakeError(
                f"{self._claims.name} is published, but not all of it could be put in place "
                f"({error.strerror}): mend that. The next run of it, or targetdata gc, does the rest"
            ) from error

    def _published_generation(self) -> int:
        """Give the highest generation that is published of the tables; a damaged manifest is replaced."""
        found = [0]
        for name in self._schemas:
            with suppress(FileNotFoundError, LakeError):
                found.append(Manifest.read(self._root / name / self.folder / NAME).generation)
        return max(found)


def _require_writable(root: Path, name: str, folder: str) -> None:
    """Make the table's folder, and look at the partition's, which is made when it is published."""
    table, target = root / name, root / name / folder
    for path in (table, root / STAGING, root / COMMITS):
        make_folder(path)
    if (target.exists() and not target.is_dir()) or (target / FILE).is_dir() or (target / NAME).is_dir():
        raise FileExistsError(errno.EEXIST, f"{target.relative_to(root)} is in the way")
    for path in (root / STAGING, root / COMMITS, table, target):
        if path.exists() and not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        if path.exists() and path.stat().st_dev != root.stat().st_dev:
            raise OSError(errno.EXDEV, f"{path.relative_to(root)} is on another disk than the lake")

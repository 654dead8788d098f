"""A partition being written: aside, verified, then published whole; or nothing of it at all."""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import pyarrow as pa

from resources.errors import AccountingError, LakeError
from resources.lake.manifest import NAME, Manifest, column_types
from resources.lake.table_file import BUFFER_BYTES, FileFacts, TableFile, replace, write_file

FILE = "part-00000.parquet"
STAGING, CLAIMS = "_staging", "_claims"


class Claim(msgspec.Struct, frozen=True):
    """Who writes a partition: a later claim fences an earlier one out."""

    generation: int
    run: str


class PartitionWriter:
    """Writes the tables of one partition, in a `with`: published at its end, discarded on any error.

    The lake is touched when the `with` is entered, so that one that cannot be written is found first.
    """

    def __init__(
        self,
        root: Path,
        folder: str,
        schemas: Mapping[str, pa.Schema],
        *,
        run: str,
        footer: Mapping[str, str],
        buffer_bytes: int = BUFFER_BYTES,
    ) -> None:
        self.folder = folder
        self.manifests: dict[str, Manifest] = {}
        self._root = root
        self._schemas = schemas
        self._run = run
        self._footer = footer
        self._buffer_bytes = buffer_bytes
        self._first = next(iter(schemas))  # the asset's own table
        self._level = folder or "all"
        self._claim_file = root / CLAIMS / self._first / self._level / "claim.json"
        self._files: dict[str, TableFile] = {}

    def __enter__(self) -> Self:
        """Claim the partition and open its files aside, and make sure that they can be put in place."""
        with lake_errors(self._root):
            self._claim = self._take_claim()
            staging = f"{self._first}-{self._claim.generation}-{self._run}"
            self._aside = self._root / STAGING / staging / self._level
            self._aside.mkdir(parents=True, exist_ok=True)
            try:
                self._open_files()
            except BaseException:
                self._discard()
                raise
        return self

    def _open_files(self) -> None:
        footer = {**self._footer, "generation": str(self._claim.generation), "run": self._run}
        for name, schema in self._schemas.items():
            _require_writable(self._root / name, self.folder)
            self._files[name] = TableFile(
                self._aside / f"{name}.parquet", schema, footer, buffer_bytes=self._buffer_bytes
            )

    def write(self, tables: Mapping[str, pa.Table]) -> None:
        """Add rows to tables by name."""
        with lake_errors(self._root):
            for name, table in tables.items():
                self._files[name].write(table)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Publish, or leave no trace."""
        try:
            if error is None:
                with lake_errors(self._root):
                    self._publish()
                    self._discard_abandoned()
        finally:
            self._discard()

    def _discard(self) -> None:
        for file in self._files.values():
            file.discard()
        _remove(self._aside)

    def _discard_abandoned(self) -> None:
        """Remove what runs that were killed have left aside of this partition; they are fenced out."""
        for folder in (self._root / STAGING).glob(f"{self._first}-*"):
            match = re.fullmatch(rf"{re.escape(self._first)}-(\d+)-.*", folder.name)
            if match and int(match[1]) < self._claim.generation and (folder / self._level).is_dir():
                _remove(folder / self._level)

    def _publish(self) -> None:
        """Verify all tables and write their manifests aside; then put all in place, the asset's own last."""
        self.require_claim()
        moves: list[tuple[Path, Path]] = []
        for name, file in reversed(self._files.items()):
            file.close()
            self.manifests[name] = self._manifest(name, file.verify())
            target = self._root / name / self.folder
            target.mkdir(parents=True, exist_ok=True)
            moves += [(file.path, target / FILE), (self.manifests[name].stage(self._aside), target / NAME)]
        self.require_claim()
        for source, target in moves:
            replace(source, target)

    def require_claim(self) -> None:
        """Refuse to go on where another run has claimed the partition since."""
        if self._read_claim() != self._claim:
            raise AccountingError(
                f"another run has claimed {self.folder or 'the table'} since; this one publishes nothing"
            )

    def _manifest(self, name: str, facts: FileFacts) -> Manifest:
        return Manifest(
            table=name,
            partition=self.folder,
            file=FILE,
            rows=facts.rows,
            bytes=facts.bytes,
            sha256=facts.sha256,
            columns=column_types(self._schemas[name]),
            run=self._run,
            generation=self._claim.generation,
            observed_at=datetime.now(UTC),
        )

    def _take_claim(self) -> Claim:
        earlier = self._read_claim()
        claim = Claim(generation=earlier.generation + 1 if earlier else 1, run=self._run)
        self._claim_file.parent.mkdir(parents=True, exist_ok=True)
        staged = self._claim_file.with_suffix(f".{self._run}")
        replace(write_file(staged, msgspec.json.encode(claim)), self._claim_file)
        return claim

    def _read_claim(self) -> Claim | None:
        try:
            return msgspec.json.decode(self._claim_file.read_bytes(), type=Claim)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise LakeError(
                f"{self._claim_file} is damaged: delete it and run the partition again"
            ) from error


def _remove(partition: Path) -> None:
    """Remove what is aside of one partition; the run's folder stays while it holds another."""
    shutil.rmtree(partition, ignore_errors=True)
    with suppress(OSError):
        partition.parent.rmdir()


def _require_writable(table: Path, folder: str) -> None:
    """Make the table's folder, and look at the partition's, which is made when it is published."""
    table.mkdir(parents=True, exist_ok=True)
    target = table / folder
    if (target.exists() and not target.is_dir()) or (target / FILE).is_dir() or (target / NAME).is_dir():
        raise FileExistsError(errno.EEXIST, f"{target.relative_to(table.parent)} is in the way")
    if not all(os.access(path, os.W_OK | os.X_OK) for path in (table, target) if path.exists()):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(table))


@contextmanager
def lake_errors(root: Path) -> Iterator[None]:
    """Give the file system's errors their name."""
    try:
        yield
    except OSError as error:
        raise LakeError(
            f"the lake {root} cannot be written: {error.strerror or type(error).__name__}. Choose another "
            "place (TARGETDATA_LAKE) or mend its permissions or space"
        ) from error

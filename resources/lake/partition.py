"""A partition being written: aside, verified, then published whole; or nothing of it at all."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import pyarrow as pa

from resources.errors import AccountingError, LakeError
from resources.lake.manifest import Manifest, column_types
from resources.lake.table_file import FileFacts, TableFile, replace

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
    ) -> None:
        self.folder = folder
        self.manifests: dict[str, Manifest] = {}
        self._root = root
        self._schemas = schemas
        self._run = run
        self._footer = footer
        self._claim_file = root / CLAIMS / next(iter(schemas)) / (folder or "all") / "claim.json"
        self._files: dict[str, TableFile] = {}

    def __enter__(self) -> Self:
        """Claim the partition and open its files aside."""
        with lake_errors(self._root):
            self._claim = self._take_claim()
            self._aside = (
                self._root / STAGING / f"{next(iter(self._schemas))}-{self._claim.generation}-{self._run}"
            )
            self._aside = self._aside / (self.folder or "all")
            self._aside.mkdir(parents=True, exist_ok=True)
            footer = {**self._footer, "generation": str(self._claim.generation), "run": self._run}
            for name, schema in self._schemas.items():
                self._files[name] = TableFile(self._aside / f"{name}.parquet", schema, footer)
        return self

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
        finally:
            for file in self._files.values():
                file.discard()
            shutil.rmtree(self._aside.parent, ignore_errors=True)

    def _publish(self) -> None:
        """Verify all tables first, then put each in place in one step, its manifest after it."""
        facts: dict[str, FileFacts] = {}
        for name, file in self._files.items():
            file.close()
            facts[name] = file.verify()
        if self._read_claim() != self._claim:
            raise AccountingError(
                f"another run has claimed {self.folder or 'the table'} since; this one publishes nothing"
            )
        for name, file in self._files.items():
            target = self._root / name / self.folder
            replace(file.path, target / FILE)
            self.manifests[name] = self._manifest(name, facts[name])
            self.manifests[name].write(target, aside=self._aside)

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
        staged.write_bytes(msgspec.json.encode(claim))
        replace(staged, self._claim_file)
        return claim

    def _read_claim(self) -> Claim | None:
        try:
            return msgspec.json.decode(self._claim_file.read_bytes(), type=Claim)
        except FileNotFoundError:
            return None


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

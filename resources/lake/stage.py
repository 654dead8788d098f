"""The stage of an extraction: slices that outlive a run, for the next one to go on with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import msgspec
import pyarrow as pa

from resources.errors import AccountingError
from resources.lake.publishing.aside import STAGING, Aside
from resources.lake.slices import Slice, SliceFile, filtered, write_table
from resources.table_file import UNREADABLE, lake_errors, write_file

RESUMABLE = timedelta(days=1)  # older slices show a state that is too long ago
FORMAT_VERSION = 1
STARTED = "stage.json"


class Started(msgspec.Struct, frozen=True):
    """When a stage was begun."""

    at: datetime
    format_version: int = FORMAT_VERSION


class Stage:
    """The slices of one extraction, held by one process: `_staging/<table>/<digest>.<number>/`.

    `tables` are the schemas of an extract's tables. Another process that extracts the same meanwhile has a
    stage of its own.
    """

    def __init__(self, root: Path, tables: Mapping[str, pa.Schema], aside: Aside) -> None:
        self.slices: list[Slice] = []
        self.folder = aside.path
        self._root = root
        self._tables = tables
        self._aside = aside
        self._number = 0

    @classmethod
    def open(cls, root: Path, tables: Mapping[str, pa.Schema], digest: str) -> Self:
        """Take over what an extraction with this digest has left within a day, or begin a new stage."""
        table = next(iter(tables))
        with lake_errors(root):
            left = sorted((root / STAGING / table).glob(f"{digest}.*"))
            found = [cls(root, tables, aside) for aside in map(Aside.adopt, left) if aside]
            for stage in found:
                stage._load()
            best = max(found, key=lambda stage: len(stage.slices), default=None)
            for stage in found:
                if stage is not best:
                    stage.release()
            return best if best and best.slices else cls._new(root, tables, table, digest, best)

    @classmethod
    def _new(
        cls, root: Path, tables: Mapping[str, pa.Schema], table: str, digest: str, empty: Self | None
    ) -> Self:
        if empty:
            empty.remove()
        number = 0
        while True:
            try:
                aside = Aside.make(root, table, f"{digest}.{number}")
            except FileExistsError:
                number += 1
            else:
                break
        begun = cls(root, tables, aside)
        begun._begin()
        return begun

    def _begin(self) -> None:
        write_file(self.folder / STARTED, msgspec.json.encode(Started(datetime.now(UTC))))

    def _load(self) -> None:
        """Read the slices up to the first that is damaged, if they are not too old."""
        try:
            started = msgspec.json.decode((self.folder / STARTED).read_bytes(), type=Started)
        except (FileNotFoundError, *UNREADABLE):
            return
        if abs(datetime.now(UTC) - started.at) > RESUMABLE or started.format_version != FORMAT_VERSION:
            return
        while found := Slice.read(self._index(self._number)):
            self.slices.append(found)
            self._number += 1
        self._forget_others()

    def _forget_others(self) -> None:
        """Remove what lies behind a damaged slice: its numbers are given anew."""
        for index in self.folder.glob("slice-*.json"):
            if index not in map(self._index, range(self._number)):
                index.unlink()
        named = {file.file for found in self.slices for file in found.tables.values()}
        for path in self.folder.glob("*.arrow"):
            if path.name not in named:
                path.unlink()

    def _index(self, number: int) -> Path:
        return self.folder / f"slice-{number:05}.json"

    def append(
        self,
        rows: Mapping[str, Mapping[str, Sequence[pa.Table]]],
        figures: Mapping[str, object],
        reached: bytes | None,
    ) -> None:
        """Add a slice: rows by table and group, what was counted of each group, and how to go on."""
        with lake_errors(self._root):
            files = {
                table: write_table(
                    self.folder / f"{self._number:05}-{table}.arrow", schema, rows.get(table, {})
                )
                for table, schema in self._tables.items()
            }
            raw = {group: msgspec.Raw(msgspec.json.encode(said)) for group, said in figures.items()}
            self._put(self._number, Slice(files, raw, reached.decode() if reached else None))
            self._number += 1

    def _put(self, number: int, new: Slice) -> None:
        new.write(self._index(number))
        self.slices[number : number + 1] = [new]

    def keep_only(
        self,
        number: int,
        table: str,
        keep: Callable[[pa.Table], pa.Table],
        figures: Mapping[str, object],
    ) -> None:
        """Leave rows of a slice's table out, and count its groups anew."""
        old = self.slices[number]
        with lake_errors(self._root):
            file: SliceFile = filtered(old, self.folder, table, self._tables[table], keep)
            raw = {group: msgspec.Raw(msgspec.json.encode(said)) for group, said in figures.items()}
            self._put(number, Slice({**old.tables, table: file}, raw, old.reached))
            (self.folder / old.tables[table].file).unlink(missing_ok=True)

    def verify(self) -> None:
        """Read all slices once more; raises AccountingError where one is not what was written."""
        for number in range(self._number):
            if Slice.read(self._index(number)) != self.slices[number]:
                raise AccountingError(
                    f"slice {number} of {self.folder} is not what was written; nothing is published and all "
                    "slices are dropped. Look whether the disk is sound, and run it again"
                )

    def rows(self, table: str, group: str | None = None) -> Iterator[tuple[str, pa.Table]]:
        """Give a table's rows with their group, slice by slice; those of one group where it is named."""
        for found in self.slices:
            yield from found.batches(self.folder, table, group)

    def clear(self) -> None:
        """Remove all slices; the stage goes on without them."""
        with lake_errors(self._root):
            for number in reversed(range(self._number)):  # an index before the files that it names
                self._index(number).unlink(missing_ok=True)
            for file in self.folder.glob("*.arrow"):
                file.unlink(missing_ok=True)
            self._begin()
        self.slices, self._number = [], 0

    def release(self) -> None:
        """Leave the stage to whoever extracts the same next."""
        self._aside.release()

    def remove(self) -> None:
        """Remove the stage: what it holds is published."""
        self._aside.remove()

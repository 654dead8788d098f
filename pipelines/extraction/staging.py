"""Pages of a run while they come in: staged in slices, so that the run after a killed one goes on."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.extraction.open_slice import OpenSlice
from pipelines.extraction.sums import Figures, Sums
from pipelines.privacy import suppression_of
from resources.errors import AccountingError, ConfigurationError, ErasedMeanwhile, ExtractionError
from resources.graphql.page import Page
from resources.graphql.plan import Keyed
from resources.graphql.query import Query
from resources.graphql.tables import LOOKUPS
from resources.lake.publishing.level import level_of
from resources.lake.stage import Stage
from resources.privacy import Screen
from resources.table_file import lake_errors


class Staging:
    """Gathers pages into slices, and sums them up by group of keys: by partition, in a run of several.

    It is the `Resume` of `pages`. Without that, the stage is this run's own and nothing goes on with it.
    `partitions` are those of the run, which nothing of others is mixed with. Each of `fences` raises where
    another run has taken over, or this one was cancelled; each of `claims` for the first reason only. Pages
    pass the `screen` before they are staged.
    """

    def __init__(
        self,
        root: Path,
        query: Query,
        groups: Collection[str],
        *,
        run: str,
        partitions: Collection[str],
        screen: Screen | None = None,
    ) -> None:
        self.fences: list[Callable[[], object]] = []
        self.claims: list[Callable[[], object]] = []
        self.sums = Sums(groups)
        self._root = root
        self._query = query
        self._run = run
        self._partitions = partitions
        self._screen = screen
        self._stage: Stage | None = None
        self._is_resumed = False
        self._has_failed_file = False
        self._open = OpenSlice()
        self._slices = 0  # those before the open one

    # The Resume of `pages`.

    def begin(self, digest: str) -> None:
        """Find what an extraction with the same digest has left; failed keys of it are asked again."""
        if self._stage:
            raise ConfigurationError(
                f"{self._query.name}: resume= is for one call of pages() a partition: leave it out, or let "
                "each have a partition of its own"
            )
        screened = self._screen.digest if self._screen else ""
        named = hashlib.sha256(f"{digest} {sorted(self._partitions)}{screened}".encode()).hexdigest()[:32]
        self._stage = Stage.open(self._root, self._query.tables, named)
        self._is_resumed, self._slices = True, len(self._stage.slices)
        for number, found in enumerate(self._stage.slices):
            figures = {group: msgspec.json.decode(raw, type=Figures) for group, raw in found.figures.items()}
            if any(said.failures for said in figures.values()):
                self._forget_failed(self._stage, number, figures)
            for group, said in figures.items():
                if isinstance(self._query.plan, Keyed):
                    said.forget_suppressed()
                self.sums.add_staged(group, said)

    def _forget_failed(self, stage: Stage, number: int, figures: Mapping[str, Figures]) -> None:
        for said in figures.values():
            said.forget_failed()
        stage.keep_only(number, self._query.name + LOOKUPS, _not_failed, figures)

    def staged(self, table: str) -> Iterator[tuple[str, pa.Table]]:
        """Give the rows that are staged, by group."""
        return self._held.rows(table)

    @property
    def reached(self) -> bytes | None:
        """Give how far a list was read."""
        last = self._held.slices[-1].reached if self._held.slices else None
        return last.encode() if last else None

    def restart(self) -> None:
        """Forget what is staged."""
        self._held.clear()
        self._slices = 0
        self.sums = Sums(self.sums.tallies)

    # What comes in.

    def left(self, keys: pa.Table, group: str) -> object:
        """Leave out the keys of people who were erased, and count them."""
        if self._screen is None:
            return keys
        left, number = self._screen.left(keys)
        self.sums.tallies[group].withhold(number)
        return left

    def add(self, page: Page, group: str) -> None:
        """Take in a page; a slice is staged when it has enough, and no key is cut in two."""
        if self._screen:
            page = self._screen.page(page)
        self.sums.add(page, self._query, group)
        self._open.add(page, group)
        if page.is_last_of_keys and self._open.is_full:
            self.flush()

    @property
    def footer(self) -> dict[str, str]:
        """Give what the files say of privacy."""
        return {"privacy": self._screen.says} if self._screen and self._screen.says else {}

    def require_current(self) -> None:
        """Raise where people were put on the suppression list since the run began."""
        if self._screen:
            self._screen.require_current(suppression_of(self._root))

    def flush(self) -> None:
        """Stage what has come in since the last slice, unless another run has taken over.

        An erasure takes over too; the list tells, and then the run may begin again by itself.
        """
        self.require_current()
        _require_one(self.fences)
        self._append()

    def _append(self) -> None:
        """Stage the open slice; an interrupt meanwhile neither loses it nor stages it twice."""
        if not self._open.whole:
            return
        if len(self._held.slices) == self._slices:
            self._held.append(*self._open.gathered(self._query))
        self._open, self._slices = OpenSlice(), len(self._held.slices)

    def leave(self, error: BaseException) -> None:
        """Keep what the next run can go on with, unless it does not add up; `error` is what ends this one."""
        if self._is_resumed:
            with suppress(ExtractionError):
                _require_one(self.claims)  # who has taken over may have erased what is not yet staged
                self._append()
        if self._stage is None:
            return
        if isinstance(error, AccountingError | ErasedMeanwhile):
            self._stage.remove()
            return
        goes_on = self._is_resumed and (isinstance(self._query.plan, Keyed) or self.reached is not None)
        if self._has_failed_file or (goes_on and self._stage.slices):
            self._stage.release()
        else:
            self._stage.remove()

    # What goes out.

    def complete(self) -> None:
        """Stage the last slice, and read all of them once more."""
        if self._open.is_cut:
            raise AccountingError(
                f"{self._query.name}: the loop over pages() was left in the middle of some keys, which other "
                "partitions have too: write every page"
            )
        self.flush()
        self._held.verify()

    def tables(self, group: str) -> Iterator[tuple[str, pa.Table]]:
        """Give the rows of a group with their table's name, slice by slice."""
        for name in self._query.tables:
            for _, rows in self._held.rows(name, group):
                yield name, rows

    def write_failed(self, group: str, folder: str) -> Path:
        """Write the lookups of a group that failed to a file beside the slices."""
        path = self._held.folder / f"failed-{level_of(folder)}.parquet"
        name = self._query.name + LOOKUPS
        with lake_errors(self._root), pq.ParquetWriter(path, self._query.tables[name]) as writer:
            for _, rows in self._held.rows(name, group):
                writer.write_table(rows.filter(pc.equal(rows["status"], "failed")))
        self._has_failed_file = True
        return path

    def remove(self) -> None:
        """Remove what is staged: it is published."""
        with lake_errors(self._root):
            self._held.remove()

    @property
    def _held(self) -> Stage:
        if self._stage is None:
            self._stage = Stage.open(self._root, self._query.tables, f"run-{self._run}-{uuid4().hex}")
        return self._stage


def _require_one(fences: Sequence[Callable[[], object]]) -> None:
    """Go on while one partition is still this run's to publish."""
    fenced: ExtractionError | None = None
    for require in fences:
        try:
            require()
        except ExtractionError as error:
            fenced = error
        else:
            return
    if fenced:
        raise fenced


def _not_failed(lookups: pa.Table) -> pa.Table:
    return lookups.filter(pc.not_equal(lookups["status"], "failed"))

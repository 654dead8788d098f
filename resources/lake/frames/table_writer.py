"""An asset's frames into its table: one schema for all partitions, each published whole."""

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from resources.errors import LakeError
from resources.lake.columns_policy import newest_but
from resources.lake.frames.casting import cast, derived, storable
from resources.lake.frames.kinds import table_from
from resources.lake.place import Place
from resources.lake.publishing.manifest import Manifest
from resources.lake.resource import Lake

SLICE_ROWS = 50_000  # handed to the file at once, which makes its row groups of them


class TableWriter:
    """Publishes the partitions of a run.

    The table's schema is the declared one; else that of the newest partition that this run leaves as it
    is; else the first frame's own. Frames are cast to it exactly or refused. The policy for changed columns
    (`columns_policy`) guards what follows from an API's schema; a declaration is a person's own word, and is
    followed: who adds a name to TARGETDATA_WIDE_ATTRIBUTES wants the column from then on.
    """

    def __init__(
        self,
        lake: Lake,
        table: str,
        places: Sequence[Place],
        *,
        declared: pa.Schema | None = None,
        run: str,
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._lake = lake
        self._table = table
        self._run = run
        self._is_cancelled = is_cancelled
        known = storable(declared, table) if declared else self._newest(places)
        own = {place.column[0].name for place in places if place.column}
        self.schema = known and pa.schema([field for field in known if field.name not in own])

    def _newest(self, places: Sequence[Place]) -> pa.Schema | None:
        """Give the schema of the newest partition but for those that are to be replaced."""
        newest = newest_but(self._lake, self._table, {place.folder for place in places})
        if newest is None:
            return None
        with self._lake.open(self._table, newest.partition) as file:
            return pq.read_schema(file).remove_metadata()

    def publish(self, frame: object, place: Place) -> tuple[Manifest, pa.Schema]:
        """Publish a frame as a partition; give its manifest and the table's schema."""
        table = self._without_place(table_from(frame, self._table), place)
        if self.schema is None:
            self.schema = derived(table.schema, self._table)
        rows = cast(table, self.schema, self._table)
        with self._lake.write(
            place.folder, {self._table: self.schema}, run=self._run, is_cancelled=self._is_cancelled
        ) as writer:
            for start in range(0, rows.num_rows, SLICE_ROWS):
                writer.write({self._table: rows.slice(start, SLICE_ROWS)})
        return writer.manifests[self._table], self.schema

    def _without_place(self, table: pa.Table, place: Place) -> pa.Table:
        """Leave out the partition's own column, which the folder stands for; it must say the same."""
        if place.column is None or place.column[0].name not in table.column_names:
            return table
        field, value = place.column
        column = table[field.name]
        if column.null_count or any(found.as_py() != value.as_py() for found in column.unique()):
            raise LakeError(
                f"{self._table}.{field.name} is not {value} everywhere, and {field.name} is the "
                "partition's own column: give the frame's another name"
            )
        return table.drop_columns([field.name])

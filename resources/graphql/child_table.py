"""A child table: the lists of a column as a row for each element, made by Arrow without an object per row."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from resources.graphql.tables import FETCHED_AT

POSITION = "position"  # of an element in its list, from 0
VALUE = "value"  # what an element is that is no object
ROWS_AT_ONCE = 65_536  # of the parent; so no array gets longer than Arrow's offsets reach

Path = tuple[str, ...]  # columns, from the table down to a list


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildTable:
    """The table of a list, which is in the column `path[-1]` of the table `parent`.

    `keys` are its columns that name the parent's row, each with the parent's own. After them come `position`,
    then the element's fields, or `value` where it is no object, then `fetched_at`.
    """

    name: str
    parent: str
    path: Path
    keys: Mapping[str, str]
    schema: pa.Schema

    def rows(self, parents: pa.Table) -> pa.Table:
        """Give a row for each element of the parents' lists, in their order.

        A list that is null has as few rows as an empty one; an element that is null is a row of nulls.
        """
        taken = parents.select([*self.keys.values(), self.path[-1], FETCHED_AT.name])
        batches = taken.to_batches(max_chunksize=ROWS_AT_ONCE)
        return pa.Table.from_batches([self._batch(batch) for batch in batches], self.schema)

    def _batch(self, parents: pa.RecordBatch) -> pa.RecordBatch:
        lists = parents.column(self.path[-1])
        places, positions = _places(lists)
        keys = [parents.column(name).take(places) for name in self.keys.values()]
        fetched_at = parents.column(FETCHED_AT.name).take(places)
        arrays = [*keys, positions, *_fields(lists.flatten()), fetched_at]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def _places(lists: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Give the row and the position of each element, whatever may lie under a list that is null."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    starts = pa.concat_arrays([pa.array([0], lengths.type), pc.cumulative_sum(lengths)])
    number = starts[-1].as_py()
    places = pc.list_parent_indices(pa.ListArray.from_arrays(starts, pa.nulls(number)))
    return places, pc.subtract(pa.array(np.arange(number)), starts.take(places))


def _fields(items: pa.Array) -> list[pa.Array]:
    """Give the fields of objects, all null where one is; anything else as it is."""
    return items.flatten() if pt.is_struct(items.type) else [items]

"""Distinct rows of a stream of Arrow columns."""

from collections.abc import Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from resources.graphql.texts import digest
from resources.key_files.columns import Columns
from resources.key_files.keys import FeedKeys

FOLD_ROWS = 1 << 18  # so many new rows, or as many as there are distinct ones, before they are made distinct


class Distinct:
    """Collects rows of text columns; memory grows with the distinct ones."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._table = columns.schema.empty_table()
        self._new: list[pa.Table] = []
        self._new_rows = 0
        self._events = 0
        self._null_keys = 0

    def add(self, texts: Sequence[pa.Array]) -> None:
        """Add rows as columns; those without a key are counted."""
        table = pa.Table.from_arrays(list(texts), schema=self._columns.schema)
        both = pc.and_ if self._columns.require == "all" else pc.or_
        kept = table.filter(reduce(both, [pc.is_valid(column) for column in table.columns]))
        self._events += table.num_rows
        self._null_keys += table.num_rows - kept.num_rows
        self._new.append(kept)
        self._new_rows += kept.num_rows
        if self._new_rows >= max(FOLD_ROWS, self._table.num_rows):
            self._fold()

    def keys(self) -> FeedKeys:
        """Give the distinct rows, sorted, and the counts."""
        self._fold()
        table = self._table.sort_by([(name, "ascending") for name in self._table.column_names])
        return FeedKeys(
            keys=table,
            events=self._events,
            null_keys=self._null_keys,
            duplicate_keys=self._events - self._null_keys - table.num_rows,
            version=digest(table),
        )

    def _fold(self) -> None:
        table = pa.concat_tables([self._table, *self._new])
        names = list(self._columns.sources)
        self._table = table.group_by(names).aggregate([]).select(names)
        self._new, self._new_rows = [], 0

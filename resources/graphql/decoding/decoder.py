"""Rows in, an Arrow table out: by the fast decoder where it can tell, else by the exact one."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from resources.graphql.columns import Column
from resources.graphql.decoding import arrow
from resources.graphql.decoding.lines import Lines
from resources.graphql.raw import UNDECODABLE, RawRow

MISSES = 3  # pages in a row that the fast decoder left to the exact one: such values are not for it


class Decoder:
    """Decodes pages of rows of one query; the table does not tell which decoder has made it."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._columns = columns
        self._lines = Lines.of(columns)
        self._misses = 0

    def table(self, rows: Sequence[Mapping[str, object]]) -> pa.Table:
        """Decode rows, or raise Misfit."""
        raw = [row for row in rows if isinstance(row, RawRow)]
        if self._lines and raw and len(raw) == len(rows):
            table = self._lines.table(raw)
            if table is not None:
                self._misses = 0
                return table
            self._misses += 1
            if self._misses == MISSES:
                self._lines = None
        return arrow.table([_whole(row, index) for index, row in enumerate(rows)], self._columns)


def _whole(row: Mapping[str, object], index: int) -> Mapping[str, object]:
    if not isinstance(row, RawRow):
        return row
    try:
        return row.whole()
    except UNDECODABLE:
        raise arrow.Misfit(index, "", "it has a number that is beyond all that can be kept") from None

"""Partitions whose rows say how many they are, so that any reader can tell whether it sees a whole one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from resources.warehouse.flat import flat_tables
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.stamps import STAMPS
from tests.warehouse.warehouse_targets import DAY, Target, load

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection

SCHEMA = pa.schema([("place", pa.int64()), ("of", pa.int64())])
BATCH_ROWS = 20_000
(NUMBERS,) = [LoadedTable(table, pa.field("date", pa.date32())) for table in flat_tables("numbers", SCHEMA)]
(OTHERS,) = [LoadedTable(table, pa.field("date", pa.date32())) for table in flat_tables("others", SCHEMA)]
WHOLE = 'SELECT count(*), min("of"), max("of"), sum(place) FROM {}'


def batches(number: int, *, at_once: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """Give so many rows, in several batches where they are many."""
    for start in range(0, number, at_once):
        places = range(start, min(start + at_once, number))
        yield pa.RecordBatch.from_pydict({"place": places, "of": [number] * len(places)}, schema=SCHEMA)


def load_number(target: Target, number: int, *, generation: int = 1, run: str = "run-1") -> None:
    """Load a partition of so many rows."""
    load(target, [NUMBERS], [batches(number)], partition=DAY, generation=generation, rows=number, run=run)


def number_of(row: tuple[int | None, ...]) -> int:
    """Give how many rows the partition has; fails where what is seen is not all of one load."""
    rows, least, most, places = (int(value or 0) for value in row)
    assert least == most == rows, row
    assert places == rows * (rows - 1) // 2, row
    return rows


def look(connection: "Connection") -> int:
    """Give how many rows an open connection sees, which are whole and as many as the stamp says."""
    stamped = f"SELECT max(row_count) FROM {STAMPS} WHERE table_name = 'numbers'"
    with connection.cursor() as cursor:
        cursor.execute(WHOLE.format("numbers").replace(" FROM", f", ({stamped}) FROM"))
        ((*row, rows),) = cursor.fetchall()
    assert number_of(tuple(row)) == rows, (row, rows)
    return int(rows)


def loaded_number(target: Target, table: str = "numbers") -> int:
    (row,) = target.rows(WHOLE.format(table))
    return number_of(row)

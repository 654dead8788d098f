"""Many partitions of a lake, and what loads them as a run does, without Dagster."""

from contextlib import ExitStack
from datetime import date, timedelta

import pyarrow as pa

from resources.lake import Lake
from resources.warehouse.flat import flat_tables
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.loading import Partition
from resources.warehouse.stamps import Generation
from tests.warehouse.warehouse_line import MAIN, SCHEMA, people
from tests.warehouse.warehouse_targets import Target

TABLES = [LoadedTable(table, pa.field("date", pa.date32())) for table in flat_tables(MAIN, SCHEMA, ["id"])]
FIRST_DAY = date(2026, 1, 1)


def published(lake: Lake, days: int) -> list[date]:
    """Publish so many days, of a size of their own each; give them."""
    found = [FIRST_DAY + timedelta(days=number) for number in range(days)]
    for number, day in enumerate(found):
        with lake.write(f"date={day}", {MAIN: SCHEMA}, run="extract") as writer:
            writer.write({MAIN: people(*(f"{number}-{row}" for row in range(number % 5)), n=number)})
    return found


def load_day(target: Target, lake: Lake, day: date, *, run: str = "run-1") -> None:
    """Load what is published of a day, unless it is loaded."""
    place = Partition(f"date={day}", pa.scalar(day))
    with target.warehouse().replacing(TABLES, place, run=run) as replacement, ExitStack() as files:
        opened = lake.opened(place.folder, [MAIN])[MAIN]
        files.enter_context(opened.file)
        generation = Generation(opened.manifest.generation, opened.manifest.run)
        for table in TABLES:
            if replacement.loaded.get(table.name) != generation:
                rows = None if table.flat.lists else opened.manifest.rows
                replacement.replace(table, table.flat.batches(opened.file), generation, rows=rows)


def require_all_loaded(target: Target, lake: Lake, days: list[date]) -> None:
    """Check that the warehouse has the rows of the lake, all partitions, once."""
    read = [row for day in days for row in lake.read(MAIN, f"date={day}").to_pylist()]
    rows = target.rows("SELECT id, n FROM people")
    assert sorted(rows) == sorted((row["id"], row["n"]) for row in read)
    tags = target.rows("SELECT count(*), CAST(sum(weight) AS BIGINT) FROM people__tags")
    assert tags == [(sum(len(row["id"]) for row in read), sum(row["n"] * len(row["id"]) for row in read))]
    assert len(target.stamps()) == len(TABLES) * len(days)
    assert sorted(target.rows("SELECT id FROM people__latest")) == sorted((row["id"],) for row in read)

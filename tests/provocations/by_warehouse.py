"""Errors that the warehouse provokes: what it refuses, and who is at it."""

from contextlib import ExitStack
from pathlib import Path

from pipelines.loads import tables_of_extract
from resources import errors
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.loading import Partition
from resources.warehouse.resource import Warehouse
from resources.warehouse.stamps import Generation
from resources.warehouse.waiting import Turn, only_writer
from tests.databases import execute
from tests.provocations.bench import QUERY, Bench, provokes

TABLES = [LoadedTable(table, None) for table in tables_of_extract(QUERY)]


def file_of(bench: Bench) -> Path:
    """Name the DuckDB file of a provocation."""
    return bench.folder / "warehouse" / f"{bench.lake.root.name}.duckdb"


def load(bench: Bench, *, wait_seconds: float = 1.0) -> None:
    """Load what is published."""
    warehouse = Warehouse(uri=f"duckdb://{file_of(bench)}", wait_seconds=wait_seconds)
    with warehouse.replacing(TABLES, Partition("", None), run="run") as replacement, ExitStack() as files:
        opened = bench.lake.opened("", list(QUERY.tables))
        for table in TABLES:
            file = files.enter_context(opened[table.flat.source].file)
            replacement.replace(table, table.flat.batches(file), Generation(1, "run"))


@provokes(errors.WarehouseError)
def refused_value(bench: Bench) -> None:
    """A constraint of the warehouse is violated, and its message quotes the value."""
    bench.extract()
    load(bench)
    uri = f"duckdb://{file_of(bench)}"
    execute(
        uri, "DELETE FROM profiles__lookups", "CREATE UNIQUE INDEX one_each ON profiles__lookups (status)"
    )
    load(bench)


@provokes(errors.WarehouseBusy)
def held_warehouse(bench: Bench) -> None:
    """Another run writes the warehouse."""
    bench.extract()
    with only_writer(file_of(bench), "run another", Turn(1.0)):
        load(bench, wait_seconds=0.1)

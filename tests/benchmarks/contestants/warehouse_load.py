"""Our load of a partition: `python -m tests.benchmarks.contestants.warehouse_load FOLDER URI LAKE TABLE`."""

import importlib
import sys
from contextlib import ExitStack
from pathlib import Path

from resources.lake import Lake
from resources.warehouse.loading import Partition
from resources.warehouse.resource import Warehouse
from resources.warehouse.stamps import Generation
from tests.benchmarks.clock import timed
from tests.benchmarks.lakes import PLACE, planned

# Imported by the first load of a process.
LATE = ("adbc_driver_manager.dbapi", "resources.warehouse.tables", "resources.warehouse.waiting")


def load(uri: str, lake: Path, table: str) -> None:
    """Do as a run of the asset does for one partition, without Dagster."""
    tables = planned(table)
    assert PLACE.column
    partition = Partition(PLACE.folder, PLACE.column[1])
    warehouse = Warehouse(uri=uri)
    with warehouse.replacing(tables, partition, run="load") as replacement, ExitStack() as files:
        opened = Lake(path=str(lake)).opened(PLACE.folder, [table])[table]
        files.enter_context(opened.file)
        manifest = opened.manifest
        for each in tables:
            rows = None if each.flat.lists else manifest.rows
            generation = Generation(manifest.generation, manifest.run)
            replacement.replace(each, each.flat.batches(opened.file), generation, rows=rows)


if __name__ == "__main__":
    for module in LATE:
        importlib.import_module(module)
    with timed(Path(sys.argv[1])):
        load(sys.argv[2], Path(sys.argv[3]), sys.argv[4])

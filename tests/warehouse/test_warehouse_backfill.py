"""Many partitions are loaded by many at once, and each is there once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resources.lake import Lake
from tests.warehouse.warehouse_backfill import load_day, published, require_all_loaded
from tests.warehouse.warehouse_targets import Target

DAYS = {"duckdb": 30, "postgres": 100}  # on the test bench, DuckDB has a hundred too
THREADS = 8


@pytest.mark.journey
def test_many_partitions_are_loaded_in_parallel(target: Target, memory: Path) -> None:
    lake = Lake(path=str(memory / "lake"))
    days = published(lake, DAYS[target.warehouse().dialect])
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda day: load_day(target, lake, day), [*days, *days[:THREADS]]))
    require_all_loaded(target, lake, days)

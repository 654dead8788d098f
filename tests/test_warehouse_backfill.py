"""A hundred partitions are loaded by many at once, and each is there once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from resources.lake import Lake
from tests.warehouse_backfill import load_day, published, require_all_loaded
from tests.warehouse_targets import Target

DAYS, THREADS = 100, 8


def test_a_hundred_partitions_are_loaded_in_parallel(target: Target, memory: Path) -> None:
    lake = Lake(path=str(memory / "lake"))
    days = published(lake, DAYS)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda day: load_day(target, lake, day), [*days, *days[:THREADS]]))
    require_all_loaded(target, lake, days)

"""The demo: the sandbox up, seven days of events, seven partitions through Dagster, queries over them.

Everything goes into data/sandbox/, or into the folder that is named: python -m tests.demo FOLDER
"""

import os
import sys
import time
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from tests.local import FOLDER, ROOT, last_days, local_account

TABLES = ("profile_keys", "profiles", "profiles__lookups", "profiles_wide")
FILES = """
SELECT permission.name AS permission, count(DISTINCT profile_id) AS profiles
FROM (
    SELECT profile_id, unnest(permissions) AS permission
    FROM read_parquet('{lake}/profiles/*/*.parquet', hive_partitioning = true)
    WHERE date = '{day}'
)
WHERE permission.value = 'GRANTED'
GROUP BY ALL ORDER BY ALL
"""
WAREHOUSE = """
SELECT name AS permission, count(*) AS people
FROM profiles__permissions__latest
WHERE value = 'GRANTED'
GROUP BY ALL ORDER BY ALL
"""

console = Console()


def main(folder: Path = FOLDER) -> int:
    """Run it; the exit code is 1 if a day failed."""
    started = time.monotonic()
    days = last_days()
    with local_account(folder) as (sandbox, environment):
        os.environ |= environment
        console.print(f"The sandbox, a TargetData look-alike, answers at {sandbox.url}.")
        console.print(f"Its feed: {len(days)} days of events in {shown(folder / 'feed')}/.\n")
        done = [ran(job, day) for day in days for job in ("profiles_daily", "warehouse_daily")]
    if not all(done):
        return 1
    lake = folder / "lake"
    console.print(rows_table(lake, days))
    console.print("\nA query over the last day's files, by DuckDB:")
    show(FILES.format(lake=shown(lake), day=days[-1]), ":memory:")
    console.print("\nAnd in the warehouse, over the newest state of everybody:")
    show(WAREHOUSE, str(folder / "warehouse.duckdb"))
    console.print(
        f"\nDone in {time.monotonic() - started:.0f} s. The tables: {shown(lake)}/, and in "
        f"{shown(folder / 'warehouse.duckdb')}\n"
        "The runs, the asset graph and the metadata: make dev, then http://localhost:3000",
        soft_wrap=True,
    )
    return 0


def ran(name: str, day: date) -> bool:
    """Run a job for one partition."""
    from pipelines.definitions import defs

    job = defs().resolve_job_def(name)
    quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    started = time.monotonic()
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            partition_key=day.isoformat(), instance=instance, run_config=quiet, raise_on_error=False
        )
    mark = "[green]ok[/]" if result.success else "[red]failed[/]"
    console.print(f"{name} {day}  {mark}  {time.monotonic() - started:.1f} s")
    return result.success


def rows_table(lake: Path, days: list[date]) -> Table:
    """Give the rows of each table and day, from the Parquet footers."""
    table = Table("day", *TABLES, title="Rows per table and day")
    for day in days:
        paths = [lake / name / f"date={day}" / "part-00000.parquet" for name in TABLES]
        table.add_row(str(day), *(f"{pq.ParquetFile(path).metadata.num_rows:,}" for path in paths))
    return table


def show(query: str, database: str) -> None:
    """Print a query and what DuckDB answers."""
    console.print(f"[dim]{query.strip()}[/]", highlight=False, soft_wrap=True)
    with duckdb.connect(database) as connection:
        console.print(str(connection.sql(query)), highlight=False)


def shown(path: Path) -> Path:
    """Give a path as short as it can be."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))

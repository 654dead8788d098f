"""DuckDB's own ways: `python -m tests.benchmarks.contestants.duckdb_load FOLDER LAKE TABLE`.

The flat table is filled by `COPY … FROM`, on as many threads as there are processors; lists are taken apart
by `UNNEST`. Tables, their columns and the one transaction are those of our load.
"""

import sys
from pathlib import Path

import duckdb

from tests.benchmarks.clock import timed
from tests.benchmarks.in_sql import DAY, DUCKDB_FILE, FLAT, file_of, queries


def load(database: Path, lake: Path, table: str) -> None:
    """Load into a new file."""
    with duckdb.connect(database) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("BEGIN")
        for name, query in queries(lake, table).items():
            connection.execute(f'CREATE TABLE "{name}" AS {query} LIMIT 0')
            if table == FLAT:
                copy(connection, name, file_of(lake, table))
            else:
                connection.execute(f'INSERT INTO "{name}" {query}')
        connection.execute("COMMIT")


def copy(connection: duckdb.DuckDBPyConnection, table: str, file: Path) -> None:
    """Copy a file, which has all columns but the partition's."""
    connection.execute(f"ALTER TABLE {table} ALTER date SET DEFAULT {DAY}")
    described = connection.execute(f"DESCRIBE {table}").fetchall()
    columns = ", ".join(name for name, *_ in described if name != "date")
    connection.execute(f"COPY {table} ({columns}) FROM '{file}' (FORMAT parquet)")


if __name__ == "__main__":
    with timed(Path(sys.argv[1])):
        load(Path(sys.argv[1]) / DUCKDB_FILE, Path(sys.argv[2]), sys.argv[3])

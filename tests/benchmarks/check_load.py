"""Compares a warehouse with the lake: `python -m tests.benchmarks.check_load URI LAKE TABLE [whole]`.

It prints how many rows all tables have together.
"""

import sys
from pathlib import Path

import duckdb
import pyarrow as pa

from resources.adbc import connect
from tests.benchmarks.in_sql import queries


def check(uri: str, lake: Path, table: str, *, whole: bool) -> int:
    """Raise AssertionError where a table lacks rows, or has other values if `whole`; give the sum of rows."""
    number = 0
    with duckdb.connect() as truth, connect(uri) as connection, connection.cursor() as cursor:
        truth.execute("SET TimeZone = 'UTC'")
        for name, query in queries(lake, table).items():
            (wanted,) = truth.execute(f"SELECT count(*) FROM ({query})").fetchall()[0]
            cursor.execute(f'SELECT count(*) FROM "{name}"')
            ((found,),) = cursor.fetchall()
            assert found == wanted, f"{name}: {found} rows instead of {wanted}"
            number += wanted
            if whole:
                cursor.execute(f'SELECT * FROM "{name}"')
                rows = truth.sql(query).to_arrow_table()
                assert comparable(cursor.fetch_arrow_table()) == comparable(rows), f"{name} has other values"
    return number


def comparable(rows: pa.Table) -> pa.Table:
    """Order rows by all that tells them apart, and columns by their names."""
    order = [(name, "ascending") for name in rows.column_names if name.endswith(("_id", "position"))]
    return rows.select(sorted(rows.column_names)).sort_by(order).replace_schema_metadata().combine_chunks()


if __name__ == "__main__":
    print(check(sys.argv[1], Path(sys.argv[2]), sys.argv[3], whole="whole" in sys.argv))

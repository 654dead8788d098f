"""Warehouses of a test, each empty: a DuckDB file, or a schema of a PostgreSQL server."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pyarrow as pa

from resources.adbc import connect
from resources.schema_changes import SchemaChanges
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.loading import Partition, Replacement
from resources.warehouse.resource import Warehouse
from resources.warehouse.stamps import STAMPS, Generation
from tests.databases import execute

Rows = list[tuple[Any, ...]]
WAIT_SECONDS = 30.0
DAY = Partition("date=2026-11-22", pa.scalar("2026-11-22").cast(pa.date32()))


@dataclass(frozen=True)
class Target:
    """A warehouse, and what a person may ask it without the code under test."""

    uri: str

    @property
    def is_duckdb(self) -> bool:
        return self.uri.startswith("duckdb:")

    @property
    def file(self) -> Path:
        return Path(self.uri.removeprefix("duckdb://"))

    def warehouse(self, *, wait_seconds: float = WAIT_SECONDS, namespace: str = "") -> Warehouse:
        return Warehouse(uri=self.uri, wait_seconds=wait_seconds, namespace=namespace)

    def execute(self, *statements: str) -> None:
        execute(self.uri, *statements)

    def rows(self, query: str) -> Rows:
        with connect(self.uri) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def arrow(self, query: str) -> pa.Table:
        with connect(self.uri) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetch_arrow_table()

    def stamps(self) -> Rows:
        """Give what is stamped: table, partition, generation, who published it, rows."""
        columns = "table_name, partition_name, generation, published_by, row_count"
        return self.rows(f"SELECT {columns} FROM {STAMPS} ORDER BY 1, 2")


def duckdb_target(folder: Path) -> Target:
    """Name a file that is not there yet."""
    return Target(f"duckdb://{folder / 'warehouse.duckdb'}")


def postgresql_target(uri: str) -> Target:
    """Make a schema on a server, where tables are made that name none."""
    name = f"s{uuid4().hex}"
    execute(uri, f"CREATE SCHEMA {name}")
    return Target(f"{uri}&options={quote(f'-csearch_path={name}')}")


Batches = Iterable[pa.RecordBatch]
Load = Callable[[Replacement], None]


def load(
    target: Target | Warehouse,
    tables: Iterable[LoadedTable],
    batches: Iterable[Batches],
    *,
    partition: Partition = DAY,
    generation: int = 1,
    rows: int | None = None,
    run: str = "run-1",
    policy: SchemaChanges = SchemaChanges.FROZEN,
) -> None:
    """Replace a partition of some tables, whatever is loaded of it."""
    warehouse = target.warehouse() if isinstance(target, Target) else target
    tables = list(tables)
    with warehouse.replacing(tables, partition, run=run, policy=policy) as replacement:
        for table, own in zip(tables, batches, strict=True):
            replacement.replace(table, own, Generation(generation, run), rows=rows)

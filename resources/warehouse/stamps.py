"""The stamp table: which generation of each partition is in the warehouse, how many rows, by which run."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
from sqlglot import exp

from resources.warehouse.columns import create_table
from resources.warehouse.database import Database

STAMPS = "targetdata_loads"
SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("partition_name", pa.string()),  # as its folder in the lake: date=2026-11-22, empty for the whole
        ("generation", pa.int64()),  # of the partition in the lake
        ("published_by", pa.string()),  # the run that published it there
        ("row_count", pa.int64()),
        ("loaded_by", pa.string()),  # the run that loaded it
        ("loaded_at", pa.timestamp("us", tz="UTC")),
    ]
)


@dataclass(frozen=True, slots=True)
class Generation:
    """What is published of a partition in the lake: which time, and by which run."""

    number: int
    run: str


def create_stamps(database: Database) -> None:
    """Make the stamp table, if it is not there."""
    database.execute(create_table(database.table(STAMPS), SCHEMA), "the making of the stamp table")


def stamped(database: Database, tables: Iterable[str], partition: str) -> dict[str, Generation]:
    """Give what is loaded of a partition, by table."""
    query = (
        exp.select(*_columns("table_name", "generation", "published_by"))
        .from_(database.table(STAMPS))
        .where(_of(tables, partition))
    )
    found = database.rows(query, "the look at the stamps")
    return {str(table): Generation(int(str(number)), str(run)) for table, number, run in found}


def all_stamped(database: Database, tables: Iterable[str]) -> dict[tuple[str, str], Generation]:
    """Give what is loaded of all partitions, by table and partition; nothing if nothing ever was."""
    if STAMPS not in database.tables():
        return {}
    names = _columns("table_name", "partition_name", "generation", "published_by")
    query = exp.select(*names).from_(database.table(STAMPS)).where(names[0].isin(*tables))
    found = database.rows(query, "the look at the stamps")
    return {
        (str(table), str(partition)): Generation(int(str(number)), str(run))
        for table, partition, number, run in found
    }


def rows_in(database: Database, table: str) -> int:
    """Count the rows of all partitions of a table, by its stamps."""
    name, rows = _columns("table_name", "row_count")
    query = exp.select(exp.func("sum", rows)).from_(database.table(STAMPS)).where(name.eq(table))
    return database.number(query, f"the rows of {table}")


def loaded_tables(database: Database) -> set[str]:
    """Name all tables that anything was ever loaded into."""
    if STAMPS not in database.tables():
        return set()
    query = exp.select(*_columns("table_name")).distinct().from_(database.table(STAMPS))
    return {str(name) for (name,) in database.rows(query, "the look at the stamps")}


def loaded_in(database: Database, partition: str) -> list[str]:
    """Name the tables that a partition is loaded into; none where nothing was ever loaded."""
    if STAMPS not in database.tables():
        return []
    table, folder = _columns("table_name", "partition_name")
    query = exp.select(table).distinct().from_(database.table(STAMPS)).where(folder.eq(partition))
    return sorted(str(name) for (name,) in database.rows(query, "the look at the stamps"))


def forget(database: Database, tables: Iterable[str], partition: str) -> None:
    """Remove the stamps of a partition."""
    database.execute(
        exp.delete(database.table(STAMPS), where=_of(tables, partition)), "the removal of stamps"
    )


def lessen(database: Database, table: str, partition: str, number: int) -> None:
    """Take note that so many rows of a partition were removed, if it was loaded by us."""
    if table not in loaded_in(database, partition):
        return
    left = exp.Sub(this=_columns("row_count")[0], expression=exp.Literal.number(number))
    change = exp.update(
        database.table(STAMPS),
        {exp.column("row_count", quoted=True).sql(): left},
        where=_of([table], partition),
    )
    database.execute(change, "the change of a stamp")


def forget_table(database: Database, table: str) -> None:
    """Remove the stamps of all partitions of a table."""
    (column,) = _columns("table_name")
    database.execute(exp.delete(database.table(STAMPS), where=column.eq(table)), "the removal of stamps")


def stamp(
    database: Database, table: str, partition: str, generation: Generation, *, rows: int, run: str
) -> None:
    """Say that a partition of a table is loaded."""
    values = [table, partition, generation.number, generation.run, rows, run, datetime.now(UTC)]
    arrays = [pa.array([value], field.type) for value, field in zip(values, SCHEMA, strict=True)]
    database.ingest(STAMPS, SCHEMA, [pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)], "the stamp")


def _of(tables: Iterable[str], partition: str) -> exp.Condition:
    table, folder = _columns("table_name", "partition_name")
    return exp.and_(table.isin(*tables), folder.eq(partition))


def _columns(*names: str) -> list[exp.Column]:
    return [exp.column(name, quoted=True) for name in names]

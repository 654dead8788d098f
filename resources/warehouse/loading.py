"""One partition into the warehouse: all its tables replaced in one transaction, or none of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

from resources.errors import AccountingError, ConfigurationError
from resources.schema_changes import SchemaChanges
from resources.warehouse.database import Database
from resources.warehouse.folders import rows_of
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.stamps import Generation, forget, stamp, stamped
from resources.warehouse.tables import require_columns
from resources.warehouse.waiting import Turn, lock_name


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition's folder in the lake, and the value that all its rows have in the partition's column."""

    folder: str
    value: pa.Scalar | None


@dataclass(slots=True)
class Replacement:
    """The replacement of one partition while its transaction is open.

    `loaded` is the generation of each table that is in the warehouse, as it was before.
    """

    database: Database
    partition: Partition
    run: str
    loaded: Mapping[str, Generation]
    rows: dict[str, int] = field(default_factory=dict)

    def replace(
        self,
        table: LoadedTable,
        batches: Iterable[pa.RecordBatch],
        generation: Generation,
        *,
        rows: int | None = None,
    ) -> None:
        """Put these rows of the flat table in place of those that the partition has.

        Raises AccountingError where not all of them arrive, or where they are not as many as `rows`.
        """
        name, what = table.name, f"the load of {table.name} {self.partition.folder}".strip()
        self.database.execute(exp.delete(self.database.table(name), where=self._place(table)), what)
        there = self.database.columns(name)
        # Another load may have changed them.
        require_columns(self.database, table, there, SchemaChanges.FROZEN)
        schema = pa.schema([table.schema.field(column) for column in there])
        given = self.database.ingest(name, schema, self._placed(table, batches, schema), what)
        arrived = self.count(table)
        if not given == arrived == (given if rows is None else rows):
            raise AccountingError(
                f"{what}: {given:,} rows were handed over"
                + ("" if rows is None else f", {rows:,} were published")
                + f", and {arrived:,} arrived; the warehouse keeps the rows that it had"
            )
        forget(self.database, [name], self.partition.folder)
        stamp(self.database, name, self.partition.folder, generation, rows=arrived, run=self.run)
        self.rows[name] = arrived

    def _placed(
        self, table: LoadedTable, batches: Iterable[pa.RecordBatch], schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        """Add the partition's column, and put all of them in the order of the warehouse."""
        for batch in batches:
            columns = {name: batch[name] for name in table.flat.schema.names}
            if table.partition is not None:
                columns[table.partition.name] = pa.repeat(self.partition.value, batch.num_rows)
            yield pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)

    def count(self, table: LoadedTable) -> int:
        """Count the rows that the partition has in a table."""
        rows = exp.select(exp.Count(this=exp.Star())).from_(self.database.table(table.name))
        place = self._place(table)
        what = f"the count of {table.name}"
        return self.database.number(rows.where(place) if place else rows, what)

    def _place(self, table: LoadedTable) -> exp.Condition | None:
        """Tell the partition's rows; all of them, where there are no partitions."""
        if (table.partition is None) != (self.partition.value is None):  # or all rows would be replaced
            has, one = ("no partitions", "one") if table.partition is None else ("partitions", "none")
            raise ConfigurationError(f"{table.name} has {has}, and what is loaded is {one}")
        return None if table.partition is None else rows_of(self.partition.folder)


@contextmanager
def replacing(
    database: Database, tables: Sequence[LoadedTable], partition: Partition, *, run: str, turn: Turn
) -> Iterator[Replacement]:
    """Open the transaction that replaces a partition; nobody else loads it meanwhile, and readers see none of
    it until the end.
    """
    main = tables[0].flat.main
    with database.transaction():
        lock_name(database, f"{main} {partition.folder}".strip(), turn)
        names = [table.name for table in tables]
        yield Replacement(database, partition, run, stamped(database, names, partition.folder))

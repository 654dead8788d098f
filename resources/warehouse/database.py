"""A warehouse's database while it is open: statements, columns, and Arrow batches into a table."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pyarrow as pa
from sqlglot import exp

from resources.errors import AccountingError, ExtractionError, WarehouseError
from resources.query_errors import query_errors
from resources.warehouse.columns import known_type

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection

ADVICE = "Mend that in the warehouse, or in the table that is loaded"
COPY_ROWS = 1_024  # to PostgreSQL at once: what fills its socket's buffer keeps the next from being encoded
Row = tuple[object, ...]


class Database:
    """A connection, the dialect that it understands, and the SQL schema that the tables are in.

    Without a `namespace` the tables are in the connection's own schema.
    """

    def __init__(self, connection: "Connection", *, dialect: str, namespace: str) -> None:
        self.dialect = dialect
        self.namespace = namespace
        self._connection = connection

    def table(self, name: str) -> exp.Table:
        """Name a table in a statement."""
        return exp.table_(name, db=self.namespace or None, quoted=True)

    def make_namespace(self) -> None:
        """Make the SQL schema, if it is not there: where it is, no right to make any is needed."""
        if not self.namespace:
            return
        what = f"the making of the schema {self.namespace}"
        there = exp.column("schema_name").eq(exp.Literal.string(self.namespace))
        if not self.rows(exp.select("1").from_("information_schema.schemata").where(there), what):
            schema = exp.table_("", db=self.namespace, quoted=True)
            self.execute(exp.Create(this=schema, kind="SCHEMA", exists=True), what)

    def execute(self, statement: exp.Expression | str, what: str, values: Sequence[str] = ()) -> None:
        """Run a statement; `what` names it in errors, `values` are those of its parameters."""
        self._fetched(statement, what, values, fetch=False)

    def rows(self, statement: exp.Expression | str, what: str, values: Sequence[str] = ()) -> list[Row]:
        """Give a few rows."""
        return self._fetched(statement, what, values, fetch=True)

    def number(self, statement: exp.Expression | str, what: str) -> int:
        """Give the one number that a statement selects."""
        ((number,),) = self.rows(statement, what)
        return int(str(number))

    def _fetched(
        self, statement: exp.Expression | str, what: str, values: Sequence[str], *, fetch: bool
    ) -> list[Row]:
        text = statement if isinstance(statement, str) else statement.sql(self.dialect)
        with self._errors(what), self._connection.cursor() as cursor:
            cursor.execute(text, tuple(values) or None)
            return list(cursor.fetchall()) if fetch else []

    def ingest(self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], what: str) -> int:
        """Add rows to a table that has just these columns in this order; give how many were handed over.

        What the batches raise is raised here: DuckDB takes it for the end of the rows.
        """
        watched = _Watched(batches)
        rows = _sliced(watched, COPY_ROWS) if self.dialect == "postgres" else watched
        reader = pa.RecordBatchReader.from_batches(schema, rows)
        failure: ExtractionError | None = None
        try:
            with self._errors(what), self._connection.cursor() as cursor:
                # A cursor of its own: an ingestion's options stay with it.
                cursor.adbc_ingest(table, reader, mode="append", db_schema_name=self.namespace or None)
        except ExtractionError as error:
            failure = error
        if watched.failure:
            raise watched.failure
        if failure:
            raise failure
        if not watched.ended:
            raise AccountingError(f"{what}: the database stopped taking rows after {watched.rows:,}")
        return watched.rows

    def columns(self, table: str) -> dict[str, exp.DataType]:
        """Give a table's columns in their order; none where there is no such table."""
        return self.columns_of([table])[table]

    def columns_of(self, tables: Sequence[str]) -> dict[str, dict[str, exp.DataType]]:
        """Give the columns of several tables or views, in one look."""
        wanted = ("table_name", "column_name", "data_type", "numeric_precision", "numeric_scale")
        query = (
            exp.select(*wanted)
            .from_("information_schema.columns")
            .where(self._here, exp.column("table_name").isin(*tables))
            .order_by("ordinal_position")
        )
        found: dict[str, dict[str, exp.DataType]] = {table: {} for table in tables}
        for table, name, kind, precision, scale in self.rows(
            query, f"the look at the columns of {tables[0]}"
        ):
            found[str(table)][str(name)] = known_type(str(kind), (precision, scale), self.dialect)
        return found

    def tables(self) -> list[str]:
        """Name all tables of the SQL schema; views are none."""
        query = (
            exp.select("table_name")
            .from_("information_schema.tables")
            .where(self._here, exp.column("table_type").eq("BASE TABLE"))
            .order_by("table_name")
        )
        return [str(name) for (name,) in self.rows(query, "the look at the tables")]

    @property
    def _here(self) -> exp.Condition:
        """Tell what is of our SQL schema, in the catalogue."""
        own = exp.Literal.string(self.namespace) if self.namespace else exp.func("current_schema")
        return exp.column("table_schema").eq(own)

    def copy_to(self, file: Path) -> None:
        """Copy a DuckDB database, with its schemas, views and indexes, into a new file."""
        what = f"the copy into {file}"
        ((name,),) = self.rows("SELECT current_database()", what)
        target = exp.Literal.string(str(file)).sql("duckdb")
        anew = f"anew_{uuid4().hex}"  # as no database is named
        self.execute(f"ATTACH {target} AS {anew}", what)
        self.execute(
            f"COPY FROM DATABASE {exp.to_identifier(str(name), quoted=True).sql('duckdb')} TO {anew}", what
        )
        self.execute(f"DETACH {anew}", what)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all statements of the `with` come true together, or none of them."""
        self.execute("BEGIN", "the start of a transaction")
        try:
            yield
            self.execute("COMMIT", "the commit")
        except BaseException:
            with suppress(ExtractionError):  # the connection may be gone, and with it the transaction
                self.execute("ROLLBACK", "the rollback")
            raise

    def _errors(self, what: str) -> AbstractContextManager[None]:
        return query_errors(what, failed=WarehouseError, advice=ADVICE)


def _sliced(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Cut batches into smaller ones, without a copy."""
    for batch in batches:
        for start in range(0, batch.num_rows, rows):
            yield batch.slice(start, rows)


class _Watched:
    """Batches on their way into a database: how many rows, whether all of them, and what went wrong."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self.rows = 0
        self.ended = False
        self.failure: BaseException | None = None
        self._batches = batches

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._batches:
                self.rows += batch.num_rows
                yield batch
        except GeneratorExit:
            raise
        except BaseException as failure:
            self.failure = failure
            raise
        self.ended = True

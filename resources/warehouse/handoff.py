"""Statements with which a warehouse loads the lake's files by itself: the table, and a partition anew."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp
from sqlglot.errors import SqlglotError

from resources.errors import ConfigurationError
from resources.warehouse.dialects import Dialect
from resources.warehouse.nested import warehouse_type

ASIDE = "_handoff_"  # no table of the lake begins with an underscore
STAGES = {
    Dialect.SNOWFLAKE: ("@", "a stage, as in --stage @my_stage/lake"),
    Dialect.BIGQUERY: ("gs://", "a folder of a bucket, as in --stage gs://my-bucket/lake"),
    Dialect.DUCKDB: ("", "a folder or a URI"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A partition's file; `own` is the column that its folder stands for, and its value in all rows."""

    folder: str
    file: str
    schema: pa.Schema
    own: tuple[pa.Field, pa.Scalar] | None = None


@dataclass(frozen=True, slots=True)
class HandOff:
    """A table of the lake and the warehouse's table `into` that it is loaded into."""

    dialect: Dialect
    table: str
    into: exp.Table
    schema: pa.Schema  # of all files together
    own: pa.Field | None = None

    def ddl(self) -> str:
        """Write the statement that creates the table, if it is not there."""
        columns = [*self.schema, *([self.own] if self.own else [])]
        created = self._create(self.into, columns, exists=True)
        if self.own and self.dialect is Dialect.BIGQUERY:
            created += f"\n{_layout(self.own)}"
        return created

    def load(self, part: Part, stage: str) -> list[str]:
        """Write the statements that replace a partition; all that change the table are one transaction."""
        where = "/".join(filter(None, [stage.rstrip("/"), self.table, part.folder]))
        file = self._text(f"{where}/{part.file}")
        aside = self.into.copy()
        aside.set("this", exp.to_identifier(f"{ASIDE}{self.table}", quoted=True))
        name = aside.sql(self.dialect)
        match self.dialect:
            case Dialect.SNOWFLAKE:
                created = self._create(aside, part.schema, temporary=True)
                copied = self._copy(name, self._text(f"{where}/"), self._text(part.file))
                return [created, copied, *self._replaced(part, aside), f"DROP TABLE {name}"]
            case Dialect.BIGQUERY:
                loaded = _load_data(name, file)
                return [loaded, *self._replaced(part, aside), f"DROP TABLE IF EXISTS {name}"]
            case Dialect.DUCKDB:
                read = f"READ_PARQUET({file}, HIVE_PARTITIONING = FALSE)"
                return self._replaced(part, exp.to_table(read, dialect=self.dialect))

    def _replaced(self, part: Part, source: exp.Table) -> list[str]:
        """Delete the partition and insert it again from where it was loaded to."""
        columns = {field.name: self._selected(field) for field in part.schema}
        condition: exp.Expression = exp.true()
        if part.own:
            field, value = part.own
            columns[field.name] = self._value(field, value)
            condition = exp.EQ(this=_column(field.name), expression=columns[field.name].copy())
        names = [exp.to_identifier(name, quoted=True) for name in columns]
        selected = exp.select(*columns.values()).from_(source)
        inserted = exp.insert(selected, self.into.copy(), columns=names)
        deleted = exp.delete(self.into.copy(), where=condition)
        return [
            "BEGIN TRANSACTION",
            deleted.sql(self.dialect),
            inserted.sql(self.dialect),
            "COMMIT",
        ]

    def _create(
        self, table: exp.Table, columns: Iterable[pa.Field], *, exists: bool = False, temporary: bool = False
    ) -> str:
        kinds = {field.name: warehouse_type(field, self.table, self.dialect) for field in columns}
        defined = [
            exp.ColumnDef(this=exp.to_identifier(name, quoted=True), kind=kind)
            for name, kind in kinds.items()
        ]
        created = exp.Create(
            this=exp.Schema(this=table.copy(), expressions=defined),
            kind="TABLE",
            exists=exists,
            replace=temporary,
            properties=exp.Properties(expressions=[exp.TemporaryProperty()]) if temporary else None,
        )
        return created.sql(self.dialect, pretty=True)

    def _copy(self, table: str, folder: str, file: str) -> str:
        """Load a file by its columns' names, which forbids a SELECT that would give the partition's column.

        From "COPY INTO <table>": the vectorized scanner keeps nulls in lists and reads instants as such;
        by default the text \\N is read as null; and without FORCE a file that was loaded once is passed over.
        """
        return (
            f"COPY INTO {table} FROM {folder} FILES = ({file})\n"
            "FILE_FORMAT = (TYPE = PARQUET USE_VECTORIZED_SCANNER = TRUE NULL_IF = ())\n"
            "MATCH_BY_COLUMN_NAME = CASE_SENSITIVE ON_ERROR = ABORT_STATEMENT FORCE = TRUE"
        )

    def _selected(self, field: pa.Field) -> exp.Expression:
        if self.dialect is Dialect.BIGQUERY and pt.is_timestamp(field.type) and field.type.tz is None:
            # Parquet's local ones arrive as instants of UTC.
            return exp.cast(_column(field.name), "TIMESTAMP")
        return _column(field.name)

    def _value(self, field: pa.Field, value: pa.Scalar) -> exp.Expression:
        kind = warehouse_type(field, self.table, self.dialect)
        return exp.cast(exp.Literal.string(str(value.as_py())), kind)

    def _text(self, text: str) -> str:
        return exp.Literal.string(text).sql(self.dialect)


def named_table(name: str | None, table: str, dialect: Dialect) -> exp.Table:
    """Read the name of a warehouse's table as its SQL does; without one, it is the lake's, quoted."""
    if name is None:
        return exp.table_(table, quoted=True)
    try:
        found = exp.maybe_parse(name, into=exp.Table, dialect=dialect)
    except SqlglotError:
        found = None
    if found is None or found.alias:
        raise ConfigurationError(f"--into {name} is no name of a table in {dialect}")
    return found


def require_stage(stage: str | None, dialect: Dialect) -> str:
    """Give the place that the warehouse reads the lake's files from; raise ConfigurationError for another."""
    start, like = STAGES[dialect]
    below = f"loads from: {like}; the lake's tables are folders below it"
    if not stage:
        raise ConfigurationError(f"say with --stage where {dialect} {below}")
    if not stage.startswith(start):
        raise ConfigurationError(f"--stage {stage} is no place that {dialect} {below}")
    return stage


def script(statements: Iterable[str]) -> Iterator[str]:
    """End each statement."""
    return (f"{statement};" for statement in statements)


def _load_data(table: str, uri: str) -> str:
    """Load one file, as a wildcard wants the columns of all files in one order; their types are the file's.

    Options and OVERWRITE are those of "Load statements in GoogleSQL".
    """
    return (
        f"LOAD DATA OVERWRITE {table} FROM FILES (\n"
        f"  format = 'PARQUET', uris = [{uri}],\n"
        "  enable_list_inference = TRUE, decimal_target_types = ['NUMERIC', 'BIGNUMERIC']\n)"
    )


def _layout(own: pa.Field) -> str:
    """Lay BigQuery's table out by the lake's partitions; it has no partitions by text."""
    name = exp.to_identifier(own.name, quoted=True).sql(Dialect.BIGQUERY)
    if pt.is_timestamp(own.type):
        return f"PARTITION BY TIMESTAMP_TRUNC({name}, HOUR)"
    return f"PARTITION BY {name}" if pt.is_date(own.type) else f"CLUSTER BY {name}"


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))

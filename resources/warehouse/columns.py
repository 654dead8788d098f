"""Columns of a warehouse table: Arrow types as SQL types, one expression for all dialects."""

from functools import cache

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from resources.errors import ConfigurationError

MOST_DIGITS = 38  # of a decimal

# Each is understood by every dialect under its own name for it.
TYPES: dict[pa.DataType, str] = {
    pa.string(): "TEXT",
    pa.large_string(): "TEXT",
    pa.bool_(): "BOOLEAN",
    pa.int8(): "SMALLINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    pa.time64("us"): "TIME",
    pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
    pa.timestamp("us"): "TIMESTAMPNTZ",
}


def sql_type(field: pa.Field, table: str) -> exp.DataType:
    """Give a column's SQL type; raise ConfigurationError for a type that warehouses have no column for."""
    if pt.is_decimal128(field.type):
        return exp.DataType.build(f"DECIMAL({field.type.precision}, {field.type.scale})")
    if field.type not in TYPES:
        raise ConfigurationError(
            f"{table}.{field.name} is {field.type}, which a column of a warehouse cannot be: cast it in the "
            "asset that makes the table"
        )
    return exp.DataType.build(TYPES[field.type])


def column_definitions(table: str, schema: pa.Schema) -> list[exp.ColumnDef]:
    """Define all columns of a table, each quoted, so that no name is a keyword."""
    return [
        exp.ColumnDef(this=exp.to_identifier(field.name, quoted=True), kind=sql_type(field, table))
        for field in schema
    ]


def create_table(table: exp.Table, schema: pa.Schema) -> exp.Create:
    """Make the statement that creates a table, if it is not there."""
    columns = column_definitions(table.name, schema)
    return exp.Create(this=exp.Schema(this=table, expressions=columns), kind="TABLE", exists=True)


def declared_type(field: pa.Field, table: str, dialect: str) -> exp.DataType:
    """Give a column's SQL type as `known_type` gives it when the column is there."""
    return known_type(sql_type(field, table).sql(dialect), (None, None), dialect)


@cache
def known_type(text: str, sizes: tuple[object, object], dialect: str) -> exp.DataType:
    """Read a type as the database's own catalogue has it, beside precision and scale where it is a number.

    What is one type under several names is given one name: texts, and Snowflake's numbers without a fraction.
    """
    precision, scale = sizes
    found = exp.DataType.build(text, dialect=dialect, udt=True)  # somebody's own column may be of any type
    if found.is_type("DECIMAL") and precision is not None:
        found = exp.DataType.build(f"DECIMAL({precision}, {scale})")
    if found.is_type("VARCHAR", "TEXT"):
        return exp.DataType.build("TEXT")
    whole = found.is_type("SMALLINT", "INT") or found == exp.DataType.build(f"DECIMAL({MOST_DIGITS}, 0)")
    return exp.DataType.build("BIGINT") if dialect == "snowflake" and whole else found

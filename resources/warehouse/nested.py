"""Types of the lake's columns, nested ones too, as each warehouse that loads by itself has them."""

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from resources.warehouse.columns import sql_type
from resources.warehouse.dialects import Dialect

NUMERIC_SCALE, NUMERIC_WHOLE = 9, 29  # digits after and before the point that BigQuery's NUMERIC has room for


def warehouse_type(field: pa.Field, table: str, dialect: Dialect) -> exp.DataType:
    """Give a column's type; raise ConfigurationError for one that warehouses have no column for."""
    if is_list(field.type):
        item = field.type.value_field.with_name(f"{field.name}[]")
        inner = warehouse_type(item, table, dialect)
        # A semi-structured ARRAY takes what COPY reads of any Parquet list, whatever its fields.
        return _built("ARRAY") if dialect is Dialect.SNOWFLAKE else _of(exp.DataType.Type.ARRAY, [inner])
    if pt.is_struct(field.type):
        path = f"{table}.{field.name}"
        inside = [_definition(each, path, dialect) for each in field.type]
        return _built("OBJECT") if dialect is Dialect.SNOWFLAKE else _of(exp.DataType.Type.STRUCT, inside)
    return _plain(field, table, dialect)


def is_list(type_: pa.DataType) -> bool:
    """Say whether a type is that of lists, whatever their offsets."""
    return bool(pt.is_list(type_) or pt.is_large_list(type_))


def _definition(field: pa.Field, table: str, dialect: Dialect) -> exp.ColumnDef:
    kind = warehouse_type(field, table, dialect)
    return exp.ColumnDef(this=exp.to_identifier(field.name, quoted=True), kind=kind)


def _plain(field: pa.Field, table: str, dialect: Dialect) -> exp.DataType:
    type_ = field.type
    if dialect is Dialect.SNOWFLAKE and pt.is_timestamp(type_) and type_.unit == "us":
        # What the vectorized scanner reads: "COPY INTO <table>", formatTypeOptions of Parquet. A
        # TIMESTAMP_TZ would keep the offset of the session that loads, and TIMESTAMP means what it is set to.
        return _built("TIMESTAMPLTZ" if type_.tz else "TIMESTAMPNTZ")
    if dialect is Dialect.BIGQUERY and pt.is_decimal128(type_):
        fits = type_.scale <= NUMERIC_SCALE and type_.precision - type_.scale <= NUMERIC_WHOLE
        return _built(f"{'DECIMAL' if fits else 'BIGDECIMAL'}({type_.precision}, {type_.scale})")
    return sql_type(field, table)


def _built(text: str) -> exp.DataType:
    return exp.DataType.build(text)


def _of(kind: exp.DType, inside: list[exp.DataType] | list[exp.ColumnDef]) -> exp.DataType:
    return exp.DataType(this=kind, nested=True, expressions=inside)

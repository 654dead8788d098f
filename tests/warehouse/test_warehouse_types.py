"""Values of all types go into the warehouse and come back the same."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import inf, isnan, nan

import pyarrow as pa
import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.errors import ConfigurationError, WarehouseError
from resources.schema_changes import SchemaChanges
from resources.warehouse.columns import TYPES, create_table, declared_type, known_type, sql_type
from resources.warehouse.flat import flat_tables
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.loading import Partition
from tests.warehouse.warehouse_targets import Target, load

WHOLE = Partition("", None)
FIRST, LAST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)
MOST = 10**38 - 1  # of a decimal's 38 digits
TEXTS = ["", " ", "é", "𝄞 \u202e\ufeff", "'\"\\%$1\n\t", "null", "x" * 100_000]
DOUBLES = [0.0, -0.0, 5e-324, 1.7976931348623157e308, inf, -inf, nan, 0.1]
DATES = [date.min, date(1969, 12, 31), date(1970, 1, 1), date(2000, 2, 29), date.max]
MOMENTS = [FIRST, datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(2026, 3, 29, 1, 30), LAST]
VALUES: dict[pa.DataType, list[object]] = {
    pa.string(): [*TEXTS],
    pa.large_string(): [*TEXTS],
    pa.bool_(): [True, False],
    pa.int8(): [-128, 127],
    pa.int16(): [-(2**15), 2**15 - 1],
    pa.int32(): [-(2**31), 2**31 - 1],
    pa.int64(): [-(2**63), -1, 0, 2**53 + 1, 2**63 - 1],
    pa.float32(): [0.0, -0.0, 1.5, 3.4028234663852886e38, inf, -inf, nan],
    pa.float64(): [*DOUBLES],
    pa.date32(): [*DATES],
    pa.time64("us"): [time.min, time(12, 30, 1, 1), time.max],
    pa.timestamp("us"): [*MOMENTS],
    pa.timestamp("us", tz="UTC"): [moment.replace(tzinfo=UTC) for moment in MOMENTS],
    pa.decimal128(38, 9): [Decimal(f"{n}E-9") for n in (-MOST, -1, 0, 1, 10**9, MOST)],
    pa.decimal128(18, 2): [Decimal("-9999999999999999.99"), Decimal("0.10"), Decimal("100.00")],
    pa.decimal128(38, 0): [Decimal(-MOST), Decimal(0), Decimal(MOST)],
    pa.decimal128(5, 5): [Decimal("-0.99999"), Decimal("0.00001"), Decimal("0.10000")],
}
SCHEMA = pa.schema([(f"c{number}", type_) for number, type_ in enumerate(VALUES)])


def table(schema: pa.Schema) -> LoadedTable:
    (main,) = flat_tables("t", schema)
    return LoadedTable(main, None)


def batch(schema: pa.Schema, columns: Sequence[Sequence[object]]) -> pa.RecordBatch:
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def told_apart(value: object, type_: pa.DataType) -> object:
    """Give a value a form in which the same is equal and nothing else is; PostgreSQL's decimals are texts."""
    if isinstance(value, float):
        return "nan" if isnan(value) else repr(value)
    if pa.types.is_decimal(type_) and value is not None:
        return str(Decimal(str(value)))
    return (type(value).__name__, value)


def read_back(target: Target, schema: pa.Schema) -> list[list[object]]:
    columns = ", ".join(f'"{name}"' for name in schema.names)
    got = target.arrow(f'SELECT {columns} FROM t ORDER BY "{schema.names[0]}"')
    return [[told_apart(value, field.type) for value in got[field.name].to_pylist()] for field in schema]


def expected(whole: pa.RecordBatch) -> list[list[object]]:
    return [[told_apart(value, column.type) for value in column.to_pylist()] for column in whole.columns]


def test_all_types_are_among_those_that_are_tried() -> None:
    assert {*TYPES} <= {*VALUES}


def test_extremes_and_nulls_of_all_types_come_back_as_they_were(target: Target) -> None:
    longest = max(map(len, VALUES.values())) + 2
    padded = [[None, *values, *[None] * (longest - len(values) - 1)] for values in VALUES.values()]
    schema = pa.schema([("n", pa.int64()), *SCHEMA])
    whole = batch(schema, [range(longest), *padded])
    load(target, [table(schema)], [[whole]], partition=WHOLE)
    assert read_back(target, schema) == expected(whole)


@given(st.data())
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_values_side_by_side_in_any_batches_come_back(target: Target, data: st.DataObject) -> None:
    schema = pa.schema([("n", pa.int64()), *SCHEMA])
    number = data.draw(st.integers(0, 30))
    columns = [
        data.draw(st.lists(st.sampled_from([None, *VALUES[field.type]]), min_size=number, max_size=number))
        for field in SCHEMA
    ]
    whole = batch(schema, [range(number), *columns])
    cuts = sorted(data.draw(st.lists(st.integers(0, number), max_size=4)))
    parts = [whole.slice(a, b - a) for a, b in zip([0, *cuts], [*cuts, number], strict=True)]
    load(target, [table(schema)], [parts], partition=WHOLE, rows=number)
    assert read_back(target, schema) == expected(whole)


def test_the_catalogue_has_the_types_that_were_declared(target: Target) -> None:
    loaded = table(SCHEMA)
    load(target, [loaded], [[]], partition=WHOLE)
    with target.warehouse().open("a test") as database:
        known = database.columns("t")
    dialect = target.warehouse().dialect
    declared = {field.name: declared_type(field, "t", dialect).sql(dialect) for field in SCHEMA}
    assert {name: type_.sql(dialect) for name, type_ in known.items()} == declared
    load(target, [loaded], [[]], partition=WHOLE, policy=SchemaChanges.FROZEN)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "snowflake", "bigquery"])
def test_each_dialect_can_read_the_ddl_that_is_written_in_it(dialect: str) -> None:
    schema = pa.schema([("select", pa.string()), ('quo"te', pa.string()), *SCHEMA])
    written = create_table(sqlglot.exp.table_("t", quoted=True), schema).sql(dialect)
    read = sqlglot.parse_one(written, dialect=dialect)
    assert isinstance(read, sqlglot.exp.Create)
    assert [column.name for column in read.find_all(sqlglot.exp.ColumnDef)] == schema.names


SNOWFLAKES = {
    pa.string(): ("TEXT", None, None),
    pa.bool_(): ("BOOLEAN", None, None),
    pa.int16(): ("NUMBER", 38, 0),
    pa.int32(): ("NUMBER", 38, 0),
    pa.int64(): ("NUMBER", 38, 0),
    pa.float32(): ("FLOAT", None, None),
    pa.float64(): ("FLOAT", None, None),
    pa.date32(): ("DATE", None, None),
    pa.time64("us"): ("TIME", None, None),
    pa.timestamp("us"): ("TIMESTAMP_NTZ", None, None),
    pa.timestamp("us", tz="UTC"): ("TIMESTAMP_TZ", None, None),
    pa.decimal128(18, 2): ("NUMBER", 18, 2),
    pa.decimal128(38, 0): ("NUMBER", 38, 0),
}


@pytest.mark.parametrize("type_", SNOWFLAKES, ids=str)
def test_what_snowflake_documents_of_its_catalogue_is_what_was_declared(type_: pa.DataType) -> None:
    name, *sizes = SNOWFLAKES[type_]
    assert known_type(name, (sizes[0], sizes[1]), "snowflake") == declared_type(
        pa.field("v", type_), "t", "snowflake"
    )


@pytest.mark.parametrize(
    "type_",
    [pa.binary(), pa.uint64(), pa.duration("s"), pa.timestamp("ns"), pa.map_(pa.string(), pa.int64())],
)
def test_a_type_that_no_column_has_is_refused_by_its_name(type_: pa.DataType) -> None:
    with pytest.raises(ConfigurationError, match=r"t\.v is .* cast it"):
        sql_type(pa.field("v", type_), "t")


TEXT = pa.schema([("n", pa.int64()), ("v", pa.string())])


def test_duckdb_keeps_the_character_nul(duckdb_file: Target) -> None:
    load(duckdb_file, [table(TEXT)], [[batch(TEXT, [[1], ["a\0b"]])]], partition=WHOLE)
    assert duckdb_file.rows("SELECT v FROM t") == [("a\0b",)]


def test_postgresql_refuses_the_character_nul_by_its_name_and_shows_no_value(
    postgresql_schema: Target,
) -> None:
    load(postgresql_schema, [table(TEXT)], [[batch(TEXT, [[1], ["old"]])]], partition=WHOLE)
    stamps = postgresql_schema.stamps()
    with pytest.raises(WarehouseError, match=r"the load of t failed: .*cannot store NUL") as raised:
        load(postgresql_schema, [table(TEXT)], [[batch(TEXT, [[2], ["secret\0"]])]], partition=WHOLE)
    assert "secret" not in str(raised.value)
    assert postgresql_schema.rows("SELECT v FROM t") == [("old",)]
    assert postgresql_schema.stamps() == stamps

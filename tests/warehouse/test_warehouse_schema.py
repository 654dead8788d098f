"""Columns that change: what the policy lets in, what is shown of the rest, and where tables are."""

from uuid import uuid4

import pyarrow as pa
import pytest

from resources.errors import ConfigurationError, SchemaChanged, WarehouseError
from resources.graphql.tables import FETCHED_AT
from resources.schema_changes import SchemaChanges
from resources.warehouse.flat import flat_tables
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.loading import Partition
from resources.warehouse.stamps import Generation
from tests.warehouse.warehouse_line import AT
from tests.warehouse.warehouse_targets import DAY, Target, load

FROZEN, ADDITIVE = SchemaChanges
NEXT_DAY = Partition("date=2026-11-23", pa.scalar("2026-11-23").cast(pa.date32()))
DATE = pa.field("date", pa.date32())


def schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([("id", pa.string()), *columns.items(), FETCHED_AT])


OLD = schema(a=pa.string(), b=pa.int64())
VALUES = {"id": "1", "a": "first", "b": 1, "c": 1.5, "tags": [{"x": "y", "z": "w"}], "fetched_at": AT}


def tables(of: pa.Schema, name: str = "t") -> list[LoadedTable]:
    return [LoadedTable(table, DATE) for table in flat_tables(name, of, ["id"])]


def batch(table: LoadedTable, **values: object) -> pa.RecordBatch:
    of_list = {"position": 0, **VALUES["tags"][0]} if table.flat.lists else {}  # type: ignore[index,dict-item]
    row = {**VALUES, **of_list, **values}
    own = {name: row[name] for name in table.flat.schema.names}
    return pa.RecordBatch.from_pylist([own], schema=table.flat.schema)


def load_row(
    target: Target,
    of: pa.Schema,
    *,
    partition: Partition = DAY,
    policy: SchemaChanges = FROZEN,
    namespace: str = "",
    **values: object,
) -> None:
    planned = tables(of)
    warehouse = target.warehouse(namespace=namespace)
    load(warehouse, planned, [[batch(t, **values)] for t in planned], partition=partition, policy=policy)


def test_a_new_column_stops_a_frozen_table_and_both_schemas_are_shown(target: Target) -> None:
    load_row(target, OLD)
    stamps = target.stamps()
    with pytest.raises(SchemaChanged) as raised:
        load_row(target, schema(a=pa.string(), b=pa.int64(), c=pa.float64()), a="new")
    said = str(raised.value).splitlines()
    assert said[0].startswith("t in the warehouse has other columns")
    assert [line.split(":")[0] for line in said[1:-1]] == [
        *("    date", "    id", "    a", "    b", "    fetched_at", "  + c")
    ]
    assert said[-1].endswith("set TARGETDATA_SCHEMA_CHANGES=additive")
    assert target.rows("SELECT a FROM t") == [("first",)]
    assert target.stamps() == stamps


def test_a_new_column_is_let_in_by_additive_null_before_and_shown_by_the_view(target: Target) -> None:
    load_row(target, OLD)
    wider = schema(c=pa.float64(), b=pa.int64(), a=pa.string())
    load_row(target, wider, policy=ADDITIVE, partition=NEXT_DAY, id="2", a="second")
    assert target.rows("SELECT id, a, b, c FROM t ORDER BY id") == [
        ("1", "first", 1, None), ("2", "second", 1, 1.5)
    ]  # fmt: skip
    assert target.rows("SELECT id, a, b, c FROM t__latest ORDER BY id") == target.rows(
        "SELECT id, a, b, c FROM t ORDER BY id"
    )
    load_row(target, wider, partition=NEXT_DAY, a="third")
    assert target.rows("SELECT a FROM t ORDER BY id") == [("first",), ("third",)]


def test_a_new_list_and_new_fields_of_its_objects_are_let_in(target: Target) -> None:
    load_row(target, OLD)
    narrow = schema(a=pa.string(), b=pa.int64(), tags=pa.list_(pa.struct([("x", pa.string())])))
    load_row(target, narrow, policy=ADDITIVE)
    both = pa.struct([("z", pa.string()), ("x", pa.string())])
    wide = schema(a=pa.string(), b=pa.int64(), tags=pa.list_(both))
    with pytest.raises(SchemaChanged, match="t__tags in the warehouse"):
        load_row(target, wide)
    load_row(target, wide, policy=ADDITIVE, partition=NEXT_DAY, id="2")
    expected = [("1", "y", None), ("2", "y", "w")]
    assert target.rows("SELECT id, x, z FROM t__tags ORDER BY id") == expected
    assert target.rows("SELECT id, x, z FROM t__tags__latest ORDER BY id") == expected


@pytest.mark.parametrize("policy", SchemaChanges)
@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        (schema(a=pa.string()), ["- b: BIGINT"]),
        (schema(a=pa.string(), b=pa.string()), ["- b: BIGINT", "+ b: TEXT"]),
        (schema(a=pa.string(), b=pa.decimal128(5, 2)), ["- b: BIGINT", "+ b: DECIMAL(5, 2)"]),
        (schema(a=pa.string(), b2=pa.int64()), ["- b: BIGINT", "+ b2: BIGINT"]),
    ],
    ids=["removed", "type", "decimal", "renamed"],
)
def test_a_column_that_is_gone_or_of_another_type_stops_under_any_policy(
    duckdb_file: Target, policy: SchemaChanges, changed: pa.Schema, shown: list[str]
) -> None:
    load_row(duckdb_file, OLD)
    values = dict.fromkeys(("b", "b2"))
    with pytest.raises(
        SchemaChanged, match=r"alter or drop b in the warehouse, or drop t and load"
    ) as raised:
        load_row(duckdb_file, changed, policy=policy, partition=NEXT_DAY, **values)
    assert [line.strip() for line in str(raised.value).splitlines() if line.strip()[0] in "+-"] == shown
    assert duckdb_file.rows("SELECT id, b FROM t") == [("1", 1)]


def test_of_decimals_the_size_is_looked_at(target: Target) -> None:
    load_row(target, schema(c=pa.decimal128(10, 2)), c=None)
    load_row(target, schema(c=pa.decimal128(10, 2)), c=None)
    with pytest.raises(SchemaChanged, match=r"- c: DECIMAL\(10, 2\)\n.*\n? *\+ c: DECIMAL\(12, 2\)"):
        load_row(target, schema(c=pa.decimal128(12, 2)), c=None)


def test_values_land_in_their_columns_whatever_the_order_in_the_warehouse(target: Target) -> None:
    load_row(target, OLD)
    target.execute("DROP VIEW t__latest", "ALTER TABLE t DROP COLUMN a", "ALTER TABLE t ADD COLUMN a TEXT")
    load_row(target, OLD, a="now last")
    assert target.rows("SELECT id, a, b FROM t__latest") == [("1", "now last", 1)]


def test_a_column_of_somebody_elses_is_shown_whatever_its_type(postgresql_schema: Target) -> None:
    load_row(postgresql_schema, OLD)
    postgresql_schema.execute("ALTER TABLE t ADD COLUMN words tsvector")
    with pytest.raises(SchemaChanged, match="- words: tsvector"):
        load_row(postgresql_schema, OLD, policy=ADDITIVE)


def test_a_column_that_comes_while_a_load_begins_stops_it(target: Target) -> None:
    (table,) = tables(OLD)
    with pytest.raises(SchemaChanged, match=r"- late: .*\n.*drop late in the warehouse"):
        with target.warehouse().replacing([table], DAY, run="run-1") as replacement:
            replacement.database.execute("ALTER TABLE t ADD COLUMN late TEXT", "a test")
            replacement.replace(table, [batch(table)], Generation(1, "run-1"))
    load_row(target, OLD)


LONG = "x" * 70


@pytest.mark.parametrize(
    ("name", "of", "namespace", "said"),
    [
        ("t" * 56, OLD, "", f"{'t' * 56}__latest"),
        ("t", schema(**{LONG: pa.string()}), "", LONG),
        ("t", schema(**{"ä" * 32: pa.string()}), "", "ä" * 32),
        ("t", OLD, LONG, LONG),
    ],
    ids=["table", "column", "bytes", "schema"],
)
def test_a_name_that_postgresql_would_cut_is_refused(
    postgresql_schema: Target, name: str, of: pa.Schema, namespace: str, said: str
) -> None:
    planned = tables(of, name)
    with pytest.raises(ConfigurationError, match=f"^{said} is longer than the 63 bytes"):
        load(postgresql_schema.warehouse(namespace=namespace), planned, [[]])


def test_duckdb_takes_long_names(duckdb_file: Target) -> None:
    load(duckdb_file.warehouse(namespace=LONG), tables(OLD, "t" * 70), [[]])


def test_tables_of_two_sql_schemas_do_not_meet(target: Target) -> None:
    one, two = (f"{name} {uuid4()}" for name in ("Eu", "us"))
    load_row(target, OLD, namespace=one)
    load_row(target, schema(other=pa.string()), namespace=two, other="here")
    load_row(target, OLD, namespace=one, a="again")
    assert target.rows(f'SELECT a FROM "{one}".t') == target.rows(f'SELECT a FROM "{one}".t__latest')
    assert target.rows(f'SELECT a FROM "{one}".t') == [("again",)]
    assert target.rows(f'SELECT other FROM "{two}".t__latest') == [("here",)]
    assert target.rows(f'SELECT count(*) FROM "{two}".targetdata_loads') == [(1,)]


def test_who_may_write_a_schema_needs_no_right_to_make_any(postgresql_schema: Target) -> None:
    name = postgresql_schema.uri.rpartition("%3D")[2]
    postgresql_schema.execute(f"CREATE ROLE {name} LOGIN", f"GRANT USAGE, CREATE ON SCHEMA {name} TO {name}")
    restricted = Target(postgresql_schema.uri.replace("postgres:@", f"{name}@"))
    load_row(restricted, OLD, namespace=name)
    assert restricted.rows("SELECT a FROM t") == [("first",)]
    with pytest.raises(WarehouseError, match="the making of the schema new failed: permission denied"):
        load_row(restricted, OLD, namespace="new")


def test_columns_that_differ_in_case_only_are_named_before_duckdb_takes_them_for_one(
    duckdb_file: Target,
) -> None:
    schema = pa.schema([("umid", pa.string()), ("UMID", pa.string())])
    tables = [LoadedTable(table, None) for table in flat_tables("frames", schema)]
    with pytest.raises(
        ConfigurationError, match="frames has the columns umid and UMID, which differ in case"
    ):
        load(duckdb_file, tables, [[]], partition=Partition("", None))


def test_postgresql_tells_columns_apart_by_their_case(postgresql_schema: Target) -> None:
    schema = pa.schema([("umid", pa.string()), ("UMID", pa.string())])
    tables = [LoadedTable(table, None) for table in flat_tables("frames", schema)]
    rows = [pa.RecordBatch.from_pydict({"umid": ["a"], "UMID": ["b"]}, schema=schema)]
    load(postgresql_schema, tables, [rows], partition=Partition("", None))
    assert postgresql_schema.rows('SELECT umid, "UMID" FROM frames') == [("a", "b")]

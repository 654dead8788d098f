"""The views `<table>__latest`: the newest row of each identity, and of a list the elements of that row."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.graphql.tables import FETCHED_AT
from resources.warehouse.database import Database
from resources.warehouse.flat import flat_tables
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.loading import Partition
from tests.warehouse.warehouse_targets import Rows, Target, load

BEGIN = datetime(2026, 11, 22, tzinfo=UTC)
DATE = pa.field("date", pa.date32())
INNER = pa.struct([("w", pa.string())])
TAG = pa.struct([("name", pa.string()), ("inner", pa.list_(INNER))])
SCHEMA = pa.schema([("id", pa.string()), ("n", pa.int64()), ("tags", pa.list_(TAG)), FETCHED_AT])
KINDS = {"one": ["id"], "two": ["id", "n"]}

inners = st.lists(st.fixed_dictionaries({"w": st.sampled_from(["x", None])}), max_size=2)
tags = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("yz"), "inner": st.none() | inners}), max_size=2
)
people = st.fixed_dictionaries(
    {
        "id": st.sampled_from("abc") | st.none(),
        "n": st.integers(0, 1),
        "tags": st.none() | tags,
        "fetched_at": st.integers(0, 3).map(lambda hours: BEGIN + timedelta(hours=hours)),
    }
)
Row = Mapping[str, Any]


def partitions(keys: list[str]) -> st.SearchStrategy[dict[date, list[Row]]]:
    """Draw the rows of some days, in which no identity comes twice; nobody has no lists."""
    days = st.sampled_from([date(2026, 11, day) for day in range(20, 24)])
    own = st.lists(people, max_size=4, unique_by=lambda row: tuple(row[key] for key in keys))
    return st.dictionaries(days, own.map(lambda rows: [_listless(row) for row in rows]), max_size=4)


def _listless(row: Row) -> Row:
    return row if row["id"] is not None else {**row, "tags": None}


def newest(loaded: Mapping[date, list[Row]], keys: list[str]) -> list[tuple[date, Row]]:
    """Go through all rows in the order of time and partition; the last of an identity stays."""
    rows = [(day, row) for day, own in loaded.items() for row in own if row["id"] is not None]
    rows.sort(key=lambda one: (one[1]["fetched_at"], one[0]))
    return list({tuple(row[key] for key in keys): (day, row) for day, row in rows}.values())


@pytest.fixture(params=KINDS)
def made(target: Target, request: pytest.FixtureRequest) -> Iterator[tuple[Database, list[LoadedTable]]]:
    """Give the tables and their views, without rows, and a connection."""
    tables = [LoadedTable(t, DATE) for t in flat_tables(request.param, SCHEMA, KINDS[request.param])]
    load(target, tables, [[]] * len(tables))
    with target.warehouse().open("a test") as database:
        yield database, tables


@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_newest_row_of_each_identity_and_its_elements_are_shown(
    made: tuple[Database, list[LoadedTable]], data: st.DataObject
) -> None:
    database, tables = made
    keys = list(tables[0].flat.keys)
    loaded = data.draw(partitions(keys))
    for table in tables:
        database.execute(f'DELETE FROM "{table.name}"', "a test")
        database.ingest(table.name, table.schema, dated_batches(table, loaded), "a test")
    shown = newest(loaded, keys)
    expected = [(day, row["id"], row["n"], row["fetched_at"]) for day, row in shown]
    assert read(database, tables[0], "date", "id", "n", "fetched_at") == sorted(expected)
    elements = [(row, n, tag) for _, row in shown for n, tag in enumerate(row["tags"] or [])]
    expected = [(*(row[key] for key in keys), n, tag["name"]) for row, n, tag in elements]
    assert read(database, tables[1], *keys, "position", "name") == sorted(expected)
    expected = [(row["id"], n, at) for row, n, tag in elements for at in range(len(tag["inner"] or []))]
    assert read(database, tables[2], "id", "tags_position", "position") == sorted(expected)


def read(database: Database, table: LoadedTable, *columns: str) -> Rows:
    return sorted(database.rows(f'SELECT {", ".join(columns)} FROM "{table.name}__latest"', "a test"))


def dated_batches(table: LoadedTable, loaded: Mapping[date, list[Row]]) -> Iterator[pa.RecordBatch]:
    """Give the rows of all partitions."""
    for day, rows in loaded.items():
        for batch in flat_batches(table, pa.Table.from_pylist(rows, schema=SCHEMA)):
            dates = pa.array([day] * batch.num_rows)
            yield pa.RecordBatch.from_arrays([dates, *batch.columns], schema=table.schema)


def flat_batches(table: LoadedTable, rows: pa.Table) -> list[pa.RecordBatch]:
    """Make the flat rows, by way of a file."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink)
    return list(table.flat.batches(pa.BufferReader(sink.getvalue())))


def test_a_table_without_partitions_has_its_newest_rows_too(target: Target) -> None:
    tables = [LoadedTable(table, None) for table in flat_tables("t", SCHEMA, ["id"])]
    rows = [{"id": id_, "n": n, "tags": [{"name": id_}], "fetched_at": BEGIN} for n, id_ in enumerate("ab")]
    own = [flat_batches(table, pa.Table.from_pylist(rows, schema=SCHEMA)) for table in tables]
    load(target, tables, own, partition=Partition("", None))
    assert target.rows("SELECT id, n FROM t__latest ORDER BY id") == [("a", 0), ("b", 1)]
    assert target.rows("SELECT id, name FROM t__tags__latest ORDER BY id") == [("a", "a"), ("b", "b")]


def test_where_nothing_tells_rows_apart_there_is_no_newest(duckdb_file: Target) -> None:
    plain = pa.schema([("id", pa.string()), FETCHED_AT])
    load(duckdb_file, [LoadedTable(table, DATE) for table in flat_tables("t", plain)], [[]])
    assert duckdb_file.rows("SELECT view_name FROM duckdb_views() WHERE NOT internal") == []

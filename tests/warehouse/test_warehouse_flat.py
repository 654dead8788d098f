"""Nested tables made flat: nothing is lost, nothing doubled, whatever the shape."""

import io
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from resources.errors import AccountingError, ConfigurationError, ValueMisfit
from resources.graphql.child_table import ChildTable
from resources.graphql.tables import FETCHED_AT
from resources.warehouse import flat
from resources.warehouse.flat import FlatTable, flat_tables
from resources.warehouse.unnested import unnested, unnested_schema
from tests.warehouse.warehouse_nested import (
    AT,
    ID,
    cells,
    columns,
    fewer,
    layout,
    read_plainly,
    schemas,
    tables,
)


def written(table: pa.Table) -> pa.BufferReader:
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=4)
    return pa.BufferReader(sink.getvalue())


def rows(flat_table: FlatTable, file: pa.NativeFile) -> list[dict[str, object]]:
    batches = list(flat_table.batches(file))
    assert all(batch.schema == flat_table.schema for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()]


def is_clear(schema: pa.Schema) -> bool:
    """Say whether each table and each column, before lists are taken out, has a name of its own."""
    there = layout("t", schema)
    names = [Counter(name for name, _, _ in there)]
    names += [Counter([*own, *lists]) for _, own, lists in there]
    return all(number == 1 for counted in names for number in counted.values())


@given(st.data())
def test_any_table_is_flat_as_a_plain_reading_of_its_rows_says(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    if not is_clear(schema):
        event("a clash of names")
        with pytest.raises(ConfigurationError, match=r"two (columns|tables)"):
            flat_tables("t", schema, ["id"])
        return
    older = pa.schema(data.draw(fewer(schema)))
    table = data.draw(tables(older))
    planned = flat_tables("t", schema, ["id"])
    assert [(made.name, made.schema.names) for made in planned] == columns("t", schema)
    expected = read_plainly("t", table, schema)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flat, "BATCH_ROWS", data.draw(st.integers(1, 7)))
        assert {made.name: rows(made, written(table)) for made in planned} == expected


@given(st.data())
def test_batches_that_are_parts_of_others_are_read_as_their_own_rows(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    table = data.draw(tables(schema)).combine_chunks()
    (batch,) = table.to_batches() or [pa.RecordBatch.from_pylist([], schema=schema)]
    start = data.draw(st.integers(0, batch.num_rows))
    part = batch.slice(start, data.draw(st.integers(0, batch.num_rows - start)))
    made = unnested(part, unnested_schema(schema))
    made.validate(full=True)
    assert made.num_rows == part.num_rows
    for number, row in enumerate(part.to_pylist()):
        plain = [cell.value for cell in cells(schema, row)]
        got = [column[number].as_py() for column in made.columns]
        assert got == [_apart(cell, type_) for cell, type_ in zip(plain, _types(schema), strict=True)]


def _types(schema: pa.Schema) -> list[pa.DataType]:
    return [cell.type for cell in cells(schema, None)]


def _apart(value: object, type_: pa.DataType) -> object:
    """Take the structs of a list's objects apart."""
    if value is None or not pa.types.is_list(type_):
        return value
    assert isinstance(value, list)
    item = type_.value_type
    if not pa.types.is_struct(item):
        return [_apart(one, item) for one in value]
    return [
        None if one is None else {c.name: _apart(c.value, c.type) for c in cells(item, one)} for one in value
    ]


def test_an_identity_inside_of_a_struct_names_the_rows_of_lists() -> None:
    who = pa.struct([("id", pa.string()), ("name", pa.string())])
    schema = pa.schema([("who", who), ("tags", pa.list_(pa.string())), FETCHED_AT])
    table = pa.Table.from_pylist(
        [{"who": {"id": "1", "name": "a"}, "tags": ["x", "y"], "fetched_at": AT}], schema=schema
    )
    main, tags = flat_tables("t", schema, ["who_id"])
    assert rows(main, written(table)) == [{"who_id": "1", "who_name": "a", "fetched_at": AT}]
    assert rows(tags, written(table)) == [
        {"who_id": "1", "position": n, "value": value, "fetched_at": AT} for n, value in enumerate("xy")
    ]
    assert tags.origins == {"who_id": "who", "position": "tags", "value": "tags", "fetched_at": "fetched_at"}


def test_a_list_under_a_null_keeps_nothing_of_what_lies_there() -> None:
    words = pa.array(["lost", "kept", "lost", None])
    items = pa.StructArray.from_arrays([words], ["word"], mask=pa.array([True, False, False, False]))
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 3, 4], pa.int32()), items, mask=_mask(0, 1, 0))
    within = pa.StructArray.from_arrays([lists, pa.array([1, 2, 3])], ["l", "n"], mask=_mask(0, 0, 1))
    batch = pa.RecordBatch.from_arrays([within], ["s"])
    made = unnested(batch, unnested_schema(batch.schema))
    made.validate(full=True)
    assert made.to_pylist() == [
        {"s_l": [None, {"word": "kept"}], "s_n": 1},
        {"s_l": None, "s_n": 2},
        {"s_l": None, "s_n": None},
    ]


def _mask(*nulls: int) -> pa.Array:
    return pa.array([bool(null) for null in nulls])


LISTED = pa.schema([ID, ("tags", pa.list_(pa.string())), FETCHED_AT])


def test_a_list_of_nobody_is_refused_and_nobody_without_a_list_is_not() -> None:
    main, tags = flat_tables("t", LISTED, ["id"])
    table = pa.Table.from_pylist([{"id": None, "tags": [], "fetched_at": AT}], schema=LISTED)
    assert len(rows(main, written(table))) == 1
    assert rows(tags, written(table)) == []
    table = pa.Table.from_pylist([{"id": None, "tags": ["secret"], "fetched_at": AT}], schema=LISTED)
    assert len(rows(main, written(table))) == 1
    with pytest.raises(ValueMisfit, match=r"t: id is null in a row that has tags.*identity") as raised:
        rows(tags, written(table))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("schema", "keys"), [(LISTED, []), (pa.schema([ID, LISTED.field("tags")]), ["id"])], ids=["key", "time"]
)
def test_lists_without_anything_to_belong_to_are_refused(schema: pa.Schema, keys: list[str]) -> None:
    with pytest.raises(ConfigurationError, match=r"t has the lists tags.*identity="):
        flat_tables("t", schema, keys)


def test_a_file_of_none_of_the_columns_has_as_many_rows_of_nulls() -> None:
    (main,) = flat_tables("t", pa.schema([("a", pa.int64()), ("s", pa.struct([("b", pa.string())]))]))
    assert rows(main, written(pa.table({"other": [1, 2]}))) == [{"a": None, "s_b": None}] * 2


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (pa.array([2**40]), pa.int32()),
        (pa.array(["secret"]), pa.int64()),
        (pa.array(["secret"]), pa.struct([("a", pa.string())])),
        (pa.array([["secret"]]), pa.list_(pa.float64())),
    ],
    ids=str,
)
def test_a_file_whose_values_fit_no_more_is_refused_and_none_of_them_shown(
    older: pa.Array, newer: pa.DataType
) -> None:
    table = pa.table({"id": ["1"], "a": older, "fetched_at": pa.array([AT], FETCHED_AT.type)})
    planned = flat_tables("t", pa.schema([ID, ("a", newer), FETCHED_AT]), ["id"])
    with pytest.raises(ValueMisfit, match=r"t\.a .* materialize") as raised:
        rows(planned[-1], written(table))
    assert not any(value in str(raised.value) for value in ("secret", str(2**40)))


def test_elements_that_are_lost_while_a_list_is_taken_apart_end_the_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schema = pa.schema([("id", pa.string()), ("tags", pa.list_(pa.string())), FETCHED_AT])
    table = pa.Table.from_pylist([{"id": "a", "tags": ["x", "y"]}, {"id": "b", "tags": None}], schema=schema)
    (_, tags) = flat_tables("t", schema, ["id"])
    assert sum(batch.num_rows for batch in tags.batches(written(table))) == 2
    whole = ChildTable.rows
    monkeypatch.setattr(ChildTable, "rows", lambda child, parents: whole(child, parents).slice(1))
    with pytest.raises(AccountingError, match=r"the lists tags have 2 elements, and 1 rows were made"):
        list(tags.batches(written(table)))

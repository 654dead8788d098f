"""A table keeps its columns, or gets more of them where that is allowed; else nothing begins."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
import pytest
from graphql import build_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.extraction import Extraction
from resources.errors import LakeError, SchemaChanged
from resources.graphql.query import Query
from resources.lake import Lake
from resources.lake.columns_policy import column_changes, require_columns
from resources.lake.declared import read_type
from resources.lake.frames.reader import dataset, one_type
from resources.lake.place import Place
from resources.lake.publishing.manifest import Manifest, column_types
from resources.schema_changes import SchemaChanges
from resources.targetdata import TargetDataResource
from tests.conftest import SCHEMA, Connect
from tests.sandbox import Sandbox

FROZEN, ADDITIVE = SchemaChanges
ITEM = pa.struct([("name", pa.string()), ("tags", pa.list_(pa.struct([("a", pa.int64())])))])
MORE_TAGS = pa.list_(pa.struct([("a", pa.int64()), ("b", pa.date32())]))
MORE = pa.struct([("added", pa.bool_()), ("name", pa.string()), ("tags", MORE_TAGS)])
OLD = pa.schema([("id", pa.string()), ("n", pa.int64()), ("items", pa.list_(ITEM)), ("one", ITEM)])
WIDER = pa.schema([("id", pa.string()), ("n", pa.int64()), ("items", pa.list_(MORE)), ("one", MORE)])
DAYS = ["date=2026-11-20", "date=2026-11-21"]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(path=str(tmp_path / "lake"))


def publish(lake: Lake, schema: pa.Schema, folder: str, *rows: dict[str, Any], table: str = "people") -> None:
    with lake.write(folder, {table: schema}, run="run") as writer:
        writer.write({table: pa.Table.from_pylist(list(rows), schema=schema)})


def changes(before: pa.Schema, after: pa.Schema) -> list[str]:
    return [str(change) for change in column_changes(column_types(before), after)]


def refused(lake: Lake, schema: pa.Schema, policy: SchemaChanges, *replaced: str) -> str:
    """Give the error of new columns; empty if they pass."""
    try:
        require_columns(lake, {"people": schema}, replaced=replaced, policy=policy)
    except SchemaChanged as error:
        return str(error)
    return ""


CHANGED = {
    "added": (OLD.append(pa.field("z", pa.bool_())), "+ z: bool", True),
    "removed": (OLD.remove(1), "- n: int64", False),
    "retyped": (OLD.set(1, pa.field("n", pa.string())), "~ n: int64 -> string", False),
    "widened": (OLD.set(1, pa.field("n", pa.float64())), "~ n: int64 -> double", False),
    "a list": (OLD.set(1, pa.field("n", pa.list_(pa.int64()))), "~ n: int64 -> list<item: int64>", False),
    "added inside": (OLD.set(3, pa.field("one", MORE)), "+ one.added: bool", True),
    "added in a list": (
        OLD.set(2, pa.field("items", pa.list_(MORE))),
        "+ items[].tags[].b: date32[day]",
        True,
    ),
    "removed inside": (
        OLD.set(3, pa.field("one", pa.struct([ITEM.field(0)]))),
        "- one.tags: list<item: struct<a: int64>>",
        False,
    ),
}


@pytest.mark.parametrize(("schema", "line", "adds"), CHANGED.values(), ids=CHANGED)
def test_each_change_is_shown_by_column_and_only_additions_may_pass(
    schema: pa.Schema, line: str, adds: bool, lake: Lake
) -> None:
    publish(lake, OLD, DAYS[0])
    said = refused(lake, schema, FROZEN)
    assert f"\n  {line}\n" in said
    assert f"people/{DAYS[0]}" in said
    assert ("TARGETDATA_SCHEMA_CHANGES=additive" in said) == adds
    assert ("another name than people" in said) == (not adds)
    assert bool(refused(lake, schema, ADDITIVE)) == (not adds)


def test_an_addition_beside_another_change_does_not_pass_and_is_not_blamed(lake: Lake) -> None:
    publish(lake, OLD, DAYS[0])
    schema = OLD.remove(1).append(pa.field("z", pa.bool_()))
    assert "+ z: bool" in refused(lake, schema, FROZEN)
    said = refused(lake, schema, ADDITIVE)
    assert "- n: int64" in said
    assert "+ z" not in said


@pytest.mark.parametrize("policy", SchemaChanges)
def test_the_same_columns_pass_in_any_order_and_so_does_the_first_partition(
    policy: SchemaChanges, lake: Lake
) -> None:
    assert not refused(lake, OLD, policy)
    publish(lake, OLD, DAYS[0])
    turned = pa.struct(reversed(list(ITEM)))
    assert not refused(lake, pa.schema([pa.field("one", turned), *list(OLD)[:3]]), policy)


def test_what_the_run_replaces_does_not_count_and_of_the_others_the_last_published_does(lake: Lake) -> None:
    publish(lake, WIDER, DAYS[1])
    publish(lake, OLD, DAYS[0])
    assert refused(lake, WIDER, FROZEN)
    assert not refused(lake, WIDER, FROZEN, DAYS[0])
    assert not refused(lake, pa.schema([("other", pa.string())]), FROZEN, *DAYS)


def publish_at(lake: Lake, schema: pa.Schema, folder: str, observed_at: datetime) -> None:
    publish(lake, schema, folder)
    path = lake.root / "people" / folder / "_manifest.json"
    path.write_bytes(
        msgspec.json.encode(msgspec.structs.replace(Manifest.read(path), observed_at=observed_at))
    )


@pytest.mark.parametrize("policy", SchemaChanges)
@pytest.mark.parametrize("ahead", [True, False])
def test_no_type_may_be_another_than_in_any_partition_that_stays_whatever_the_clock_said(
    ahead: bool, policy: SchemaChanges, lake: Lake
) -> None:
    now, narrow = datetime.now(UTC), OLD.remove(1)
    publish_at(lake, narrow, DAYS[0], now + timedelta(days=400 if ahead else -400))
    publish_at(lake, OLD, DAYS[1], now)
    said = refused(lake, OLD.set(1, pa.field("n", pa.string())), policy)
    assert f"people/{DAYS[1]} has" in said
    assert "~ n: int64 -> string" in said
    assert "another name than people" in said
    assert not refused(lake, OLD.set(1, pa.field("n", pa.string())), ADDITIVE, DAYS[1])
    assert not refused(lake, OLD, ADDITIVE)


def test_a_type_that_was_another_inside_of_an_object_is_found_in_an_older_partition(lake: Lake) -> None:
    now = datetime.now(UTC)
    publish_at(lake, WIDER, DAYS[0], now)
    publish_at(lake, OLD, DAYS[1], now + timedelta(days=1))
    other = pa.struct([("added", pa.string()), *list(MORE)[1:]])
    said = refused(lake, WIDER.set(3, pa.field("one", other)), ADDITIVE)
    assert f"people/{DAYS[0]} has" in said
    assert "~ one.added: bool -> string" in said


def test_all_tables_of_an_extract_are_compared(lake: Lake) -> None:
    publish(lake, OLD, DAYS[0], table="people__lookups")
    with pytest.raises(SchemaChanged, match=r"people__lookups(?s:.)*- n: int64"):
        require_columns(lake, {"people": OLD, "people__lookups": OLD.remove(1)}, replaced=[], policy=ADDITIVE)


def test_a_manifest_that_is_no_manifest_of_ours_is_named() -> None:
    with pytest.raises(LakeError, match="n is nonsense<"):
        list(column_changes({"n": "nonsense<"}, OLD))


leaves = st.sampled_from([pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.date32(), pa.decimal128(9, 2),
                          pa.timestamp("us", tz="UTC")])  # fmt: skip


def structs(inner: st.SearchStrategy[pa.DataType]) -> st.SearchStrategy[pa.DataType]:
    return st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3).map(
        lambda fields: pa.struct(list(fields.items()))
    )


types = st.recursive(leaves, lambda inner: structs(inner) | inner.map(pa.list_), max_leaves=6)


@given(types, types)
@settings(max_examples=200)
def test_types_are_compared_as_they_can_be_read_together(old: pa.DataType, new: pa.DataType) -> None:
    assert read_type(str(old)) == old
    found = list(column_changes({"c": str(old)}, pa.schema([("c", new)])))
    if str(old) == str(new):
        assert found == []
    if all(change.before is None for change in found):
        both = one_type(new, old)
        assert both is not None
        assert changes(pa.schema([("c", both)]), pa.schema([("c", new)])) == []
        pa.array([None], old).cast(both)
    if one_type(new, old) is None:
        assert any(change.before and change.after for change in found)


def test_partitions_with_and_without_an_added_field_are_read_together_by_all_readers(lake: Lake) -> None:
    item = {"name": "x", "tags": [{"a": 1}, None]}
    publish(lake, OLD, DAYS[0], {"id": "old", "n": 1, "items": [item, None], "one": item}, {"id": "none"})
    assert not refused(lake, WIDER, ADDITIVE)
    new = {"added": True, "name": "y", "tags": [{"a": 2, "b": None}]}
    publish(lake, WIDER, DAYS[1], {"id": "new", "n": 2, "items": [new], "one": new})
    filled = {"added": None, "name": "x", "tags": [{"a": 1, "b": None}, None]}
    expected = {"old": [filled, None], "none": None, "new": [new]}
    opened = dataset(lake, "people", [Place(day, day) for day in DAYS], warn=str)
    files = [str(lake.root / "people" / day / "part-00000.parquet") for day in DAYS]
    readers = {
        "ours": opened.to_table(),
        "pyarrow": pads.dataset(files, schema=WIDER).to_table(),
        "polars of ours": pl.scan_pyarrow_dataset(opened).collect().to_arrow(),
        "polars": pl.concat(map(pl.read_parquet, files), how="diagonal_relaxed").to_arrow(),
        "duckdb": duckdb.sql(f"FROM read_parquet({files}, union_by_name = true)").to_arrow_table(),
    }
    for name, table in readers.items():
        assert {row["id"]: row["items"] for row in table.to_pylist()} == expected, name
    some = opened.to_table(columns=["id"], filter=pads.field("n") == 2)
    assert some.to_pylist() == [{"id": "new"}]


def test_an_added_field_that_is_never_null_is_null_in_older_partitions(lake: Lake) -> None:
    never = pa.struct([("x", pa.int64()), pa.field("y", pa.string(), nullable=False)])
    publish(lake, pa.schema([("c", pa.struct([("x", pa.int64())]))]), DAYS[0], {"c": {"x": 1}})
    publish(lake, pa.schema([("c", never)]), DAYS[1], {"c": {"x": 2, "y": "b"}})
    table = dataset(lake, "people", [Place(day, day) for day in DAYS], warn=str).to_table()
    assert table["c"].to_pylist() == [{"x": 1, "y": None}, {"x": 2, "y": "b"}]


PARTITIONS = dg.StaticPartitionsDefinition(["a", "b"])
SELECTED = "query people($umid: String!) {{ personTargetDataByUmid(umid: $umid) {{ profileId {} }} }}"
Materialize = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def extract(lake: Lake, sandbox: Sandbox, connect: Connect) -> Materialize:
    """Run an extract of one partition, with these fields, by a loop or as a range."""

    def run(fields: str, key: str, *, policy: SchemaChanges = FROZEN, range_: bool = True) -> Any:
        schema = build_schema(SCHEMA.read_text())
        query = Query.parse(SELECTED.format(fields), schema=schema, path="people", name="people")
        keys = pa.table({"umid": sandbox.umids_of(date(2026, 11, 22))[:3]})

        @dg.asset(partitions_def=PARTITIONS)
        def people(context: dg.AssetExecutionContext, targetdata: TargetDataResource, lake: Lake) -> None:
            extraction = Extraction(context, lake, query, schema_changes=policy)
            if range_:
                with extraction.range() as days:
                    for page in targetdata.pages(query, keys=days.grouped({key: keys})):
                        days.write(page)
            else:
                with extraction.partition(key) as partition:
                    for page in targetdata.pages(query, keys=keys):
                        partition.write(page)

        resources = {"targetdata": connect(sandbox), "lake": lake}
        return dg.materialize([people], partition_key=key, resources=resources, raise_on_error=False)

    return run


@pytest.mark.parametrize("range_", [True, False])
def test_an_extraction_with_other_columns_stops_before_it_asks_or_writes_anything(
    range_: bool, extract: Materialize, lake: Lake, sandbox: Sandbox
) -> None:
    assert extract("owner", "a", range_=range_).success
    sandbox.clear()
    before = sorted(lake.root.rglob("*"))
    failed = extract("owner category", "b", range_=range_)
    assert not failed.success
    (event,) = failed.get_step_failure_events()
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    assert "+ category: string" in (failure.description or "")
    assert failure.metadata["error"].value == "SchemaChanged"
    assert sandbox.requests == []
    assert sorted(lake.root.rglob("*")) == before


def test_with_the_policy_additive_new_columns_are_let_in_and_others_are_not(
    extract: Materialize, lake: Lake
) -> None:
    assert extract("owner", "a").success
    assert extract("owner category", "b", policy=ADDITIVE).success
    assert lake.read("people", "partition=b").schema.names[1:4] == ["profile_id", "owner", "category"]
    assert not extract("category", "a", policy=ADDITIVE).success


def test_a_run_that_replaces_the_only_partition_may_change_its_columns(extract: Materialize) -> None:
    assert extract("owner", "a").success
    assert extract("category", "a").success

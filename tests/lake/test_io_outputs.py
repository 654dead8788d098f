"""Frames that assets return: published like any other table, or refused with the column's name."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resources.errors import LakeError
from resources.lake import EachPartition, Lake, LakeIOManager
from resources.lake.declared import table_schema
from resources.lake.frames.table_writer import SLICE_ROWS

DAILY = dg.DailyPartitionsDefinition("2026-11-20", end_date="2026-11-24")
DAYS = ["2026-11-20", "2026-11-21", "2026-11-22"]
ROWS = pa.table(
    {
        "id": ["a", None],
        "visits": pa.array([2**53 + 1, None], pa.int64()),
        "at": pa.array([datetime(2026, 11, 22, 5, 6, 7, 89, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
        "born": pa.array([date(1990, 1, 2), None]),
        "spent": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
        "items": pa.array(
            [[{"name": "x", "n": 1}, None], None], pa.list_(pa.struct({"name": pa.string(), "n": pa.int64()}))
        ),
    }
)
FRAMES: dict[str, Any] = {
    "pandas": ROWS.to_pandas(types_mapper=pd.ArrowDtype),
    "pyarrow": ROWS,
    "polars": pl.DataFrame(ROWS),
    "lazy": pl.DataFrame(ROWS).lazy(),
}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(path=str(tmp_path / "lake"))


class Returning:
    """Runs an asset `people` that returns what a test says."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.instance = dg.DagsterInstance.ephemeral()

    def __call__(
        self, value: object, *days: str, returns: object = None, schema: pa.Schema = None, check: bool = True
    ) -> dg.ExecuteInProcessResult:
        def people(context: dg.AssetExecutionContext) -> Any:
            return value(context) if callable(value) else value

        people.__annotations__["return"] = returns or Any
        if returns is None:
            del people.__annotations__["return"]
        asset = dg.asset(
            partitions_def=DAILY if days else None,
            backfill_policy=dg.BackfillPolicy.single_run() if days else None,
            metadata={"dagster/column_schema": table_schema(schema)} if schema else {},
        )(people)
        ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
        return dg.materialize(
            [asset],
            resources={"io_manager": LakeIOManager(path=self.lake.path)},
            instance=self.instance,
            tags=dict(zip(ends, (days[0], days[-1]), strict=True)) if len(days) > 1 else {},
            partition_key=days[0] if len(days) == 1 else None,
            raise_on_error=check,
        )

    def recorded(self) -> dict[str | None, dict[str, object]]:
        """Give the metadata of the last materialization of each partition."""
        events = self.instance.fetch_materializations(dg.AssetKey("people"), limit=100).records
        found = {}
        for event in reversed(events):
            metadata = event.asset_materialization.metadata
            found[event.partition_key] = {name: value.value for name, value in metadata.items()}
        return found


@pytest.fixture
def returning(lake: Lake) -> Returning:
    return Returning(lake)


def said(returning: Returning, value: object, *days: str, **asset: Any) -> str:
    """Run an asset that must fail, and give what it fails with; nothing of it may be in the lake."""
    before = [(m.partition, m.generation) for m in returning.lake.manifests("people")]
    with pytest.raises(dg.Failure) as error:
        returning(value, *days, **asset)
    assert [(m.partition, m.generation) for m in returning.lake.manifests("people")] == before
    staging = returning.lake.root / "_staging"
    assert not staging.exists() or list(staging.iterdir()) == []
    assert error.value.allow_retries is False
    return str(error.value.description)


@pytest.mark.parametrize("kind", FRAMES)
def test_a_returned_frame_is_published_with_all_its_values(returning: Returning, kind: str) -> None:
    run = returning(FRAMES[kind], DAYS[0], returns=type(FRAMES[kind]))
    assert returning.lake.read("people", f"date={DAYS[0]}").replace_schema_metadata().equals(ROWS)
    path = returning.lake.root / "people" / f"date={DAYS[0]}" / "part-00000.parquet"
    file = pq.ParquetFile(path)
    footer = file.schema_arrow.metadata
    assert (footer[b"generation"], footer[b"run"]) == (b"1", run.dagster_run.run_id.encode())
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    manifest = returning.lake.manifest("people", f"date={DAYS[0]}")
    assert manifest is not None
    assert (manifest.rows, manifest.run) == (2, run.dagster_run.run_id)


def test_the_rows_of_the_whole_table_are_recorded_after_each_partition(returning: Returning) -> None:
    returning(lambda c: dict.fromkeys(c.partition_keys, FRAMES["pandas"]), *DAYS[:2])
    returning(FRAMES["pandas"].head(1), DAYS[1])
    recorded = returning.recorded()
    counts = {day: figures["dagster/row_count"] for day, figures in recorded.items()}
    assert counts == {DAYS[0]: 2, DAYS[1]: 3}
    manifest = returning.lake.root / "people" / f"date={DAYS[0]}" / "_manifest.json"
    manifest.write_text("{")
    returning(FRAMES["pandas"], DAYS[1], schema=ROWS.schema)
    assert "dagster/row_count" not in returning.recorded()[DAYS[1]], "it is not known, and no reason to fail"


def test_a_partition_is_recorded_with_its_figures_and_columns(returning: Returning) -> None:
    returning(FRAMES["pandas"], DAYS[0])
    returning(FRAMES["pandas"], DAYS[0])
    figures = returning.recorded()[DAYS[0]]
    assert figures["dagster/row_count"] == 2
    assert figures["rows"] == figures["dagster/partition_row_count"] == 2
    assert figures["generation"] == 2
    assert (
        figures["file_bytes"]
        == (returning.lake.root / f"people/date={DAYS[0]}/part-00000.parquet").stat().st_size
    )
    columns = figures["dagster/column_schema"]
    assert isinstance(columns, dg.TableSchema)
    assert [(column.name, column.type) for column in columns.columns][:2] == [
        ("id", "string"),
        ("visits", "int64"),
    ]


def test_an_asset_without_partitions_has_no_folder_level(returning: Returning) -> None:
    returning(FRAMES["polars"], returns=pl.DataFrame)
    assert returning.lake.read("people").num_rows == 2
    assert returning.recorded()[None]["rows"] == 2


@pytest.mark.parametrize("kind", FRAMES)
def test_in_a_range_run_each_partition_is_published_and_recorded_by_itself(
    returning: Returning, kind: str
) -> None:
    frames = {
        day: FRAMES[kind].head(n) if kind != "pyarrow" else ROWS.slice(0, n) for n, day in enumerate(DAYS)
    }
    returning(frames, *DAYS, returns=dict[str, type(FRAMES[kind])])  # type: ignore[misc]
    assert [returning.lake.read("people", f"date={day}").num_rows for day in DAYS] == [0, 1, 2]
    assert {day: figures["rows"] for day, figures in returning.recorded().items()} == dict(
        zip(DAYS, range(3), strict=True)
    )


def test_frames_made_one_after_another_are_published_one_after_another(returning: Returning) -> None:
    seen: list[int] = []

    def each(context: dg.AssetExecutionContext) -> EachPartition:
        def frames() -> Iterator[tuple[str, pa.Table]]:
            for day in context.partition_keys:
                seen.append(len(returning.lake.manifests("people")))
                yield day, ROWS

        return EachPartition(frames())

    returning(each, *DAYS, returns=EachPartition)
    assert seen == [0, 1, 2]
    assert sorted(map(str, returning.recorded())) == DAYS


def test_what_was_published_before_a_failure_in_a_range_stays_and_is_recorded(returning: Returning) -> None:
    def each(context: dg.AssetExecutionContext) -> EachPartition:
        return EachPartition(
            (day, ROWS if day < DAYS[2] else ROWS.select(["id"])) for day in context.partition_keys
        )

    with pytest.raises(dg.Failure, match="it lacks visits, at, born, spent, items"):
        returning(each, *DAYS)
    assert [manifest.partition for manifest in returning.lake.manifests("people")] == [
        f"date={day}" for day in DAYS[:2]
    ]
    assert {day: figures["rows"] for day, figures in returning.recorded().items()} == dict.fromkeys(
        DAYS[:2], 2
    )


def test_a_failing_asset_publishes_nothing_and_leaves_the_old_partition(returning: Returning) -> None:
    returning(ROWS, DAYS[0])

    def fails(context: dg.AssetExecutionContext) -> pa.Table:
        raise ZeroDivisionError

    assert not returning(fails, DAYS[0], check=False).success
    assert returning.lake.read("people", f"date={DAYS[0]}").num_rows == 2
    manifest = returning.lake.manifest("people", f"date={DAYS[0]}")
    assert manifest is not None
    assert manifest.generation == 1


def test_one_frame_for_several_partitions_is_refused(returning: Returning) -> None:
    assert "this run is of 3 partitions and the asset of people returned one Table" in said(
        returning, ROWS, *DAYS
    )


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        (DAYS[:2], "returned no frame for 2026-11-22"),
        ([*DAYS, "2026-11-23"], "returned a frame for 2026-11-23, which is not this run's, or twice"),
    ],
)
def test_a_dictionary_must_have_the_runs_partitions(
    returning: Returning, days: list[str], reason: str
) -> None:
    if len(days) < len(DAYS):
        assert reason in said(returning, dict.fromkeys(days, ROWS), *DAYS)
    else:
        with pytest.raises(dg.Failure, match=reason):
            returning(dict.fromkeys(days, ROWS), *DAYS)


def test_none_is_left_alone_where_no_frame_is_declared(returning: Returning) -> None:
    assert returning(None, DAYS[0]).success
    assert returning(None, DAYS[0], returns=type(None)).success
    assert returning.lake.manifests("people") == []


def test_none_where_a_frame_is_declared_is_no_empty_table(returning: Returning) -> None:
    assert not returning(None, DAYS[0], returns=pd.DataFrame, check=False).success
    assert "returned NoneType, which is no frame" in said(returning, None, DAYS[0], schema=ROWS.schema)
    assert "returned NoneType, which is no frame" in said(returning, {DAYS[0]: None}, DAYS[0])


def test_what_is_no_frame_is_refused_with_what_is_one(returning: Returning) -> None:
    reason = said(returning, [1, 2], DAYS[0])
    assert (
        "the asset of people returned list, which is no frame. Return one of pd.DataFrame, pa.Table" in reason
    )


SCHEMA = pa.schema([("id", pa.string()), ("visits", pa.int64()), ("spent", pa.decimal128(10, 2))])


def test_a_frame_is_cast_to_the_declared_schema_exactly(returning: Returning) -> None:
    frame = pd.DataFrame({"spent": [Decimal("1.5"), None], "visits": [1.0, None], "id": [None, None]})
    returning(frame, DAYS[0], schema=SCHEMA)
    table = returning.lake.read("people", f"date={DAYS[0]}").replace_schema_metadata()
    assert table.schema.equals(SCHEMA)
    assert table.to_pylist() == [
        {"id": None, "visits": 1, "spent": Decimal("1.50")},
        dict.fromkeys(SCHEMA.names),
    ]


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("visits", ["12"], "people.visits is string in the frame, int64 in the table"),
        ("visits", [1.5], "people.visits has values of double that are not exact as int64"),
        ("visits", [True], "people.visits is bool in the frame, int64 in the table"),
        ("spent", [1.25], "people.spent is double in the frame, decimal128(10, 2) in the table"),
        (
            "spent",
            [Decimal("1.234")],
            "people.spent has values of decimal128(4, 3) that are not exact as decimal",
        ),
        ("id", [1], "people.id is int64 in the frame, string in the table"),
        ("lake", [1], "it has lake, which the table has not"),
        ("id", None, "it lacks id"),
    ],
)
def test_what_does_not_fit_the_declared_schema_is_refused_by_column(
    returning: Returning, column: str, values: list[object] | None, reason: str
) -> None:
    columns = {"id": ["a"], "visits": [1], "spent": [Decimal("1.5")]} | {column: values}
    frame = pa.table({name: values for name, values in columns.items() if values is not None})
    message = said(returning, frame, DAYS[0], schema=SCHEMA)
    assert reason in message
    assert "12" not in message.replace("decimal128", "")
    assert "1.25" not in message


def test_nulls_where_the_declared_schema_allows_none_are_refused(returning: Returning) -> None:
    schema = pa.schema([pa.field("id", pa.string(), nullable=False)])
    assert "people.id has nulls" in said(returning, ROWS.select(["id"]), DAYS[0], schema=schema)
    returning(pa.table({"id": ["a"]}), DAYS[0], schema=schema)
    assert returning.lake.read("people", f"date={DAYS[0]}").num_rows == 1


def test_a_schema_that_parquet_does_not_keep_is_refused(returning: Returning) -> None:
    assert "people.at: Parquet has no timestamp[s]" in said(
        returning, pa.table({"at": [1]}), DAYS[0], schema=pa.schema([("at", pa.timestamp("s"))])
    )


def test_a_frame_of_more_than_one_slice_is_published_whole(returning: Returning) -> None:
    numbers = pa.table({"n": range(SLICE_ROWS + 1)})
    returning(numbers, DAYS[0])
    written = returning.lake.read("people", f"date={DAYS[0]}").replace_schema_metadata()
    assert written.equals(numbers)


def test_without_a_declared_schema_the_tables_newest_partition_is_it(returning: Returning) -> None:
    returning(ROWS, DAYS[0])
    returning(pl.DataFrame({name: [None] for name in reversed(ROWS.column_names)}), DAYS[1])
    assert returning.lake.read("people", f"date={DAYS[1]}").schema.equals(ROWS.schema)
    assert "it lacks visits, at" in said(returning, pa.table({"id": ["a"]}), DAYS[1])
    assert "people.id is int64 in the frame" in said(
        returning, ROWS.set_column(0, "id", pa.array([1, 2])), DAYS[1]
    )
    returning(pa.table({"id": ["a"]}), DAYS[1], schema=pa.schema([("id", pa.string())]))
    returning(pa.table({"id": ["b"]}), DAYS[2])


def test_a_table_that_is_replaced_whole_may_change(returning: Returning) -> None:
    returning(dict.fromkeys(DAYS, ROWS), *DAYS)
    returning(dict.fromkeys(DAYS, pa.table({"other": [1]})), *DAYS)
    assert returning.lake.read("people", f"date={DAYS[1]}").column_names == ["other"]


def test_a_table_without_partitions_may_change(returning: Returning) -> None:
    returning(ROWS)
    returning(pa.table({"other": [1]}))
    assert returning.lake.read("people").column_names == ["other"]


def test_libraries_own_types_are_stored_plain(returning: Returning) -> None:
    instant = datetime(2026, 1, 2, tzinfo=UTC)
    frame = pl.DataFrame(
        {"word": ["x"], "words": [["x"]], "at": [instant]}, schema_overrides={"word": pl.Categorical}
    )
    returning(frame.with_columns(pl.col("at").dt.cast_time_unit("ns")), DAYS[0])
    schema = returning.lake.read("people", f"date={DAYS[0]}").schema
    expected = {"word": "string", "words": "list<element: string>", "at": "timestamp[us, tz=UTC]"}
    assert {field.name: str(field.type) for field in schema} == expected


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (pd.DataFrame({"id": [None]}), "people.id has no value, so that its type is not known"),
        (
            pd.DataFrame({"id": [1]}).rename_axis("row"),
            "the index of the frame for people holds row: reset_index() first",
        ),
        (pd.DataFrame({"id": ["a", 1]}), "people.id has values of several types"),
        (pd.DataFrame({0: ["a"]}), "has columns that are not named by text"),
        (pd.DataFrame([[1, 2]], columns=["id", "id"]), "has two columns id"),
        (pl.DataFrame({"id": [object()]}), "people.id is Object, which Parquet has not"),
        (
            pa.table({"at": pa.array([1], pa.timestamp("ns"))}),
            "people.at has values of timestamp[ns] that are not exact",
        ),
    ],
)
def test_a_frame_that_is_no_table_is_refused_with_what_to_do(
    returning: Returning, frame: object, reason: str
) -> None:
    assert reason in said(returning, frame, DAYS[0])


def test_the_partitions_column_may_be_returned_and_is_the_folders(returning: Returning) -> None:
    days = pa.array([date.fromisoformat(DAYS[0])] * 2)
    returning(ROWS.append_column("date", days), DAYS[0])
    assert returning.lake.read("people", f"date={DAYS[0]}").column_names == ROWS.column_names
    declared = pa.schema([*ROWS.schema, pa.field("date", pa.date32())])
    returning(ROWS.append_column("date", days), DAYS[0], schema=declared)
    assert returning.lake.read("people", f"date={DAYS[0]}").column_names == ROWS.column_names
    assert "people.date is not 2026-11-21 everywhere" in said(
        returning, ROWS.append_column("date", days), DAYS[1]
    )


def test_a_prefix_of_the_asset_stands_before_its_table(lake: Lake) -> None:
    @dg.asset(key_prefix="crm")
    def people() -> pa.Table:
        return ROWS

    dg.materialize([people], resources={"io_manager": LakeIOManager(path=lake.path)})
    assert lake.read("crm__people").num_rows == 2


def test_an_op_that_is_no_asset_is_told_to_take_another_io_manager(lake: Lake) -> None:
    @dg.op
    def number() -> int:
        return 1

    @dg.job(resource_defs={"io_manager": LakeIOManager(path=lake.path)})
    def counting() -> None:
        number()

    with pytest.raises(dg.Failure, match=r'result is not of an asset.*io_manager_key="mem_io_manager"'):
        counting.execute_in_process()


def test_readers_see_the_old_partition_or_the_new_one_whole(returning: Returning) -> None:
    sizes = [1, 3000]
    frames = [pl.DataFrame({"n": [size] * size}) for size in sizes]
    returning(frames[0], DAYS[0])
    done = threading.Event()
    problems: list[object] = []

    def read() -> None:
        while not done.is_set():
            try:
                numbers = returning.lake.read("people", f"date={DAYS[0]}")["n"].to_pylist()
            except LakeError as error:
                problems.append(error)
            else:
                problems.extend([numbers] * (numbers != [numbers[0]] * numbers[0]))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(1, 8):
            returning(frames[turn % 2], DAYS[0])
    finally:
        done.set()
        reader.join()
    assert problems == []

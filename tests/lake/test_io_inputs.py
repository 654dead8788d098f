"""Inputs from the lake: partitions of any table as the frame that the annotation asks for."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
import pytest

from resources.lake import Lake, LakeIOManager

SINGLE = dg.BackfillPolicy.single_run()
DAILY = dg.DailyPartitionsDefinition("2026-11-20", end_date="2026-11-24")
DAYS = ["2026-11-20", "2026-11-21", "2026-11-22"]
INSTANT = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("at", INSTANT),
        ("born", pa.date32()),
        ("visits", pa.int64()),
        ("share", pa.float64()),
        ("test", pa.bool_()),
        ("spent", pa.decimal128(38, 9)),
        (
            "items",
            pa.list_(pa.struct([("name", pa.string()), ("at", INSTANT), ("tags", pa.list_(pa.string()))])),
        ),
    ]
)
LATEST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
ROWS: list[dict[str, object]] = [
    {
        "id": "e\u0301 👩‍👩‍👧\n",
        "at": LATEST,
        "born": date(1, 1, 1),
        "visits": 2**53 + 1,
        "share": 0.1,
        "test": True,
        "spent": Decimal("12345678901234567890123456789.123456789"),
        "items": [
            {"name": "a", "at": LATEST, "tags": ["x", None]},
            None,
            {"name": None, "at": None, "tags": None},
        ],
    },
    dict.fromkeys(SCHEMA.names),
    {**dict.fromkeys(SCHEMA.names), "id": "", "visits": -(2**63), "items": []},
]


def people(day: str) -> pa.Table:
    """Give a day's rows, each with all that a table of ours may hold."""
    return pa.Table.from_pylist([{**ROWS[0], "id": day}, *ROWS], schema=SCHEMA)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(path=str(tmp_path / "lake"))
    for day in DAYS:
        found = pa.table({"key": [f"key of {day}"]})
        tables = {"people": people(day), "people__lookups": found}
        with lake.write(f"date={day}", {name: t.schema for name, t in tables.items()}, run="run") as writer:
            writer.write(tables)
    with lake.write("", {"countries": SCHEMA}, run="run") as writer:
        writer.write({"countries": people("DE")})
    return lake


@dg.asset(name="people", partitions_def=DAILY, backfill_policy=SINGLE)
def upstream() -> None: ...


@dg.asset
def countries() -> None: ...


def loaded(lake: Lake, annotation: object, *days: str, asset: str = "people", **asset_in: Any) -> Any:
    """Run an asset with an input of this annotation; give what it got, or raise what the run raised."""
    return loaded_as(lake, [annotation], *days, asset=asset, **asset_in)[0]


def loaded_as(
    lake: Lake, annotations: list[Any], *days: str, asset: str = "people", **asset_in: Any
) -> list[Any]:
    """Run an asset for each annotation; give what they got."""
    got: list[Any] = []
    definitions = [
        reading(annotation, got, f"reading_{i}", asset, bool(days), asset_in)
        for i, annotation in enumerate(annotations)
    ]
    ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(
            [*definitions, upstream, countries],
            selection=definitions,
            resources={"io_manager": LakeIOManager(path=lake.path)},
            instance=instance,
            tags=dict(zip(ends, (days[0], days[-1]), strict=True)) if len(days) > 1 else {},
            partition_key=days[0] if len(days) == 1 else None,
        )
    return got


def reading(
    annotation: object, got: list[Any], name: str, asset: str, partitioned: bool, asset_in: dict[str, Any]
) -> dg.AssetsDefinition:
    """Make an asset whose input is annotated with whatever a test has."""

    def downstream(value: Any) -> None:
        got.append(value)

    if annotation is None:
        del downstream.__annotations__["value"]
    else:
        downstream.__annotations__["value"] = annotation
    return dg.asset(
        name=name,
        ins={"value": dg.AssetIn(asset, **asset_in)},
        partitions_def=DAILY if partitioned else None,
        backfill_policy=SINGLE if partitioned else None,
    )(downstream)


def plain(frame: Any) -> pa.Table:
    """Give any frame as a table of the types that it was made of."""
    match frame:
        case pads.Dataset():
            return frame.to_table()
        case pd.DataFrame():
            return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
        case pl.LazyFrame():
            return plain(frame.collect())
        case pl.DataFrame():
            table = frame.to_arrow()
            names = table.column_names
            own = pa.schema([*SCHEMA, pa.field("date", pa.date32())])
            return table.cast(pa.schema([own.field(name) for name in names]))
    return frame


def dated(*days: str) -> pa.Table:
    """Give the rows of days with the partition's column."""
    tables = [
        people(day).append_column("date", pa.array([date.fromisoformat(day)] * people(day).num_rows))
        for day in days
    ]
    return pa.concat_tables(tables)


FRAMES: list[Any] = [pd.DataFrame, pa.Table, pads.Dataset, pl.DataFrame, pl.LazyFrame]


def test_a_partition_has_all_its_values_and_the_partitions_column_in_every_kind_of_frame(lake: Lake) -> None:
    frames = loaded_as(lake, FRAMES, DAYS[0])
    for frame, class_ in zip(frames, FRAMES, strict=True):
        assert isinstance(frame, class_)
        assert plain(frame).equals(dated(DAYS[0]))


def test_a_range_is_one_frame_whose_rows_can_be_told_apart_by_day(lake: Lake) -> None:
    frames = loaded_as(lake, FRAMES, *DAYS)
    assert len(frames) == len(FRAMES)
    assert all(plain(frame).equals(dated(*DAYS)) for frame in frames)


def test_with_dict_each_partition_is_a_frame_of_its_own(lake: Lake) -> None:
    for frames in loaded_as(lake, [dict[str, class_] for class_ in FRAMES], *DAYS[:2]):
        assert list(frames) == DAYS[:2]
        assert all(plain(frame).equals(dated(day)) for day, frame in frames.items())
    assert list(loaded(lake, dict[str, pd.DataFrame], DAYS[2])) == [DAYS[2]]


def test_a_table_without_partitions_is_a_frame_of_its_columns_alone(lake: Lake) -> None:
    frames = loaded_as(lake, FRAMES, asset="countries")
    assert len(frames) == len(FRAMES)
    assert all(plain(frame).equals(people("DE")) for frame in frames)


def test_an_asset_without_partitions_gets_all_that_there_are_upstream(lake: Lake) -> None:
    publish(lake, "people", "2026-11-23", people("2026-11-23"))
    assert plain(loaded(lake, pa.Table)).equals(dated(*DAYS, "2026-11-23"))
    assert list(loaded(lake, dict[str, pa.Table])) == [*DAYS, "2026-11-23"]


def publish(lake: Lake, table: str, day: str, rows: pa.Table) -> None:
    with lake.write(f"date={day}", {table: rows.schema}, run="later") as writer:
        writer.write({table: rows})


def test_a_partition_mapping_says_which_partitions_are_read(lake: Lake) -> None:
    mapping = dg.TimeWindowPartitionMapping(start_offset=-1, allow_nonexistent_upstream_partitions=True)
    assert plain(loaded(lake, pa.Table, DAYS[1], partition_mapping=mapping)).equals(dated(*DAYS[:2]))
    assert plain(loaded(lake, pa.Table, DAYS[0], partition_mapping=mapping)).equals(dated(DAYS[0]))
    assert list(loaded(lake, dict[str, pa.Table], DAYS[1], partition_mapping=mapping)) == DAYS[:2]


def test_metadata_chooses_columns_and_their_order(lake: Lake) -> None:
    frames = loaded_as(lake, FRAMES, *DAYS[:2], metadata={"columns": ["date", "visits"]})
    assert len(frames) == len(FRAMES)
    assert all(plain(frame).equals(dated(*DAYS[:2]).select(["date", "visits"])) for frame in frames)


def test_metadata_chooses_another_table_of_the_extract(lake: Lake) -> None:
    frame = loaded(lake, pd.DataFrame, *DAYS[:2], metadata={"table": "people__lookups", "columns": ["key"]})
    assert frame["key"].tolist() == [f"key of {day}" for day in DAYS[:2]]


def test_a_column_that_is_not_there_is_named_with_those_that_are(lake: Lake) -> None:
    with pytest.raises(dg.Failure, match="people has no column name; it has id, at, born"):
        loaded(lake, pd.DataFrame, DAYS[0], metadata={"columns": ["id", "name"]})


def test_partitions_that_lack_are_named_with_what_to_materialize(lake: Lake) -> None:
    with pytest.raises(
        dg.Failure, match=r"people has no partition 2026-11-23 in .*: materialize people there first"
    ):
        loaded(lake, pd.DataFrame)
    frame = loaded(lake, pa.Table, metadata={"allow_missing_partitions": True})
    assert plain(frame).equals(dated(*DAYS))
    with pytest.raises(dg.Failure, match="people has no partition 2026-11-23"):
        loaded(lake, pa.Table, "2026-11-23", metadata={"allow_missing_partitions": True})


def test_a_partition_that_was_published_by_half_is_refused(lake: Lake) -> None:
    manifest = lake.root / "people" / f"date={DAYS[0]}" / "_manifest.json"
    old = manifest.read_bytes()
    publish(lake, "people", DAYS[0], people(DAYS[0]))
    manifest.write_bytes(old)
    with pytest.raises(
        dg.Failure, match="people date=2026-11-20 was published by half: run the partition again"
    ):
        loaded(lake, pads.Dataset, *DAYS)


@pytest.mark.parametrize("annotation", [None, list, dict, dict[int, pd.DataFrame], dict[str, int], pd.Series])
def test_an_annotation_that_cannot_be_is_named_with_those_that_can(lake: Lake, annotation: object) -> None:
    with pytest.raises(dg.Failure) as error:
        loaded(lake, annotation, DAYS[0])
    assert str(error.value.description).startswith("the input value is annotated with ")
    assert "pd.DataFrame, pa.Table, pyarrow.dataset.Dataset, pl.DataFrame, pl.LazyFrame" in str(
        error.value.description
    )
    assert error.value.allow_retries is False


def test_without_polars_the_message_says_how_to_install_it(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.lake.frames.kinds.find_spec", lambda name: None)
    with pytest.raises(
        dg.Failure, match=r"pl is polars, which is not installed: .venv/bin/pip install -e '.\[polars\]'"
    ):
        loaded(lake, None, DAYS[0])


def test_a_table_without_partitions_is_no_dictionary(lake: Lake) -> None:
    with pytest.raises(dg.Failure, match="the input value has no partitions: annotate it without dict"):
        loaded(lake, dict[str, pd.DataFrame], asset="countries")


def test_a_column_that_an_older_partition_lacks_is_null_there(lake: Lake) -> None:
    wider = people(DAYS[1]).append_column("city", pa.array(["Bonn"] * 4))
    publish(lake, "people", DAYS[1], wider)
    table = plain(loaded(lake, pa.Table, *DAYS[:2]))
    assert table["city"].to_pylist() == [None] * 4 + ["Bonn"] * 4
    assert table.drop_columns(["city"]).equals(dated(*DAYS[:2]))


def test_partitions_whose_types_differ_are_not_mixed(lake: Lake) -> None:
    publish(lake, "people", DAYS[1], pa.table({"id": [1]}))
    with pytest.raises(
        dg.Failure, match=r"people.id is int64 in date=2026-11-21 and string in date=2026-11-20: run the"
    ):
        loaded(lake, pa.Table, *DAYS[:2])
    assert len(loaded(lake, dict[str, pa.Table], *DAYS[:2])) == 2


def test_a_column_of_the_tables_own_stands_for_the_partitions(lake: Lake) -> None:
    publish(lake, "people", DAYS[0], pa.table({"date": ["some day"]}))
    assert plain(loaded(lake, pads.Dataset, DAYS[0])).to_pydict() == {"date": ["some day"]}


def test_a_dataset_goes_on_reading_what_it_opened(lake: Lake) -> None:
    opened = loaded(lake, pads.Dataset, *DAYS)
    publish(lake, "people", DAYS[0], people("other").slice(0, 1))
    assert plain(opened).equals(dated(*DAYS))


def test_a_lazy_frame_reads_the_partitions_that_its_filter_asks_for(lake: Lake) -> None:
    lazy = loaded(lake, pl.LazyFrame, *DAYS)
    found = lazy.filter(pl.col("date") == date.fromisoformat(DAYS[1])).select("id").collect()
    assert found["id"].to_list()[0] == DAYS[1]
    assert len(found) == people(DAYS[1]).num_rows


@pytest.mark.parametrize(
    ("partitions", "key", "name", "value"),
    [
        (
            dg.HourlyPartitionsDefinition("2026-11-22-00:00"),
            "2026-11-22-05:00",
            "hour",
            datetime(2026, 11, 22, 5, tzinfo=UTC),
        ),
        (dg.StaticPartitionsDefinition(["north/west"]), "north/west", "partition", "north/west"),
    ],
)
def test_hours_and_keys_have_their_column_too(
    lake: Lake, partitions: dg.PartitionsDefinition[str], key: str, name: str, value: object
) -> None:
    got = []

    @dg.asset(partitions_def=partitions)
    def visits() -> pd.DataFrame:
        return pd.DataFrame({"pages": [3]})

    @dg.asset(partitions_def=partitions)
    def seen(visits: pa.Table) -> None:
        got.append(visits)

    dg.materialize([visits, seen], partition_key=key, resources={"io_manager": LakeIOManager(path=lake.path)})
    assert got[0].to_pydict() == {"pages": [3], name: [value]}


def test_in_a_notebook_a_table_is_loaded_by_its_asset(lake: Lake) -> None:
    defs = dg.Definitions(
        assets=[upstream, countries], resources={"io_manager": LakeIOManager(path=lake.path)}
    )
    frame = defs.load_asset_value("people", python_type=pl.DataFrame, partition_key=DAYS[0])
    assert plain(frame).equals(dated(DAYS[0]))

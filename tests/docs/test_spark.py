"""The page's section on Spark is executed by Spark: what it reads, and what it says of traps."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resources.lake import Lake
from tests.conftest import ROOT
from tests.dagster_runs import Location
from tests.documents import blocks
from tests.local import last_days
from tests.sandbox import Sandbox

pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("default"),  # what its Python part warns of is not ours
]

PAGE = ROOT / "docs" / "reading.md"
DAYS = last_days(2)


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A session as the page makes it; all of a process share one."""
    pytest.importorskip("pyspark", reason="make spark installs it")
    names: dict[str, Any] = {}
    exec(code().partition("people = ")[0], names)
    yield names["spark"]
    names["spark"].stop()


def code() -> str:
    (text,) = [block for block in blocks(PAGE, "python") if "SparkSession" in block]
    return text


@pytest.fixture
def published(sandbox: Sandbox, tmp_path: Path) -> Lake:
    """A lake with two days."""
    sandbox.write_feed(tmp_path / "feed", DAYS)
    location = Location(sandbox, tmp_path, settings={"TARGETDATA_START_DATE": str(DAYS[0])})
    for day in DAYS:
        location.materialize(str(day), select="profile_keys,profiles")
    return location.lake


def test_the_pages_code_reads_the_lists_of_a_day(spark: Any, published: Lake) -> None:
    names: dict[str, Any] = {"spark": spark}
    reading = code().replace("data/lake", str(published.root)).replace("2026-11-22", str(DAYS[1]))
    exec(reading, names)
    rows = published.read("profiles", f"date={DAYS[1]}")["identifiers"].to_pylist()
    expected = Counter(entry["name"] for row in rows for entry in row or [] if entry)
    counted = {row["name"]: row["count"] for row in names["entries"].groupBy("name").count().collect()}
    assert {name: number for name, number in counted.items() if name} == {
        name: number for name, number in expected.items() if name
    }
    whole = sum(published.read("profiles", f"date={day}").num_rows for day in DAYS)
    assert names["people"].count() == whole
    assert {str(row["date"]) for row in names["people"].select("date").distinct().collect()} == set(
        map(str, DAYS)
    )


def test_the_types_are_those_of_the_pages_table(spark: Any, published: Lake) -> None:
    people = spark.read.parquet(str(published.root / "profiles"))
    types = dict(people.dtypes)
    assert (types["profile_id"], types["fetched_at"], types["date"]) == ("string", "timestamp", "date")
    assert re.match("array<struct<name:string,", types["identifiers"])
    assert {path.rpartition("/")[2] for path in people.inputFiles()} == {"part-00000.parquet"}


def put(folder: Path, table: pa.Table) -> None:
    """Replace a partition as the lake does, by a rename."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "part", row_group_size=100)
    (folder / "part").replace(folder / "part-00000.parquet")


def ids(number: int) -> pa.Table:
    return pa.table({"id": range(number)})


def test_a_frame_that_was_made_before_a_replacement_misses_rows_even_when_it_is_refreshed(
    spark: Any, tmp_path: Path
) -> None:
    put(tmp_path / "date=2026-11-22", ids(1000))
    before = spark.read.parquet(str(tmp_path))
    assert before.count() == 1000
    put(tmp_path / "date=2026-11-22", ids(5000))
    assert before.count() < 5000
    spark.catalog.refreshByPath(str(tmp_path))
    assert before.count() < 5000
    assert spark.read.parquet(str(tmp_path)).count() == 5000


def test_folders_of_partitions_are_guessed_unless_it_is_switched_off(spark: Any, tmp_path: Path) -> None:
    put(tmp_path / "a" / "partition=007", ids(1))
    put(tmp_path / "b" / "hour=20261122T05Z", ids(1))
    put(tmp_path / "c" / "date=2026-11-22", ids(1))
    inference = "spark.sql.sources.partitionColumnTypeInference.enabled"
    guessed = [dict(spark.read.parquet(str(tmp_path / name)).dtypes) for name in "abc"]
    assert [types["id"] for types in guessed] == ["bigint"] * 3
    assert [guessed[0]["partition"], guessed[1]["hour"], guessed[2]["date"]] == ["int", "string", "date"]
    hours = spark.read.parquet(str(tmp_path / "b"))
    instant = hours.selectExpr("""CAST(to_timestamp(hour, "yyyyMMdd'T'HH'Z'") AS string) AS instant""")
    assert instant.collect()[0]["instant"] == "2026-11-22 05:00:00"
    spark.conf.set(inference, "false")
    try:
        (row,) = spark.read.parquet(str(tmp_path / "a")).collect()
        assert row["partition"] == "007"
        assert dict(spark.read.parquet(str(tmp_path / "c")).dtypes)["date"] == "string"
    finally:
        spark.conf.set(inference, "true")


def test_a_column_that_came_later_and_a_partition_by_its_path(spark: Any, tmp_path: Path) -> None:
    put(tmp_path / "date=2026-11-21", ids(1))
    put(tmp_path / "date=2026-11-22", ids(1).append_column("new", pa.array(["x"])))
    merged = spark.read.option("mergeSchema", "true").parquet(str(tmp_path))
    assert merged.columns == ["id", "new", "date"]
    assert "new" not in spark.read.parquet(str(tmp_path)).columns
    one = str(tmp_path / "date=2026-11-22")
    assert "date" not in spark.read.parquet(one).columns
    assert "date" in spark.read.option("basePath", str(tmp_path)).parquet(one).columns

"""The lake: a partition is published whole or not at all."""

import hashlib
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow.parquet as pq
import pytest

from resources.errors import AccountingError, LakeError
from resources.lake import Lake
from resources.lake.place import folder_of
from resources.table_file import TableFile
from tests.lake_rows import DAY, SCHEMAS, everything, publish, rows


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(path=str(tmp_path / "lake"))


def test_a_published_partition_is_one_file_a_table_with_its_manifest(lake: Lake) -> None:
    publish(lake, "a", "b")
    assert sorted(everything(lake)) == [
        "people/date=2026-11-22/_manifest.json",
        "people/date=2026-11-22/part-00000.parquet",
        "people__lookups/date=2026-11-22/_manifest.json",
        "people__lookups/date=2026-11-22/part-00000.parquet",
    ]
    assert lake.read("people", DAY)["id"].to_pylist() == ["a", "b"]


def test_the_manifest_says_what_the_file_holds(lake: Lake) -> None:
    publish(lake, "a", "b")
    path = lake.root / "people" / DAY / "part-00000.parquet"
    manifest = json.loads((path.parent / "_manifest.json").read_text())
    assert manifest["rows"] == pq.ParquetFile(path).metadata.num_rows == 2
    assert manifest["bytes"] == path.stat().st_size
    assert manifest["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest["columns"] == {"id": "string", "at": "timestamp[us, tz=UTC]"}
    assert (manifest["run"], manifest["generation"], manifest["format_version"]) == ("run-1", 1, 1)


def test_the_tables_of_a_partition_carry_one_generation_in_manifest_and_footer(lake: Lake) -> None:
    publish(lake, "a")
    publish(lake, "b", run="run-2")
    for table in SCHEMAS:
        manifest = lake.manifest(table, DAY)
        footer = pq.ParquetFile(lake.root / table / DAY / "part-00000.parquet").schema_arrow.metadata
        assert manifest is not None
        assert (manifest.generation, manifest.run) == (2, "run-2")
        assert (footer[b"generation"], footer[b"run"], footer[b"query"]) == (b"2", b"run-2", b"abc")


def test_an_error_leaves_the_old_partition_untouched_and_nothing_beside_it(lake: Lake) -> None:
    publish(lake, "a")
    before = everything(lake)
    with pytest.raises(ZeroDivisionError), lake.write(DAY, SCHEMAS, run="run-2") as writer:
        writer.write(rows("b"))
        raise ZeroDivisionError
    assert everything(lake) == before
    assert list((lake.root / "_staging").iterdir()) == []


def test_a_partition_without_rows_has_the_full_schema(lake: Lake) -> None:
    publish(lake)
    assert lake.read("people", DAY).schema.equals(SCHEMAS["people"])
    assert lake.read("people", DAY).num_rows == 0


def test_a_table_without_partitions_has_no_folder_level(lake: Lake) -> None:
    publish(lake, "a", folder="")
    assert "people/part-00000.parquet" in everything(lake)
    assert lake.read("people").num_rows == 1


def test_readers_that_are_not_ours_see_the_partitions(lake: Lake) -> None:
    publish(lake, "a")
    publish(lake, "b", "c", folder="date=2026-11-23")
    found = duckdb.sql(
        f"SELECT date, count(*) FROM read_parquet('{lake.root}/people/*/*.parquet', hive_partitioning=true) "
        "GROUP BY date ORDER BY date"
    ).fetchall()
    assert [(str(day), count) for day, count in found] == [("2026-11-22", 1), ("2026-11-23", 2)]


def test_a_lake_that_cannot_be_written_is_found_when_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    lake = Lake(path=str(tmp_path / "file" / "lake"))
    with pytest.raises(LakeError, match=r"cannot be written: Not a directory.*TARGETDATA_LAKE"):
        lake.write(DAY, SCHEMAS, run="run-1").__enter__()


def test_a_table_that_cannot_be_written_is_found_when_the_partition_is_opened(lake: Lake) -> None:
    last = list(SCHEMAS)[-1]
    lake.root.mkdir(parents=True, exist_ok=True)
    (lake.root / last).write_text("in the way")
    with pytest.raises(LakeError, match="cannot be written: File exists"):
        lake.write(DAY, SCHEMAS, run="run-1").__enter__()
    assert list((lake.root / "_staging").iterdir()) == []


def test_a_failure_before_the_last_table_is_ready_leaves_all_tables_as_they_were(lake: Lake) -> None:
    publish(lake, "a")
    before = everything(lake)
    last = list(SCHEMAS)[-1]
    with pytest.raises(LakeError), lake.write(DAY, SCHEMAS, run="run-2"):
        shutil.rmtree(lake.root / last)
        (lake.root / last).write_text("in the way")
    (lake.root / last).unlink()
    assert everything(lake) == {name: data for name, data in before.items() if not name.startswith(last)}


def test_a_partition_that_cannot_be_put_in_place_is_found_when_it_is_opened(lake: Lake) -> None:
    last = list(SCHEMAS)[-1]
    (lake.root / last).mkdir(parents=True)
    (lake.root / last / DAY).write_text("in the way")
    with pytest.raises(LakeError, match=f"{last}/{DAY} is in the way"):
        lake.write(DAY, SCHEMAS, run="run-1").__enter__()


def test_a_partition_that_was_published_by_half_is_not_read(lake: Lake) -> None:
    publish(lake, "a")
    old = (lake.root / "people" / DAY / "_manifest.json").read_bytes()
    publish(lake, "b", run="run-2")
    (lake.root / "people" / DAY / "_manifest.json").write_bytes(old)  # killed before the second rename
    with pytest.raises(LakeError, match="published by half: run the partition again"):
        lake.read("people", DAY)
    publish(lake, "c", run="run-3")
    assert lake.read("people", DAY)["id"].to_pylist() == ["c"]


def test_a_file_that_is_not_what_was_written_is_never_published(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(lake, "a")
    monkeypatch.setattr("resources.table_file.BUFFER_BYTES", 1)
    before = everything(lake)
    with pytest.raises(AccountingError, match=r"people.parquet is not on the disk as it was written"):
        with lake.write(DAY, SCHEMAS, run="run-2") as writer:
            writer.write(rows(*(hashlib.sha256(bytes([n])).hexdigest() for n in range(255))))
            writer.write(rows("b"))  # which waits until the rows before it are written
            (file,) = (lake.root / "_staging").rglob("people.parquet")
            with file.open("r+b") as written:
                written.seek(1000)
                written.write(b"damaged")
    assert everything(lake) == before


def test_rows_that_are_not_in_the_file_are_missed(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TableFile, "_flush", lambda file: file._buffer.clear())
    with pytest.raises(AccountingError, match="holds 0 rows, 1 were written"):
        publish(lake, "a")
    assert everything(lake) == {}


def test_a_missing_or_broken_partition_is_named(lake: Lake) -> None:
    with pytest.raises(LakeError, match="people has no partition date=2026-11-22"):
        lake.read("people", DAY)
    publish(lake, "a")
    (lake.root / "people" / DAY / "part-00000.parquet").write_bytes(b"no Parquet")
    with pytest.raises(LakeError, match="cannot be read as Parquet"):
        lake.read("people", DAY)


def test_an_object_store_is_refused_for_now(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="object stores are not supported"):
        _ = Lake(path="s3://bucket/lake").root


def test_the_hour_that_comes_twice_when_clocks_go_back_has_two_folders() -> None:
    first = datetime(2026, 10, 25, 2, tzinfo=ZoneInfo("Europe/Berlin"))
    second, end = first.replace(fold=1), first.replace(hour=3)
    assert folder_of("x", (first, second)) == "hour=20261025T00Z"
    assert folder_of("x", (second, end)) == "hour=20261025T01Z"


def test_folders_are_named_by_date_hour_or_key() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    day = datetime(2026, 3, 29, tzinfo=berlin)  # 23 hours long
    hour = datetime(2026, 11, 22, 6, tzinfo=berlin)
    assert folder_of(None) == ""
    assert folder_of("2026-03-29", (day, datetime(2026, 3, 30, tzinfo=berlin))) == "date=2026-03-29"
    assert folder_of("x", (hour, hour + timedelta(hours=1))) == "hour=20261122T05Z"
    assert folder_of("a/b") == "partition=a%2Fb"
    assert folder_of("x", (day.astimezone(UTC), day.astimezone(UTC) + timedelta(days=7))) == "date=2026-03-28"

"""Keys of several columns: rows distinct over all of them, in every format."""

import csv
import gzip
import io
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.errors import ColumnMissing, ConfigurationError
from resources.feed import FeedKeys, read_key_file, read_keys
from resources.key_files.columns import named_columns
from tests.feed_files import DAY, jsonl

COLUMNS = {"id_name": "kind", "id_value": "ids.value"}
CELL = st.one_of(st.none(), st.sampled_from(["", " ", "a", "b", "\u00e9"]))
Event = tuple[str | None, str | None]


def read(path: Path, columns: dict[str, str] = COLUMNS, require: str = "all") -> FeedKeys:
    return read_key_file(str(path), columns=columns, require=require)


def written(folder: Path, events: list[Event]) -> dict[str, bytes]:
    """Give the same events in every format."""
    lines = jsonl(*({"kind": kind, "ids": {"value": value}} for kind, value in events))
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("ids.value", "kind"), *((v, k) for k, v in events)])
    ids = pa.StructArray.from_arrays([pa.array([v for _, v in events], pa.string())], ["value"])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"ids": ids, "kind": pa.array([k for k, _ in events], pa.string())}), sink)
    return {
        "a.jsonl": lines,
        "a.json.gz": gzip.compress(lines),
        "a.csv": text.getvalue().encode(),
        "a.parquet": sink.getvalue().to_pybytes(),
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELL, CELL)), st.sampled_from(["all", "any"]))
def test_every_format_gives_the_rows_that_plain_python_gives(events: list[Event], require: str) -> None:
    rows = [tuple(cell if cell and cell.strip() else None for cell in event) for event in events]
    kept = [row for row in rows if (all if require == "all" else any)(row)]
    expected = sorted(set(kept), key=lambda row: [(cell is None, cell or "") for cell in row])
    with tempfile.TemporaryDirectory() as folder:
        for name, content in written(Path(folder), events).items():
            path = Path(folder) / name
            path.write_bytes(content)
            found = read(path, require=require)
            assert found.keys.schema == pa.schema([("id_name", pa.string()), ("id_value", pa.string())])
            assert [tuple(row.values()) for row in found.keys.to_pylist()] == expected
            assert (found.events, found.null_keys) == (len(rows), len(rows) - len(kept))
            assert found.duplicate_keys == len(kept) - len(expected)


def test_columns_may_lie_in_one_object(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl({"cv": {"a": 1, "b": "x"}}, {"cv": {"a": 2}}))
    found = read(tmp_path / "a.jsonl", {"first": "cv.a", "second": "cv.b"})
    assert (found.keys.to_pylist(), found.null_keys) == ([{"first": "1", "second": "x"}], 1)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_each_column_that_is_missing_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(written(tmp_path, [("umid", "a")])[name])
    with pytest.raises(ColumnMissing, match="no column 'value'"):
        read(tmp_path / name, {"id_name": "kind", "id_value": "value"})


def test_no_column_and_another_requirement_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl({"kind": 1}))
    with pytest.raises(ConfigurationError, match="no key column is named"):
        read(tmp_path / "a.jsonl", {})
    with pytest.raises(ConfigurationError, match="require is 'some'; it may be all or any"):
        read(tmp_path / "a.jsonl", require="some")


# --- the version: what was in the files ---


def version(folder: Path, pattern: str = "*") -> str:
    return read_keys(f"{folder.parent}/{{date}}/{pattern}", day=DAY, columns={"umid": "umid"}).version


def test_the_version_is_of_the_content_not_of_names_times_and_packing(folder: Path) -> None:
    lines = jsonl({"umid": "a"}, {"umid": "b"})
    (folder / "a.jsonl").write_bytes(lines)
    first = version(folder)
    (folder / "a.jsonl").rename(folder / "b.jsonl")
    assert version(folder) == first
    (folder / "b.jsonl").unlink()
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(lines, mtime=7))
    assert version(folder) == first
    (folder / "c.jsonl").write_bytes(b"")
    assert version(folder) != first


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_other_content_has_another_version_in_every_format(name: str, folder: Path) -> None:
    versions = set()
    for value in ("a", "b"):
        (folder / name).write_bytes(written(folder, [("umid", value)])[name])
        found = read_keys(f"{folder.parent}/{{date}}/*", day=DAY, columns={"id": "kind"})
        assert found.keys["id"].to_pylist() == ["umid"]
        versions.add(found.version)
    assert len(versions) == 2


# --- how columns are written in settings ---


def test_a_single_column_needs_no_name_and_several_do() -> None:
    assert named_columns(["customer"], ["umid"]) == {"umid": "customer"}
    assert named_columns(["umid=cv.id"], ["umid"]) == {"umid": "cv.id"}
    assert named_columns([" id_name=kind", "id_value = value"], ["umid"]) == {
        "id_name": "kind",
        "id_value": "value",
    }


@pytest.mark.parametrize("texts", [["a", "b"], ["a=b", "c"], ["=a"], ["a="], ["a=b", "a=c"], [""]])
def test_columns_that_cannot_be_told_apart_are_refused(texts: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        named_columns(texts, ["id_name", "id_value"])

"""Keys in Parquet; and all formats agree with plain Python."""

import csv
import gzip
import io
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.feed import read_keys
from tests.feed_files import DAY, SECRET, jsonl, keys, parquet, read, refusal


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["7", None, "8", "7"]),
        pa.array(["7", " ", "8", "7"], pa.large_string()),
        pa.array(["7", "", "8", "7"]).dictionary_encode(),
        pa.array([7, None, 8, 7], pa.int8()),
        pa.array([7, None, 8, 7], pa.uint64()),
    ],
)
def test_parquet_columns_of_text_and_integers_are_keys(folder: Path, values: pa.Array) -> None:
    parquet(folder, values)
    feed = read(folder)
    assert (keys(feed), feed.null_keys, feed.duplicate_keys) == (["7", "8"], 1, 1)


@pytest.mark.parametrize("kind", [pa.uuid(), pa.binary(16)])
def test_uuids_become_their_usual_text(folder: Path, kind: pa.DataType) -> None:
    key = uuid.UUID(int=0xABC)
    storage = pa.array([key.bytes, None], pa.binary(16))
    parquet(folder, storage if kind == pa.binary(16) else pa.ExtensionArray.from_storage(kind, storage))
    assert keys(read(folder)) == [str(key)]


def test_a_parquet_column_without_any_value_has_no_keys(folder: Path) -> None:
    parquet(folder, pa.nulls(3))
    assert read(folder).null_keys == 3


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1.0]),
        pa.array([True]),
        pa.array([b"x"]),
        pa.array([["x"]], pa.list_(pa.field("element", pa.string()))),
        pa.array([{"x": 1}]),
        pa.array([DAY]),
        pa.array([b"x"]).dictionary_encode(),
    ],
)
def test_parquet_columns_of_other_types_are_refused(folder: Path, values: pa.Array) -> None:
    parquet(folder, values)
    assert f"a.parquet: 'umid' is {values.type}, expected text, integers or UUIDs" in refusal(folder)


def test_a_dotted_column_leads_into_a_struct(folder: Path) -> None:
    inner = pa.StructArray.from_arrays(
        [pa.array(["k", "l", None])], ["id"], mask=pa.array([False, True, False])
    )
    parquet(folder, pa.StructArray.from_arrays([inner, pa.array([1, 2, 3])], ["customer", "x"]), "cv")
    feed = read(folder, column="cv.customer.id")
    assert (keys(feed), feed.null_keys) == (["k"], 2)


def test_a_parquet_column_may_have_a_dot_in_its_name(folder: Path) -> None:
    parquet(folder, pa.array(["k"]), "cv.id")
    assert keys(read(folder, column="cv.id")) == ["k"]


@pytest.mark.parametrize(
    ("column", "names"), [("umid", "other, cv"), ("cv.id", "cv.x"), ("other.id", "none"), ("cv.x.id", "none")]
)
def test_a_schema_without_the_column_is_refused_with_its_names(folder: Path, column: str, names: str) -> None:
    parquet(folder, pa.array([{"x": 1}]), "cv")
    assert f"a.parquet: no column '{column}'; there are: {names}." in refusal(folder, column)


def test_a_parquet_column_that_is_there_twice_is_refused(folder: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["umid", "umid"])
    pq.write_table(table, folder / "a.parquet")
    assert "several columns are named 'umid'" in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"PAR1", SECRET.encode() * 9])
def test_a_file_that_is_not_parquet_is_refused(folder: Path, content: bytes) -> None:
    (folder / "a.parquet").write_bytes(content)
    assert "a.parquet cannot be read as Parquet" in refusal(folder)


def test_a_damaged_parquet_file_is_refused(folder: Path) -> None:
    parquet(folder, pa.array([f"{SECRET}{number}" for number in range(999)]))
    content = bytearray((folder / "a.parquet").read_bytes())
    content[4:400] = bytes(396)
    (folder / "a.parquet").write_bytes(content)
    assert "a.parquet cannot be read as Parquet" in refusal(folder)


def test_parquet_text_that_is_not_utf8_is_refused(folder: Path) -> None:
    text = pa.array([SECRET.encode() + b"\xff"]).view(pa.string())
    parquet(folder, text)
    assert "a.parquet: 'umid' is not UTF-8" in refusal(folder)


# --- all formats agree with plain Python ---

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
SOME_TEXTS = st.one_of(TEXTS, st.sampled_from(["a", "b", "\u00e9", "\n", "\r", '"', ",", "\ufeff", "\ufffd"]))


def model(values: list[str | int | None]) -> tuple[list[str], int, int]:
    texts = [str(value) for value in values if value is not None]
    usable = [text for text in texts if text.strip()]
    return sorted(set(usable)), len(values) - len(usable), len(usable) - len(set(usable))


def as_csv(values: list[str | int | None]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([["umid"], *([["" if value is None else value] for value in values])])
    return text.getvalue().encode()


def as_parquet(values: list[str | int | None], kind: pa.DataType) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"umid": pa.array(values, kind)}), sink)
    stored: bytes = sink.getvalue().to_pybytes()
    return stored


def answers(files: dict[str, bytes]) -> Iterator[tuple[list[str], int, int]]:
    with tempfile.TemporaryDirectory() as root:
        for name, content in files.items():
            (Path(root) / f"2026-11-22.{name}").write_bytes(content)
            feed = read_keys(f"{root}/{{date}}.{name}", day=DAY, columns={"key": "umid"})
            yield keys(feed), feed.null_keys, feed.duplicate_keys


def texts_of(values: list[str | int | None]) -> list[str | int | None]:
    return [None if value is None else str(value) for value in values]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(SOME_TEXTS, st.none(), st.integers())))
def test_every_format_gives_the_keys_that_plain_python_gives(values: list[str | int | None]) -> None:
    lines = jsonl(*({"umid": value} for value in values))
    files = {
        "jsonl": lines,
        "jsonl.gz": gzip.compress(lines),
        "csv": as_csv(values),
        "parquet": as_parquet(texts_of(values), pa.string()),
    }
    assert list(answers(files)) == [model(values)] * len(files)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))))
def test_integers_in_parquet_are_the_same_keys(values: list[str | int | None]) -> None:
    files = {
        "parquet": as_parquet(values, pa.int64()),
        "jsonl": jsonl(*({"umid": value} for value in values)),
    }
    assert list(answers(files)) == [model(values)] * len(files)

"""Keys in JSON lines and CSV: counted, exact, and broken lines named by file and number, never shown."""

import bz2
import gzip
import uuid
from pathlib import Path

import pyarrow as pa
import pytest

from resources.errors import ConfigurationError, FeedError
from resources.key_files.content import BLOCK_BYTES
from resources.key_files.lines import MAX_LINE_BYTES
from tests.feed_files import SECRET, jsonl, keys, parquet, read, refusal, relative


def test_keys_of_all_files_and_formats_are_distinct_sorted_and_counted(folder: Path) -> None:
    (folder / "a.ndjson").write_bytes(jsonl({"umid": "b"}, {"umid": None}, {"umid": 7}, {}))
    (folder / "b.json.gz").write_bytes(gzip.compress(jsonl({"umid": "\U0001f600"}, {"umid": "b"})))
    (folder / "c.TSV").write_bytes(b"x\tumid\n1\tb\n2\t\n3\t\xef\xbf\xbd\n")
    (folder / "d.csv.bz2").write_bytes(bz2.compress(b"umid\nz\n"))
    (folder / "e.csv.zst").write_bytes(pa.compress(b"umid\na\n", "zstd", asbytes=True))
    parquet(folder, pa.array(["a", None, "a"]))
    feed = read(folder)
    assert keys(feed) == ["7", "a", "b", "z", "\ufffd", "\U0001f600"]
    assert (feed.events, feed.null_keys, feed.duplicate_keys) == (14, 4, 4)
    assert feed.bytes == sum(file.stat().st_size for file in folder.iterdir())
    assert relative(folder, feed) == sorted(file.name for file in folder.iterdir())


def test_blank_lines_are_no_events(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(b'\n  \n{"umid":1}\r\n\r\n\t\n{"umid":2}')
    (folder / "b.csv").write_bytes(b"\r\nx,umid\r\n\r\n  \n1,3\n\n")
    feed = read(folder)
    assert (keys(feed), feed.events) == (["1", "2", "3"], 3)


def test_text_is_kept_exactly_and_blank_text_is_no_key(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(
        jsonl(*({"umid": key} for key in [" a", "a ", "A", "", " ", "\u00a0\t"]))
    )
    (folder / "b.csv").write_bytes(b'umid\n" a"\n"\tb"\n""\n"  "\n')
    feed = read(folder)
    assert (keys(feed), feed.null_keys) == (["\tb", " a", "A", "a "], 5)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.tsv", "a.json.gz"])
@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_gives_an_empty_typed_table(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    feed = read(folder)
    assert (keys(feed), feed.events) == ([], 0)


def test_tables_with_columns_but_no_rows_are_empty(folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"umid\n")
    parquet(folder, pa.array([], pa.string()))
    assert keys(read(folder)) == []


# --- JSON lines ---


def test_integers_become_decimal_text(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(jsonl({"umid": -7}, {"umid": 0}, {"umid": 10**30}, {"umid": "0"}))
    assert keys(read(folder)) == ["-7", "0", str(10**30)]


@pytest.mark.parametrize(
    ("value", "kind"),
    [(True, "a boolean"), (1.0, "a fraction"), ({"x": SECRET}, "an object"), ([SECRET], "a list")],
)
def test_a_value_that_is_no_key_is_refused_with_its_line(folder: Path, value: object, kind: str) -> None:
    (folder / "a.jsonl").write_bytes(jsonl({"umid": 1}) + b"\n" + jsonl({"umid": value}))
    assert f"a.jsonl, line 3: 'umid' is {kind}, expected text or an integer" in refusal(folder)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"umid": "%s"', "not a JSON object: Input data was truncated"),
        (b'{"umid": "%s"} {"umid": 1}', "not a JSON object: JSON is malformed"),
        (b'{"umid": 1, "x": %s}', "not a JSON object: JSON is malformed"),
        (b'["%s"]', "not a JSON object: Expected `object`, got `array`"),
        (b'"%s"', "not a JSON object: Expected `object`, got `str`"),
        (b"null", "not a JSON object"),
        (b"%s", "not a JSON object"),
        (b'{"umid": NaN}', "not a JSON object"),
        (b'{"umid": "\\ud800"}', "not a JSON object"),
        (b'{"umid": ' + b"9" * 5000 + b"}", "not a JSON object: Integer value out of range"),
        (b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not a JSON object: maximum recursion depth"),
        (b'{"umid": "%s\xff"}', "not UTF-8"),
        (b'{"umid": 1, "x": "%s\xff"}', "not UTF-8"),
        (b'\xff\xfe{"%s"', "not UTF-8"),
    ],
)
def test_a_broken_line_is_named_but_not_shown(folder: Path, line: bytes, why: str) -> None:
    broken = line.replace(b"%s", SECRET.encode())
    (folder / "a.jsonl").write_bytes(jsonl({"umid": 1}) * 40_000 + broken + b"\n" + jsonl({"umid": 1}))
    assert f"a.jsonl, line 40001: {why}" in refusal(folder)


def test_lines_may_cross_blocks_and_be_longer_than_one(folder: Path) -> None:
    events = [{"x": "é" * (BLOCK_BYTES // 3 * step), "umid": step} for step in range(5)]
    (folder / "a.jsonl").write_bytes(jsonl(*events))
    assert keys(read(folder)) == ["0", "1", "2", "3", "4"]


def test_a_line_without_end_is_refused(folder: Path) -> None:
    (folder / "a.json").write_bytes(b"{}\n" + b" " * (MAX_LINE_BYTES + BLOCK_BYTES))
    assert "a.json, line 2: longer than" in refusal(folder)


@pytest.mark.parametrize("cut", [1, 8, 12])
def test_a_truncated_file_is_refused(folder: Path, cut: int) -> None:
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(jsonl({"umid": SECRET}) * 9)[:-cut])
    assert "a.jsonl.gz, line 1: from here on the file cannot be read: Truncated" in refusal(folder)


def test_a_file_that_is_not_packed_as_its_name_says_is_refused(folder: Path) -> None:
    (folder / "a.csv.gz").write_bytes(b"umid\n1\n")
    assert "a.csv.gz, line 1: from here on the file cannot be read" in refusal(folder)


def test_packed_files_may_be_joined(folder: Path) -> None:
    (folder / "a.jsonl.gz").write_bytes(b"".join(gzip.compress(jsonl({"umid": key})) for key in "ab"))
    assert keys(read(folder)) == ["a", "b"]


def test_a_byte_order_mark_is_tolerated(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + jsonl({"umid": 1}))
    (folder / "b.csv").write_bytes(b'\xef\xbb\xbf"umid",x\n2,3\n')
    assert keys(read(folder)) == ["1", "2"]


def test_a_dotted_column_leads_into_objects(folder: Path) -> None:
    events = [{"cv": {"customer": {"id": 7}}}, {"cv": {"customer": None}}, {"cv": None}, {}]
    (folder / "a.jsonl").write_bytes(jsonl(*events))
    feed = read(folder, column="cv.customer.id")
    assert (keys(feed), feed.null_keys) == (["7"], 3)


def test_a_dotted_column_through_something_else_is_refused(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(jsonl({"cv": SECRET}))
    message = "a.jsonl, line 1: 'cv.id' leads through text, expected an object"
    assert message in refusal(folder, column="cv.id")


def test_a_column_in_no_event_is_refused_with_the_names_that_are_there(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(jsonl({"device": 1}, {"isp": 2, "cv": {}}))
    (folder / "b.jsonl").write_bytes(jsonl({"device": 1, SECRET: 1}))
    assert "no column 'umid'; there are: device, isp, cv, 1 not shown" in refusal(folder)


def test_a_dotted_column_in_no_event_is_refused_with_the_names_at_its_depth(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(jsonl({"cv": {"x": 1, "y": 2}}))
    assert "no column 'cv.id'; there are: cv.x, cv.y" in refusal(folder, column="cv.id")


def test_a_column_that_is_always_null_is_there(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(jsonl({"umid": None}, {}))
    assert read(folder).null_keys == 2


def test_a_column_in_one_file_of_many_is_there(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(jsonl({}))
    (folder / "b.jsonl").write_bytes(jsonl({"umid": 1}))
    assert keys(read(folder)) == ["1"]


def test_a_column_that_json_cannot_name_is_refused(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(jsonl({}))
    with pytest.raises(ConfigurationError, match="cannot be read from JSON"):
        read(folder, column='"')


# --- CSV ---


def test_quoted_cells_may_hold_anything(folder: Path) -> None:
    (folder / "a.csv").write_bytes(b'x,"a ""b"".c"\r\n"1\n\n2,",k\r\n3,"l\r\nm,"\r\n')
    assert keys(read(folder, column='a "b".c')) == ["k", "l\r\nm,"]


@pytest.mark.parametrize(
    ("rows", "line", "why"),
    [
        ("1,2\n%s\n", 3, "1 cells, the header has 2"),
        ("1,2\n%s,2,3\n", 3, "3 cells, the header has 2"),
        ('"1\n",2\n%s\n', 4, "1 cells, the header has 2"),
        ('1,2\n3,"%s', 3, "not CSV: unexpected end of data"),
        ('1,2\n3,"%s"x\n', 3, "not CSV"),
        ("1,2\n3,%s\r4,5\n", 3, "not CSV: new-line character"),
        ("1,2\n3," + "%s" * 10_000, 3, "not CSV: field larger than field limit"),
    ],
)
def test_a_broken_row_is_named_but_not_shown(folder: Path, rows: str, line: int, why: str) -> None:
    (folder / "a.csv").write_text("x,umid\n" + rows.replace("%s", SECRET), newline="")
    assert f"a.csv, line {line}: {why}" in refusal(folder)


def test_a_csv_that_is_not_utf8_is_refused_with_its_line(folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"x,umid\n1,2\n" + SECRET.encode() + b",\xe9\n")
    assert "a.csv, line 3: not UTF-8" in refusal(folder)


def test_a_header_without_the_column_is_refused_with_its_names(folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"device,ISP, umid\n")
    assert "a.csv: no column 'umid'; there are: device, ISP, 1 not shown" in refusal(folder)


def test_a_first_row_of_values_is_not_shown(folder: Path) -> None:
    row = f"{SECRET},someone@example.com,{uuid.UUID(int=0xABCDEF << 104)},{'x' * 41}\n"
    (folder / "a.csv").write_text(row)
    assert "there are: 4 not shown" in refusal(folder)


def test_a_column_that_is_there_twice_is_refused(folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"umid,umid\n1,2\n")
    assert "several columns are named 'umid'" in refusal(folder)


def test_a_compressed_file_without_bytes_is_a_broken_delivery(folder: Path) -> None:
    (folder / "a.jsonl.gz").touch()
    with pytest.raises(FeedError, match="has no bytes, it is not gzip: have it delivered again"):
        read(folder)


def test_a_broken_line_far_into_a_file_has_its_number(folder: Path) -> None:
    line = b'{"umid":1,"page":"' + b"x" * 1000 + b'"}\n'
    (folder / "a.jsonl").write_bytes(line * 5000 + b"{broken\n")
    with pytest.raises(FeedError, match="line 5001: not a JSON object"):
        read(folder)

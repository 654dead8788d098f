import bz2
import csv
import datetime
import gzip
import http.server
import io
import json
import os
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.errors import ConfigurationError, FeedError, FeedMissing
from resources.feed import FeedKeys, read_keys
from resources.feed.place import expanded
from resources.feed.text import BLOCK_BYTES, MAX_LINE_BYTES

DAY = datetime.date(2026, 11, 22)
SECRET = "c0ffee-key-of-a-customer"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The day's folder of the feed."""
    (tmp_path / "2026-11-22").mkdir()
    return tmp_path / "2026-11-22"


def read(folder: Path, pattern: str = "*", column: str = "umid") -> FeedKeys:
    return read_keys(f"{folder.parent}/{{date}}/{pattern}", day=DAY, column=column, name="key")


def keys(feed: FeedKeys) -> list[str]:
    assert feed.events == feed.null_keys + feed.duplicate_keys + feed.keys.num_rows
    assert feed.keys.schema == pa.schema([("key", pa.string())])
    found: list[str] = feed.keys.column("key").to_pylist()
    return found


def refusal(folder: Path, column: str = "umid") -> str:
    """The message of the error; it never holds the key that the tests hide in the feed."""
    with pytest.raises(FeedError) as caught:
        read(folder, column=column)
    assert SECRET not in str(caught.value)
    assert folder.name in str(caught.value)
    return str(caught.value)


def jsonl(*events: object) -> bytes:
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events).encode()


def parquet(folder: Path, values: pa.Array, column: str = "umid") -> None:
    pq.write_table(pa.table({"other": pa.nulls(len(values)), column: values}), folder / "a.parquet")


# --- the pattern ---


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("{date}.csv", "2026-11-22.csv"),
        ("{date:%Y/%m/%d}/{date:%H}.csv", "2026/11/22/07.csv"),
        ("{{x}}/{date}.csv", "{x}/2026-11-22.csv"),
    ],
)
def test_the_date_stands_in_the_pattern_in_any_form(pattern: str, path: str) -> None:
    assert expanded(pattern, datetime.datetime(2026, 11, 22, 7, tzinfo=datetime.UTC)) == path


@pytest.mark.parametrize(
    "pattern",
    [
        "events.csv",
        "{{date}}.csv",
        "{day}.csv",
        "{}.csv",
        "{date.year}.csv",
        "{date!r}.csv",
        "{date:latest}.csv",
        "{date:%%Y}.csv",
        "{date:{date}}.csv",
        "{date.csv",
        "date}.csv",
        "{date}/{hour}.csv",
    ],
)
def test_a_pattern_that_does_not_move_with_the_day_is_refused_with_an_example(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match=r"for example events/\{date\}"):
        read_keys(pattern, day=DAY, column="umid", name="key")


@pytest.mark.parametrize("pattern", ["/events/{date}/", "file:///events/{date}/", "s3://{date}"])
def test_a_pattern_that_names_a_folder_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="names a folder"):
        read_keys(pattern, day=DAY, column="umid", name="key")


@pytest.mark.parametrize(
    "pattern", ["http://host/{date}.csv", "file://host/{date}.csv", "s3:///{date}/a.csv"]
)
def test_an_address_of_no_known_store_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used"):
        read_keys(pattern, day=DAY, column="umid", name="key")


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_keys("s3://me:hidden@bucket/{date}/a.csv?colour=hidden", day=DAY, column="umid", name="key")
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "'colour'" in str(caught.value)


# --- which files ---


def write(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(jsonl({"umid": number}))


def relative(folder: Path, feed: FeedKeys) -> list[str]:
    return [os.path.relpath(file, folder) for file in feed.files]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("b.jsonl", ["b.jsonl"]),
        ("*.jsonl", ["a.jsonl", "b.jsonl", "c10.jsonl"]),
        ("?.jsonl", ["a.jsonl", "b.jsonl"]),
        ("[!a].jsonl", ["b.jsonl"]),
        ("*/a.jsonl", ["sub/a.jsonl"]),
        ("s[tu]b/a.json?", ["sub/a.jsonl"]),
        ("*/deep/*", ["sub/deep/a.jsonl"]),
        ("**/a.jsonl", ["a.jsonl", "sub/a.jsonl", "sub/deep/a.jsonl"]),
        ("**/deep/**/*.jsonl", ["sub/deep/a.jsonl"]),
        ("sub/**", ["sub/a.jsonl", "sub/deep/a.jsonl"]),
        ("_*", ["_b.jsonl"]),
        (".c.jsonl", [".c.jsonl"]),
    ],
)
def test_wildcards_match_in_any_part_and_the_files_are_sorted(
    folder: Path, pattern: str, names: list[str]
) -> None:
    hidden = ["_b.jsonl", ".c.jsonl", "_temporary/a.jsonl", "_temporary/deep/a.jsonl"]
    write(folder, "c10.jsonl", "b.jsonl", "sub/deep/a.jsonl", "sub/a.jsonl", "a.jsonl", *hidden)
    (folder / "folder.jsonl").mkdir()
    assert relative(folder, read(folder, pattern)) == names


def test_a_relative_pattern_starts_at_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "a.jsonl")
    monkeypatch.chdir(folder.parent)
    assert keys(read_keys("{date}/*.jsonl", day=DAY, column="umid", name="key")) == ["0"]


def test_a_tilde_is_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "a.jsonl")
    monkeypatch.setenv("HOME", str(folder.parent))
    assert keys(read_keys("~/{date}/*.jsonl", day=DAY, column="umid", name="key")) == ["0"]


@pytest.mark.parametrize("space", [" ", "%20"])
def test_a_file_address_is_read_like_a_path(folder: Path, space: str) -> None:
    write(folder, "a day/b c.jsonl")
    pattern = f"file://{folder.parent}/{{date}}/a{space}day/?{space}c.json*"
    feed = read_keys(pattern, day=DAY, column="umid", name="key")
    assert (keys(feed), feed.files) == (["0"], (f"{folder}/a day/b c.jsonl",))


@pytest.mark.parametrize("pattern", ["*.csv", "a.csv", "no/such/folder/*.csv", "**/a.csv", "folder.csv"])
def test_a_feed_that_is_not_there_may_be_late(folder: Path, pattern: str) -> None:
    (folder / "folder.csv").mkdir()
    with pytest.raises(FeedMissing, match="may be late") as caught:
        read_keys(f"{folder.parent}/{{date}}/{pattern}", day=DAY, column="umid", name="key", late_seconds=7)
    assert caught.value.after_seconds == 7
    assert f"{folder}/{pattern}" in str(caught.value)


class Forbidden(http.server.BaseHTTPRequestHandler):
    """A store that refuses everything, as S3 does."""

    def do_GET(self) -> None:
        body = b"<Error><Code>AccessDenied</Code><Message>Not for you</Message></Error>"
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def forbidden() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forbidden) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_store_that_refuses_is_quoted_without_the_password(forbidden: str) -> None:
    options = f"region=eu-central-1&scheme=http&endpoint_override={forbidden}"
    pattern = f"s3://me:hidden@bucket/{{date}}/*.csv?{options}"
    with pytest.raises(FeedError, match=r"s3://\*\*\*@bucket/2026-11-22/\*\.csv .*Not for you") as caught:
        read_keys(pattern, day=DAY, column="umid", name="key")
    assert isinstance(caught.value.__cause__, OSError)
    assert "hidden" not in f"{caught.value} {caught.value.__cause__}"


def test_an_unknown_ending_is_refused_with_the_known_ones(folder: Path) -> None:
    write(folder, "a.jsonl", "b.xlsx")
    assert "b.xlsx: its format is unknown. Understood are .jsonl, .ndjson, .json, .csv, .tsv" in refusal(
        folder
    )


def test_packed_parquet_is_an_unknown_format(folder: Path) -> None:
    write(folder, "a.parquet.gz")
    assert "a.parquet.gz: its format is unknown" in refusal(folder)


# --- what is counted ---


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


# --- Parquet ---


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
            feed = read_keys(f"{root}/{{date}}.{name}", day=DAY, column="umid", name="key")
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

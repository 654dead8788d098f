"""The feed's pattern: which files are a day's, on disk or in a store."""

import datetime
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.environment import Environment
from resources.errors import ConfigurationError, FeedError, FeedMissing
from resources.feed import read_keys
from resources.key_files.place import expanded
from tests.feed_files import DAY, jsonl, keys, read, refusal, relative


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
        read_keys(pattern, day=DAY, columns={"key": "umid"})


@pytest.mark.parametrize("pattern", ["/events/{date}/", "file:///events/{date}/", "s3://{date}"])
def test_a_pattern_that_names_a_folder_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="names a folder"):
        read_keys(pattern, day=DAY, columns={"key": "umid"})


@pytest.mark.parametrize(
    "pattern", ["http://host/{date}.csv", "file://host/{date}.csv", "s3:///{date}/a.csv"]
)
def test_an_address_of_no_known_store_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used"):
        read_keys(pattern, day=DAY, columns={"key": "umid"})


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_keys("s3://me:hidden@bucket/{date}/a.csv?colour=hidden", day=DAY, columns={"key": "umid"})
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "'colour'" in str(caught.value)


# --- which files ---


def write(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(jsonl({"umid": number}))


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
    assert keys(read_keys("{date}/*.jsonl", day=DAY, columns={"key": "umid"})) == ["0"]


def test_a_tilde_is_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "a.jsonl")
    monkeypatch.setenv("HOME", str(folder.parent))
    assert keys(read_keys("~/{date}/*.jsonl", day=DAY, columns={"key": "umid"})) == ["0"]


@pytest.mark.parametrize("space", [" ", "%20"])
def test_a_file_address_is_read_like_a_path(folder: Path, space: str) -> None:
    write(folder, "a day/b c.jsonl")
    pattern = f"file://{folder.parent}/{{date}}/a{space}day/?{space}c.json*"
    feed = read_keys(pattern, day=DAY, columns={"key": "umid"})
    assert (keys(feed), feed.files) == (["0"], (f"{folder}/a day/b c.jsonl",))


@pytest.mark.parametrize("pattern", ["*.csv", "a.csv", "no/such/folder/*.csv", "**/a.csv", "folder.csv"])
def test_a_feed_that_is_not_there_may_be_late(folder: Path, pattern: str) -> None:
    (folder / "folder.csv").mkdir()
    with pytest.raises(FeedMissing, match="may be late") as caught:
        read_keys(f"{folder.parent}/{{date}}/{pattern}", day=DAY, columns={"key": "umid"}, late_seconds=7)
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
        read_keys(pattern, day=DAY, columns={"key": "umid"})
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


def test_relative_paths_begin_at_the_checkout_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "copy [1] *"
    checkout.mkdir()
    (checkout / "2026-11-22.jsonl").write_text('{"umid": "a"}\n')
    monkeypatch.setattr("pipelines.root.ROOT", checkout)
    settings = Environment.model_validate({"feed": "{date}.jsonl"})
    found = read_keys(settings.feed, day=datetime.date(2026, 11, 22), columns={"umid": "umid"})
    assert found.keys["umid"].to_pylist() == ["a"]
    assert settings.schema_file == checkout / "pipelines/schema.graphql"

"""The command line: what a person types, what it says, and its exit codes."""

import signal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.environment import environment
from resources.errors import ConfigurationError
from tests.conftest import PROFILES_QUERY
from tests.dagster_runs import Location
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_lookups, expected_profiles, lookups, plain

DAY = last_days()[-1]


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    return Location(sandbox, tmp_path)


def arguments(location: Location, keys: Path) -> list[str]:
    out = location.folder / "out" / "profiles.parquet"
    return ["extract", str(PROFILES_QUERY), "--keys", str(keys), "--out", str(out)]


def extract(location: Location, keys: Path, *options: str, check: bool = True) -> "tuple[int, str]":
    done = location.run("targetdata", *arguments(location, keys), *options, check=check)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_help_teaches(location: Location) -> None:
    assert "schema" in location.run("targetdata", "--help").stdout
    said = " ".join(location.run("targetdata", "schema", "--help").stdout.split())
    assert "pull Fetch an API's schema, write it, and rewrite the API's queries to fit it. diff " in said
    said = " ".join(location.run("targetdata", "extract", "--help").stdout.split())
    assert "Example: targetdata extract" in said
    assert "--keys" in said
    assert "docs/lists.md" in said


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".csv"])
def test_a_query_and_a_file_of_keys_make_parquet_files(suffix: str, location: Location) -> None:
    (events,) = location.sandbox.write_feed(location.folder, [DAY], suffix)
    _, said = extract(location, events, "--identity", "profileId")
    umids = location.sandbox.umids_of(DAY)
    out = location.folder / "out"
    assert plain(pq.read_table(out / "profiles.parquet")) == expected_profiles(location.sandbox, umids)
    assert lookups(pq.read_table(out / "profiles__lookups.parquet")) == expected_lookups(
        location.sandbox, umids
    )
    assert f"{len(umids)} keys asked" in said
    assert "retries: none" in said
    assert sorted(path.name for path in out.iterdir()) == ["profiles.parquet", "profiles__lookups.parquet"]


def test_a_failure_leaves_no_file_and_says_why(location: Location) -> None:
    (events,) = location.sandbox.write_feed(location.folder, [DAY])
    location.sandbox.faults.alias_errors = {location.sandbox.umids_of(DAY)[0]: -1}
    code, said = extract(location, events, check=False)
    assert code == 1
    assert "Error: 1 of" in said
    assert "Traceback" not in said
    assert list((location.folder / "out").iterdir()) == []
    assert extract(location, events, "--max-failed", "1")[0] == 0


def test_what_may_succeed_later_has_its_own_exit_code(location: Location) -> None:
    (events,) = location.sandbox.write_feed(location.folder, [DAY])
    location.sandbox.faults.status = 503
    location.settings["TARGETDATA_MAX_ATTEMPTS"] = "1"
    code, said = extract(location, events, check=False)
    assert code == 75
    assert "answered 503" in said


@pytest.mark.parametrize(
    ("keys", "options", "message"),
    [
        ("none.csv", [], "There is no file"),
        ("keys.csv", ["--key-column", "id"], "umid"),
        ("keys.csv", ["--identity", "umid"], "identity 'umid' is no selected text"),
        ("keys.csv", ["--schema", "none.graphql"], "none.graphql cannot be read"),
        ("keys.csv", ["--var", "lang"], "write it as name=value"),
        ("keys.csv", ["--var", "lang=de"], "profiles has no variable lang"),
        ("keys.csv", ["--scalar", "Instant"], "--scalar Instant: it should look like Money=decimal(18,2)"),
        ("keys.csv", ["--out", "/"], "is a folder; name a file with --out"),
    ],
)
def test_bad_input_is_named(keys: str, options: list[str], message: str, location: Location) -> None:
    (location.folder / "keys.csv").write_text("umid\na\n")
    code, said = extract(location, location.folder / keys, *options, check=False)
    assert code == 1
    assert message in said
    assert "Traceback" not in said


def test_what_scalars_are_kept_as_is_a_setting_and_an_option(location: Location) -> None:
    (events,) = location.sandbox.write_feed(location.folder, [DAY])
    location.settings["TARGETDATA_SCALARS"] = (
        "Instant=date,PersonTargetData.testProfile=json,NoLongerThere=text"
    )
    extract(location, events, "--scalar", "Instant=text", "--scalar", "Int=decimal(9,2)")
    schema = pq.read_schema(location.folder / "out" / "profiles.parquet")
    assert [str(schema.field(name).type) for name in ("change_date", "test_profile")] == ["string", "string"]
    shipped = (
        "from pipelines.defs.profiles.assets import PROFILES;"
        "print(PROFILES.tables['profiles'].field('change_date').type)"
    )
    assert location.run("python", shipped).stdout.split() == ["date32[day]"]


def test_a_setting_of_scalars_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGETDATA_SCALARS", "Instant")
    with pytest.raises(ConfigurationError, match=r"^TARGETDATA_SCALARS: Value error, it should look like"):
        environment.__wrapped__()


def test_what_is_no_key_is_counted_and_no_keys_are_warned_of(location: Location) -> None:
    keys = location.folder / "keys.csv"
    keys.write_text('umid\na\nb\na\n""\n')
    assert "2 keys in 4 rows of" in (said := extract(location, keys)[1])
    assert "1 duplicates and 1 without a key are dropped" in said
    keys.write_text("umid\n")
    assert "Warning: there are no keys" in extract(location, keys)[1]


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_limit_that_cannot_work_is_named_as_it_was_set(value: str, location: Location) -> None:
    location.settings["TARGETDATA_MAX_BATCH"] = value
    (location.folder / "keys.csv").write_text("umid\na\n")
    code, said = extract(location, location.folder / "keys.csv", check=False)
    assert (code, "Error: TARGETDATA_MAX_BATCH" in said) == (1, True)


def test_an_output_that_cannot_be_written_is_found_before_the_api_is_asked(location: Location) -> None:
    (location.folder / "keys.csv").write_text("umid\na\n")
    (location.folder / "out").write_text("in the way")
    code, said = extract(location, location.folder / "keys.csv", check=False)
    assert code == 1
    assert "cannot be written" in said
    assert "(--out)" in said
    assert "lake" not in said
    assert location.sandbox.requests == []


def test_an_interruption_ends_it_with_no_file_written(location: Location) -> None:
    (events,) = location.sandbox.write_feed(location.folder, [DAY])
    location.sandbox.faults.stall = True
    process = location.start("targetdata", *arguments(location, events))
    while not any(request.path == "/graphql" for request in location.sandbox.requests):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "nothing was written" in said
    assert "Traceback" not in said
    assert list((location.folder / "out").iterdir()) == []


def test_a_missing_account_says_what_to_do(location: Location) -> None:
    (location.folder / "keys.csv").write_text("umid\na\n")
    location.settings["TARGETDATA_BASE_URL"] = ""
    code, said = extract(location, location.folder / "keys.csv", check=False)
    assert (code, "copy .env.example to .env" in said) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        ["schema", "pull", "--schema", "{in_the_way}/schema.graphql", "--queries", "{folder}"],
        ["new", "people", "--root", "personTargetDataByUmid", "--into", "{in_the_way}/defs"],
    ],
    ids=["schema-pull", "new"],
)
def test_a_place_that_cannot_be_written_is_named(words: list[str], location: Location) -> None:
    in_the_way = location.folder / "file"
    in_the_way.write_text("")
    given = [word.format(in_the_way=in_the_way, folder=location.folder) for word in words]
    done = location.run("targetdata", *given, check=False)
    assert done.returncode == 1
    assert f"Error: {in_the_way}" in done.stderr
    assert " cannot be used: " in done.stderr
    assert "Choose another place" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("time", ["99999999999d", "7 days", "-1d"])
def test_a_time_that_is_none_is_told_of(time: str, location: Location) -> None:
    location.lake.root.mkdir()
    done = location.run("targetdata", "gc", "--older-than", time, check=False)
    assert (done.returncode, done.stderr.splitlines()[0].startswith(f"Error: --older-than {time}: ")) == (
        1,
        True,
    )

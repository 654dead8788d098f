"""No token is in any log, event, error, file or database of a run, and no profile or key in Dagster's."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resources import errors
from resources.errors import ExtractionError, FeedError
from resources.feed import read_key_file
from tests.canaries import EDITS, THINGS, Canaries, written
from tests.chaos.raw_server import RawAnswer, RawServer
from tests.conftest import ROOT
from tests.dagster_runs import Location
from tests.local import last_days
from tests.provocations import BASES, CODES, PROVOKED
from tests.sandbox import Sandbox

DAY = last_days()[-1]
DEBUG_EVERYTHING = """
python_logs:
  python_log_level: DEBUG
  managed_python_loggers: [root]
"""
ROTATED = "rotated-refresh-token-of-an-answer"
TOKENS = {"refresh token", "refresh token of an answer", "access token"}
SEEN = {f"canary-control-{place}" for place in ("log", "printed", "logging", "cause")}
STORED = {f"canary-control-{place}" for place in ("metadata", "tag", "snapshot")}
COMPLAINT = "Unknown type canary-complaint-8270341"
JSON = {"Content-Type": "application/json"}
PEOPLE = 20  # at least four of them have events on any day


def location_of(canaries: Canaries, stack: ExitStack, folder: Path) -> Location:
    sandbox = stack.enter_context(Sandbox(people=canaries.people, edits=EDITS))
    sandbox.faults.rotated_refresh_token = ROTATED
    sandbox.write_feed(folder / "feed", [DAY])
    location = Location(sandbox, folder)
    with (location.home / "dagster.yaml").open("a") as config:
        config.write(DEBUG_EVERYTHING)
    return location


def tree(kind: type[ExtractionError] = ExtractionError) -> Iterator[type[ExtractionError]]:
    if kind.__module__ == errors.__name__:
        yield kind
        for below in kind.__subclasses__():
            yield from tree(below)


def provoked(
    canaries: Canaries, stack: ExitStack, location: Location
) -> tuple["subprocess.CompletedProcess[str]", dict[str, object]]:
    """Provoke all errors in a process of their own; give what it printed, and what came of it."""
    lists = stack.enter_context(Sandbox(people=canaries.people, variant="lists"))
    telling = stack.enter_context(RawServer())
    telling.answers["/auth/token"] = RawAnswer(headers=JSON, body=b'{"access_token": "t", "expires_in": 900}')
    said = json.dumps({"errors": [{"message": COMPLAINT}]})
    telling.answers["/graphql"] = RawAnswer(headers=JSON, body=said.encode())
    ran = location.run("provocations", str(location.folder), telling.url, lists.url)
    return ran, json.loads((location.folder / "done.json").read_text())


def add_tokens(canaries: Canaries, sandbox: Sandbox) -> None:
    """Take in what the sandbox knows by now: its tokens, and keys that lead to nobody."""
    canaries.add("refresh token", sandbox.refresh_token)
    canaries.add("refresh token of an answer", ROTATED)
    assert sandbox.access_tokens
    for token in sandbox.access_tokens:
        canaries.add("access token", token)
    for umid in sandbox.umids_of(DAY):
        canaries.add("key", umid)


def assert_lake_is_discreet(canaries: Canaries, root: Path) -> set[str]:
    """Look into all files: profiles are in tables and slices only, tokens nowhere; name the other files."""
    figures: set[str] = set()
    found: set[str] = set()
    for path, said in written(root):
        assert canaries.found(str(path).encode()) == set()
        if path.suffix in (".parquet", ".arrow"):
            found |= canaries.found(said)
        else:
            assert (path, canaries.found(said)) == (path, set())
            figures.add(path.name)
    assert found & TOKENS == set()
    kinds = ("identifiers[1].value", "cookieConsents[1].purposes[1].name", "changeDate", "owner")
    assert all(any(name.endswith(kind) for name in found) for kind in kinds), "else nothing would be found"
    return figures


def test_every_error_of_the_tree_is_provoked_but_for_bases_that_are_never_raised() -> None:
    assert set(tree()) == PROVOKED.keys() | BASES
    assert PROVOKED.keys() & BASES == set()
    paths = [path for room in ("pipelines", "resources") for path in (ROOT / room).rglob("*.py")]
    sources = "".join(path.read_text("utf-8") for path in paths)
    assert "raise TooManyFailed(" in sources
    assert [kind for kind in BASES if f"raise {kind.__name__}(" in sources] == []


@pytest.mark.journey
def test_no_error_log_or_record_holds_a_token_or_a_profile_whatever_goes_wrong(
    stack: ExitStack, memory: Path
) -> None:
    canaries = Canaries(PEOPLE)
    location = location_of(canaries, stack, memory)
    ran, done = provoked(canaries, stack, location)
    assert_all_was_provoked(done)

    add_tokens(canaries, location.sandbox)
    assert canaries.found((ran.stdout + ran.stderr).encode()) == SEEN
    assert canaries.found(location.everything_stored()) == SEEN | STORED
    figures = assert_lake_is_discreet(canaries, location.lake.root)
    assert {"claim.json", "stage.json", "slice-00000.json", "_manifest.json", "profiles.all.json"} <= figures
    assert list(location.lake.root.rglob("failed-*.parquet"))
    assert "/lake/_staging/profiles/" in ran.stdout, "as gc shows what the cancelled run has left"

    assert "column change_date: a text of 20 characters does not fit Instant" in ran.stderr
    assert "(key digest " in ran.stderr
    assert not (location.lake.root / "misfit_changeDate" / "profiles" / "_manifest.json").exists()


def assert_all_was_provoked(done: dict[str, object]) -> None:
    """Compare what was raised with the table, and what the commands and checks came to."""
    kinds = done["kinds"]
    assert isinstance(kinds, dict)
    for kind, each in PROVOKED.items():
        for provocation in each:
            assert kind.__name__ in kinds[provocation.__name__], provocation.__name__
    assert done["succeeded"] == ["resumed"]
    assert done["cancelled"] == "CANCELED"
    assert done["checks"] == [True, False]
    assert done["drift"] == [False]
    assert done["lists"] == ["down", "whole"]
    assert done["codes"] == CODES


def test_a_day_with_every_fault_of_the_server_leaves_no_token_and_no_profile_behind(
    stack: ExitStack, memory: Path
) -> None:
    canaries = Canaries(PEOPLE, THINGS)
    location = location_of(canaries, stack, memory)
    sandbox = location.sandbox
    faults, umids = sandbox.faults, sandbox.umids_of(DAY)
    faults.every, faults.retry_after = 3, 0.1
    faults.kinds = ["429", "503", "drop", "truncated", "truncated-json", "html", "401", "empty"]
    faults.alias_errors = {umids[0]: -1}
    faults.alias_error_message = f"canary-message: no access to {umids[0]}"
    location.settings |= {"TARGETDATA_MAX_FAILED": "1", "TARGETDATA_MAX_BATCH": "1"}
    ran = location.materialize(str(DAY))
    add_tokens(canaries, sandbox)
    stored = location.everything_stored()
    assert all(word in stored for word in (b"STEP_START", b"newest_partition", b"schema_drift"))
    assert canaries.found((ran.stdout + ran.stderr).encode() + stored) == set()
    assert_lake_is_discreet(canaries, location.lake.root)


def test_a_damaged_parquet_feed_is_refused_without_its_keys(tmp_path: Path) -> None:
    path, keys = tmp_path / "feed.parquet", [f"canary-key-{number}" for number in range(4)]
    pq.write_table(pa.table({"umid": keys}), path, compression="none", use_dictionary=False)
    content = path.read_bytes()
    refused: list[str] = []
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            read_key_file(str(path), columns={"umid": "umid"})
        except FeedError as error:
            refused.append(f"{error} {error.__cause__}")
    assert len(refused) > 50
    assert "canary" not in "".join(refused)


def test_dagster_gets_the_name_of_a_feed_in_a_store_and_not_its_credentials(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    uri = "s3://key:canary-secret@bucket/events-{date}.jsonl"
    location = Location(sandbox, tmp_path, settings={"TARGETDATA_FEED": uri})
    code = (
        "from pipelines.defs.connections import connections\n"
        "from pipelines.connections import key_source\n"
        "from pipelines.environment import environment\n"
        "feed = connections().resources['feed']\n"
        "print(type(feed).__name__, type(dict(feed)['pattern']).__name__)\n"
        "print(repr(feed), repr(environment()), repr(key_source()))"
    )
    done = location.run("python", code)
    assert done.stdout.splitlines()[0] == "Feed EnvVar"
    assert "canary-secret" not in done.stdout + done.stderr

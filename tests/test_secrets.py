"""No token is in any log, event, error, file or database of a run, and no profile in Dagster's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dagster_runs import Location
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.sandbox.people import ATTRIBUTES

DAY = last_days()[-1]
DEBUG_EVERYTHING = """
python_logs:
  python_log_level: DEBUG
  managed_python_loggers: [root]
"""
TELLING = 12  # characters of a text that cannot be in a log by chance


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    sandbox.write_feed(tmp_path / "feed", [DAY])
    location = Location(sandbox, tmp_path)
    with (location.home / "dagster.yaml").open("a") as config:
        config.write(DEBUG_EVERYTHING)
    return location


def texts(value: Any) -> Iterator[str]:
    """Give all texts in an answer."""
    if isinstance(value, dict):
        value = list(value.values())
    for item in value if isinstance(value, list) else []:
        yield from texts(item)
    if isinstance(value, str):
        yield value


def tokens(sandbox: Sandbox) -> list[str]:
    assert sandbox.access_tokens
    return [sandbox.refresh_token, *sandbox.access_tokens]


def personal(sandbox: Sandbox) -> set[str]:
    """Give keys, and values of profiles that are long enough to be told from other text."""
    keys = set(sandbox.umids_of(DAY))
    found = keys | {text for person in sandbox.people for text in texts(person) if len(text) >= TELLING}
    assert len(found) > 1000
    names = {"shop.example", "privacy-notice", "personalisation", *ATTRIBUTES}  # of things, not of people
    return found - names - {"9999-12-31T23:59:59Z"}


def leaks(secrets: "list[str] | set[str]", haystack: bytes) -> list[str]:
    return [secret for secret in secrets if secret.encode() in haystack]


def make_trouble(sandbox: Sandbox) -> None:
    """Answer with every fault, errors on keys, and tokens that end early."""
    faults = sandbox.faults
    faults.every, faults.kinds = (
        5,
        ["429", "503", "drop", "truncated", "truncated-json", "html", "401", "empty"],
    )
    faults.retry_after = 0.1
    faults.alias_errors = {sandbox.umids_of(DAY)[3]: -1}


def everything(location: Location, printed: str) -> tuple[bytes, bytes]:
    """Give all that Dagster has of the runs, and all files of the lake."""
    lake = b"\0".join(path.read_bytes() for path in location.lake.root.rglob("*") if path.is_file())
    return location.everything_stored() + printed.encode(), lake


@pytest.mark.parametrize(
    "trouble", ["none", "every fault", "refused token", "bad value", "telling errors", "broken feed"]
)
def test_nothing_of_a_run_holds_a_token_or_a_profile(trouble: str, location: Location) -> None:
    sandbox = location.sandbox
    if trouble == "every fault":
        make_trouble(sandbox)
    if trouble == "refused token":
        sandbox.faults.every, sandbox.faults.kinds, sandbox.faults.refuse_refresh = 1, ["401"], None
    if trouble == "bad value":
        sandbox.faults.field_overrides = {"changeDate": "canary-in-a-bad-value"}
    if trouble == "telling errors":
        sandbox.faults.alias_errors = dict.fromkeys(sandbox.umids_of(DAY), -1)
        sandbox.faults.alias_error_message = f"canary-in-a-message: no access to {sandbox.umids_of(DAY)[0]}"
        sandbox.faults.alias_error_code = "canary-in-a-code"
    if trouble == "broken feed":
        broken = '{"umid": "canary-in-a-broken-line", "device": \n'
        (location.folder / "feed" / f"{DAY}.jsonl").write_text(broken)
        location.settings["TARGETDATA_FEED"] = str(location.folder / "feed" / "{date}.jsonl")
        assert connect_once(location)
    done = location.materialize(str(DAY), check=False)
    assert (done.returncode == 0) == (trouble == "none")
    dagster, lake = everything(location, done.stdout + done.stderr)
    assert b"STEP_START" in dagster
    assert leaks(tokens(sandbox), dagster + lake) == []
    assert leaks(personal(sandbox) | {"canary-in-a"}, dagster) == []


def connect_once(location: Location) -> bool:
    """Make an access token, for runs that end before they need one."""
    from resources.targetdata import TargetDataResource

    sandbox = location.sandbox
    resource = TargetDataResource(base_url=sandbox.url, refresh_token=sandbox.refresh_token)
    try:
        return bool(resource.client.ask("{ __typename }"))
    finally:
        resource.close()


def test_a_bad_value_is_named_by_its_column_and_a_digest_of_its_key(location: Location) -> None:
    location.sandbox.faults.field_overrides = {"changeDate": "soon"}
    done = location.materialize(str(DAY), check=False)
    assert "column change_date: a text of 4 characters does not fit Instant" in done.stderr
    assert "(key digest " in done.stderr
    assert location.lake.manifest("profiles", f"date={DAY}") is None


def test_dagster_gets_the_name_of_a_feed_in_a_store_and_not_its_credentials(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    uri = "s3://key:canary-secret@bucket/events-{date}.jsonl"
    location = Location(sandbox, tmp_path, settings={"TARGETDATA_FEED": uri})
    code = (
        "from pipelines.defs.connections import connections\n"
        "feed = connections().resources['feed']\n"
        "print(type(feed).__name__, type(dict(feed)['pattern']).__name__)\n"
        "print(repr(feed))"
    )
    done = location.run("python", code)
    assert done.stdout.splitlines()[0] == "Feed EnvVar"
    assert "canary-secret" not in done.stdout + done.stderr

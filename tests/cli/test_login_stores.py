"""Where `targetdata login` keeps a token, what reads it there, and what it warns of."""

import re
import subprocess
from pathlib import Path

import jwt
import pytest

from tests.dagster_runs import Location
from tests.desk import Desk, said
from tests.local import last_days
from tests.sandbox import Sandbox

pytestmark = pytest.mark.journey  # each runs the command itself, which takes seconds

DAY = last_days()[-1]
KEYRING_BACKEND = {"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"}


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path) -> Desk:
    return Desk(sandbox, tmp_path)


def test_several_accounts_have_tokens_of_their_own(desk: Desk) -> None:
    token, url = desk.sandbox.refresh_token, desk.sandbox.url
    desk.env_file.write_text(f"TARGETDATA_REFRESH_TOKEN=of-all\nTARGETDATA_EU_BASE_URL={url}\n")
    done = desk.run("login", "--account", "eu", piped=token)
    assert "TARGETDATA_ACCOUNT=eu .venv/bin/targetdata doctor" in said(done)
    assert desk.env_file.read_text() == (
        f"TARGETDATA_REFRESH_TOKEN=of-all\nTARGETDATA_EU_BASE_URL={url}\nTARGETDATA_EU_REFRESH_TOKEN={token}\n"
    )
    desk.settings |= {"TARGETDATA_ACCOUNT": "eu"}
    desk.extract()
    desk.settings |= KEYRING_BACKEND
    assert desk.run("login", "--account", "eu", "--keyring", piped=token).returncode == 0
    assert "TARGETDATA_EU_REFRESH_TOKEN_KEYRING=targetdata-eu\n" in desk.env_file.read_text()
    desk.extract()
    done = desk.run("login", "--account", "E-U", piped=token)
    assert (done.returncode, "'E-U' is no account's name" in said(done)) == (1, True)


def test_the_keyring_may_keep_it_and_env_names_the_entry_only(desk: Desk) -> None:
    token, url = desk.sandbox.refresh_token, desk.sandbox.url
    desk.env_file.write_text("TARGETDATA_REFRESH_TOKEN=an-old-one # mine\n")
    desk.settings |= KEYRING_BACKEND
    done = desk.run("login", "--keyring", "--base-url", url, piped=token)
    assert done.returncode == 0, done.stderr
    assert "Stored in the system's keyring (file PlaintextKeyring" in said(done)
    assert token not in said(done)
    assert desk.env_file.read_text() == (
        f"TARGETDATA_REFRESH_TOKEN= # mine\nTARGETDATA_BASE_URL={url}\n"
        "TARGETDATA_REFRESH_TOKEN_KEYRING=targetdata\n"
    )
    desk.extract()

    again = desk.run("login", piped=token)
    assert again.returncode == 0, again.stderr
    assert f"TARGETDATA_REFRESH_TOKEN={token} # mine\n" in desk.env_file.read_text()
    assert "TARGETDATA_REFRESH_TOKEN_KEYRING=\n" in desk.env_file.read_text()


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("keyring.backends.fail.Keyring", "the system's keyring cannot be used (NoKeyringError)"),
        ("nothing.such.Keyring", "the system's keyring cannot be used (ModuleNotFoundError)"),
        ("keyring.backends.null.Keyring", "(null Keyring) has not kept the token"),
    ],
)
def test_a_keyring_that_cannot_be_used_is_named(backend: str, message: str, desk: Desk) -> None:
    desk.settings |= {"PYTHON_KEYRING_BACKEND": backend}
    done = desk.run("login", "--keyring", "--base-url", desk.sandbox.url, piped=desk.sandbox.refresh_token)
    assert (done.returncode, message in said(done)) == (1, True), done.stderr
    assert not desk.env_file.exists()


def test_an_entry_of_the_keyring_that_is_missing_says_what_to_do(desk: Desk) -> None:
    desk.env_file.write_text(
        f"TARGETDATA_BASE_URL={desk.sandbox.url}\nTARGETDATA_REFRESH_TOKEN_KEYRING=targetdata\n"
    )
    desk.settings |= KEYRING_BACKEND
    done = desk.run("schema", "pull", "--dry-run")
    assert done.returncode == 1
    assert f"the keyring has none of 'targetdata' for {desk.sandbox.url}" in said(done)
    assert "(targetdata login)" in said(done)


def test_an_account_does_not_take_the_keyrings_token_of_another(desk: Desk) -> None:
    desk.settings |= KEYRING_BACKEND
    desk.run("login", "--keyring", "--base-url", desk.sandbox.url, piped=desk.sandbox.refresh_token)
    desk.settings |= {"TARGETDATA_ACCOUNT": "eu", "TARGETDATA_EU_BASE_URL": desk.sandbox.url}
    done = desk.run("schema", "pull", "--dry-run")
    assert (done.returncode, "there is no offline refresh token: it is not set" in said(done)) == (1, True)


def test_a_run_of_dagster_reads_the_keyring_by_itself_and_records_no_token(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    desk = Desk(sandbox, tmp_path, KEYRING_BACKEND)
    assert (
        desk.run("login", "--keyring", "--base-url", sandbox.url, piped=sandbox.refresh_token).returncode == 0
    )
    sandbox.write_feed(desk.root / "data" / "feed", [DAY])  # as .env has it, made from the example
    places = {"XDG_DATA_HOME": str(tmp_path / "data")}
    of_env_file = {"TARGETDATA_BASE_URL": "", "TARGETDATA_REFRESH_TOKEN": ""}
    location = Location(sandbox, tmp_path, desk.root, settings=KEYRING_BACKEND | places | of_env_file)
    location.materialize(str(DAY))
    assert location.lake.read("profiles", f"date={DAY}").num_rows > 0
    assert sandbox.refresh_token.encode() not in location.everything_stored()


def test_what_counts_in_place_of_the_stored_token_is_warned_of(desk: Desk) -> None:
    token, url = desk.sandbox.refresh_token, desk.sandbox.url
    desk.env_file.write_text("TARGETDATA_REFRESH_TOKEN_FILE=/run/secrets/token\n")
    desk.settings |= {
        "TARGETDATA_REFRESH_TOKEN": "canary-another",
        "TARGETDATA_BASE_URL": "https://localhost:1",
    }
    done = desk.run("login", "--base-url", url, piped=token)
    assert done.returncode == 0, done.stderr
    warnings = re.findall(r"Warning: (.*)", done.stderr)
    assert [re.split("[:,]", text)[0] for text in warnings] == [
        "TARGETDATA_REFRESH_TOKEN_FILE is set",
        "the environment itself sets TARGETDATA_REFRESH_TOKEN to something else",
        "the environment itself sets TARGETDATA_BASE_URL to something else",
    ]
    assert "canary" not in said(done)
    desk.env_file.unlink()
    desk.settings |= {"TARGETDATA_REFRESH_TOKEN": token, "TARGETDATA_BASE_URL": f"{url}/"}
    assert "Warning" not in desk.run("login", piped=token).stderr


def test_a_server_that_sends_another_refresh_token_and_one_that_expires_are_warned_of(tmp_path: Path) -> None:
    token = jwt.encode({"typ": "Refresh"}, "k" * 32, "HS256")
    with Sandbox(people=1) as sandbox:
        sandbox.refresh_token = sandbox._tokens.refresh_token = token
        sandbox.faults.rotated_refresh_token = "canary-rotated"
        done = Desk(sandbox, tmp_path).run("login", "--base-url", sandbox.url, piped=token)
    assert "Warning: the server sent another refresh token with its answer" in said(done)
    assert "Warning: by its own word this is an ordinary refresh token" in said(done)
    assert "canary" not in said(done)


@pytest.mark.parametrize(
    ("ignored", "tracked", "warning"),
    [
        (True, False, ""),
        (False, False, ".env is not ignored by git"),
        (False, True, ".env is tracked by git"),
    ],
)
def test_a_file_that_git_would_commit_is_warned_of(
    ignored: bool, tracked: bool, warning: str, desk: Desk
) -> None:
    desk.env_file.write_text("")
    (desk.root / ".gitignore").write_text(".env\n" if ignored else "")
    git(desk, "init")
    if tracked:
        git(desk, "add", ".env")
    done = desk.run("login", "--base-url", desk.sandbox.url, piped=desk.sandbox.refresh_token)
    assert done.returncode == 0
    assert ("Warning" in done.stderr, warning in said(done)) == (bool(warning), True)


def git(desk: Desk, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=desk.root, check=True, capture_output=True)


def test_a_file_that_cannot_be_written_is_named(desk: Desk) -> None:
    desk.env_file.mkdir()
    done = desk.run("login", "--base-url", desk.sandbox.url, piped=desk.sandbox.refresh_token)
    assert (done.returncode, ".env is no file" in said(done)) == (1, True)
    assert desk.sandbox.refresh_token not in said(done)

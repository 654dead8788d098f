"""`targetdata login`: the real command at a real terminal, or with a pipe, against the sandbox."""

import os
import re
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jwt
import pyarrow.parquet as pq
import pytest
import trustme

from tests.dagster_runs import Location, copied_checkout
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.terminal import Terminal

DAY = last_days()[-1]
PROMPT = "(not shown): "
KEYRING_BACKEND = {"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"}
OTHER_LINES = "# mine\n\nexport TARGETDATA_TIMEZONE='Europe/Berlin' # here\n  GRAPHQL_URL=\n"


@dataclass
class Desk:
    """A person's checkout, beside a sandbox: nothing of it is set but what is named."""

    sandbox: Sandbox
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = copied_checkout(self.folder / "clone")
        self.env_file = self.root / ".env"

    @property
    def environment(self) -> dict[str, str]:
        ours = ("TARGETDATA_", "GRAPHQL_", "DAGSTER_", "DISPLAY", "WAYLAND", "BROWSER")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        places = {"PYTHONPATH": str(self.root), "XDG_DATA_HOME": str(self.folder / "data")}
        return inherited | places | self.settings

    def run(self, *arguments: str, piped: str = "") -> "subprocess.CompletedProcess[str]":
        """Run `targetdata` with something piped into it."""
        return subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=piped,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def at_terminal(self, *arguments: str) -> Terminal:
        """Run `targetdata` at a terminal."""
        return Terminal(
            ["-m", "pipelines.cli", *arguments], cwd=self.folder, env=self.environment | {"TERM": "xterm"}
        )

    def extract(self) -> "subprocess.CompletedProcess[str]":
        """Extract one person, with whatever token is stored."""
        keys = self.folder / "keys.csv"
        person = next(p for p in self.sandbox.people if not p["testProfile"])
        umid = next(i["value"] for i in person["identifiers"] if i["name"] == "umid")
        keys.write_text(f"umid\n{umid}\n")
        query = str(self.root / "pipelines" / "defs" / "profiles" / "profiles.graphql")
        out = self.folder / "out.parquet"
        done = self.run("extract", query, "--keys", str(keys), "--out", str(out))
        assert (done.returncode, pq.read_table(out).num_rows) == (0, 1), done.stderr
        return done


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path) -> Desk:
    return Desk(sandbox, tmp_path)


def said(done: "subprocess.CompletedProcess[str]") -> str:
    return " ".join((done.stdout + done.stderr).split())


def test_the_help_teaches(desk: Desk) -> None:
    shown = said(desk.run("login", "--help"))
    assert "Example: vault read -field=token secret/targetdata | targetdata login" in shown
    assert "mode 0600" in shown


def test_a_person_without_settings_is_asked_for_url_and_token_and_the_token_is_never_shown(
    desk: Desk,
) -> None:
    sandbox = desk.sandbox
    with desk.at_terminal("login") as terminal:
        terminal.until("Base URL of the account")
        terminal.type("http://example.com\n")
        terminal.until("plain http:// to example.com would send tokens in clear text")
        terminal.until("https://targetdata.example.com: ")
        terminal.type(f"{sandbox.url}/auth/offline-token\n")
        terminal.until(PROMPT)
        assert "No browser could be opened here" in terminal.shown
        terminal.type(sandbox.refresh_token + "\n")
        assert terminal.end() == 0
    assert f"Log in, and copy the token that is shown: {sandbox.url}/auth/offline-token" in terminal.shown
    assert f"{len(sandbox.refresh_token)} characters" in terminal.shown
    assert "valid for 3,600 s" in terminal.shown
    assert "targetdata doctor" in terminal.shown
    assert sandbox.refresh_token[-20:] not in terminal.shown
    assert stat.S_IMODE(desk.env_file.stat().st_mode) == 0o600
    example = (desk.root / ".env.example").read_text().splitlines()
    filled = desk.env_file.read_text().splitlines()
    assert [line for line in filled if line not in example] == [
        f"TARGETDATA_BASE_URL={sandbox.url}",
        f"TARGETDATA_REFRESH_TOKEN={sandbox.refresh_token}",
    ]
    assert len(filled) == len(example)
    desk.extract()


@pytest.mark.parametrize("options", [[], ["--no-browser"]])
def test_a_browser_is_opened_at_the_page_that_shows_the_token_unless_it_is_not_wanted(
    options: list[str], desk: Desk
) -> None:
    browser = desk.folder / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {desk.folder}/opened\n')
    browser.chmod(0o755)
    desk.settings |= {"BROWSER": str(browser)}
    with desk.at_terminal("login", "--base-url", desk.sandbox.url, *options) as terminal:
        terminal.until(PROMPT)
    page = f"{desk.sandbox.url}/auth/offline-token"
    assert [path.read_text() for path in desk.folder.glob("opened")] == ([] if options else [page])
    assert "No browser" not in terminal.shown


@pytest.mark.parametrize("keys", ["\x03", "half a tok\x03"])
def test_ctrl_c_at_the_prompt_ends_it_with_nothing_stored(keys: str, desk: Desk) -> None:
    with desk.at_terminal("login", "--base-url", desk.sandbox.url) as terminal:
        terminal.until(PROMPT)
        terminal.type(keys)
        assert terminal.end() == 130
    assert "Interrupted; nothing was stored." in terminal.shown
    assert "Traceback" not in terminal.shown
    assert "tok" not in terminal.shown.partition(PROMPT)[2]
    assert not desk.env_file.exists()


def test_ctrl_c_while_the_url_is_asked_for_ends_it_too(desk: Desk) -> None:
    with desk.at_terminal("login") as terminal:
        terminal.until("example.com: ")
        terminal.type("\x03")
        assert terminal.end() == 130
    assert "Interrupted; nothing was stored." in terminal.shown


def test_ctrl_d_gives_nothing(desk: Desk) -> None:
    with desk.at_terminal("login") as terminal:
        terminal.until("example.com: ")
        terminal.type("\x04")
        assert terminal.end() == 1
    assert "no base URL was given" in terminal.shown
    with desk.at_terminal("login", "--base-url", desk.sandbox.url) as terminal:
        terminal.until(PROMPT)
        terminal.type("\x04")
        assert terminal.end() == 1
    assert "no token was given" in terminal.shown


def test_a_pasted_token_may_be_longer_than_a_line_of_the_terminal_and_mistyped_at_first(
    tmp_path: Path,
) -> None:
    long = jwt.encode({"typ": "Offline", "scope": "x" * 6000}, "k" * 32, "HS256")
    with Sandbox(people=1) as sandbox:
        sandbox.refresh_token = sandbox._tokens.refresh_token = long
        desk = Desk(sandbox, tmp_path)
        with desk.at_terminal("login", "--base-url", sandbox.url) as terminal:
            terminal.until(PROMPT)
            terminal.type("mistake\x15xy\x7f\x7f")
            for start in range(0, len(long), 1000):
                terminal.type(long[start : start + 1000])
            terminal.type("\n")
            assert terminal.end() == 0
    assert f"TARGETDATA_REFRESH_TOKEN={long}\n" in desk.env_file.read_text()


def test_what_is_pasted_below_the_token_does_not_reach_the_shell(desk: Desk) -> None:
    with desk.at_terminal("login", "--base-url", desk.sandbox.url) as terminal:
        terminal.until(PROMPT)
        terminal.type("first-half\nsecond-half\n")
        assert terminal.end() == 1
    assert "it has spaces, lines or other characters in it" in terminal.shown
    assert "half" not in terminal.shown.partition(PROMPT)[2]


@pytest.mark.parametrize("form", ["{}", "{}\n", '"{}"\n', "\n '{}' \r\n"])
def test_a_vault_may_pipe_it_in(form: str, desk: Desk) -> None:
    token = desk.sandbox.refresh_token
    desk.env_file.write_text(OTHER_LINES)
    desk.env_file.chmod(0o644)
    done = desk.run("login", "--base-url", desk.sandbox.url, piped=form.format(token))
    assert done.returncode == 0, done.stderr
    assert token not in done.stdout + done.stderr
    stored = f"TARGETDATA_BASE_URL={desk.sandbox.url}\nTARGETDATA_REFRESH_TOKEN={token}\n"
    assert desk.env_file.read_text() == OTHER_LINES + stored
    assert stat.S_IMODE(desk.env_file.stat().st_mode) == 0o600
    assert {path.name for path in desk.root.glob(".env*")} == {".env", ".env.example"}
    assert "Warning" not in done.stderr


def wrong_tokens(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    yield "", "no token was given"
    yield "''\n", "no token was given"
    yield "two words", "has spaces, lines or other characters in it"
    yield "Bearer eyJhbGciOi", "has spaces, lines or other characters in it"
    yield "ключ", "has spaces, lines or other characters in it"
    yield "\xff\xfe", "has spaces, lines or other characters in it"
    access = jwt.encode({"typ": "Bearer", "exp": 1}, "k" * 32, "HS256")
    yield (
        access,
        "that is an access token, which ends within hours: copy the offline refresh token alone, "
        f"as {sandbox.url}/auth/offline-token shows it",
    )
    yield jwt.encode({"typ": "ID"}, "k" * 32, "HS256"), "that is an ID token"


def test_what_can_be_no_token_is_refused_before_it_is_sent_or_shown(desk: Desk) -> None:
    for token, message in wrong_tokens(desk.sandbox):
        done = desk.run("login", "--base-url", desk.sandbox.url, piped=token)
        assert (done.returncode, message in said(done)) == (1, True), done.stderr
        assert len(token) < 3 or token not in said(done)
        assert "Nothing was stored." in said(done)
    assert desk.sandbox.requests == []
    assert not desk.env_file.exists()


def test_a_refused_token_is_not_stored(desk: Desk) -> None:
    desk.env_file.write_text(OTHER_LINES)
    done = desk.run("login", "--base-url", desk.sandbox.url, piped="offline-canary-of-another-account")
    assert done.returncode == 1
    assert "the refresh token is refused (400 from" in said(done)
    assert "Nothing was stored." in said(done)
    assert "canary" not in said(done)
    assert desk.env_file.read_text() == OTHER_LINES


def test_a_server_that_is_down_stores_nothing_and_may_be_tried_later(desk: Desk) -> None:
    desk.sandbox.faults.token_every, desk.sandbox.faults.token_kinds = 1, ["503"]
    done = desk.run("login", "--base-url", desk.sandbox.url, piped=desk.sandbox.refresh_token)
    assert done.returncode == 75
    assert "answered 503" in said(done)
    assert desk.sandbox.refresh_token not in said(done)
    assert not desk.env_file.exists()
    assert desk.sandbox.token_requests == 3


def test_ctrl_c_while_the_server_lets_wait_stores_nothing(desk: Desk) -> None:
    faults = desk.sandbox.faults
    faults.token_every, faults.token_kinds, faults.retry_after = 1, ["429"], 600.0
    with desk.at_terminal("login", "--base-url", desk.sandbox.url) as terminal:
        terminal.until(PROMPT)
        terminal.type(desk.sandbox.refresh_token + "\n")
        terminal.until("asking the server to make an access token ...")
        while not desk.sandbox.token_requests:
            assert not desk.env_file.exists()
        terminal.type("\x03")
        assert terminal.end() == 130
    assert "Interrupted; nothing was stored." in terminal.shown
    assert "Traceback" not in terminal.shown
    assert not desk.env_file.exists()


def test_the_connection_is_the_accounts_own_with_its_certificates(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with Sandbox(people=1, ssl_context=context) as sandbox:
        desk = Desk(sandbox, tmp_path)
        refused = desk.run("login", "--base-url", sandbox.url, piped=sandbox.refresh_token)
        assert (refused.returncode, "certificate" in said(refused)) == (1, True)
        desk.env_file.write_text(f"TARGETDATA_CA_FILE={tmp_path}/ca.pem\n")
        done = desk.run("login", "--base-url", sandbox.url, piped=sandbox.refresh_token)
        assert done.returncode == 0, done.stderr


def test_without_a_terminal_the_url_is_not_asked_for(desk: Desk) -> None:
    done = desk.run("login", piped=desk.sandbox.refresh_token)
    assert (done.returncode, "name the account with --base-url" in said(done)) == (1, True)


@pytest.mark.parametrize(
    "url", ["http://example.com", "ftp://localhost", "https://", "https://u:p@localhost"]
)
def test_a_base_url_that_cannot_carry_a_token_is_refused(url: str, desk: Desk) -> None:
    done = desk.run("login", "--base-url", url, piped=desk.sandbox.refresh_token)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert not desk.env_file.exists()


def test_several_accounts_have_tokens_of_their_own(desk: Desk) -> None:
    token, url = desk.sandbox.refresh_token, desk.sandbox.url
    desk.env_file.write_text(f"TARGETDATA_REFRESH_TOKEN=of-all\nTARGETDATA_EU_BASE_URL={url}\n")
    done = desk.run("login", "--account", "eu", piped=token)
    assert "TARGETDATA_ACCOUNT=eu targetdata doctor" in said(done)
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


@pytest.mark.journey
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

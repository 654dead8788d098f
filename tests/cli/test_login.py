"""`targetdata login`: the real command at a real terminal, or with a pipe, against the sandbox."""

import ssl
import stat
from pathlib import Path

import jwt
import pytest
import trustme

from pipelines.login import base_url_of
from resources.account.pasted import pasted_token
from resources.errors import ConfigurationError
from tests.desk import Desk, said
from tests.sandbox import Sandbox

KEY = "k" * 32
PROMPT = "(not shown): "
OTHER_LINES = "# mine\n\nexport TARGETDATA_TIMEZONE='Europe/Berlin' # here\n  GRAPHQL_URL=\n"
SHOWN_AT = "https://a.example/auth/offline-token"
NO_TOKENS = {
    "": "no token was given",
    "''\n": "no token was given",
    "two words": "has spaces, lines or other characters in it",
    "Bearer eyJhbGciOi": "has spaces, lines or other characters in it",
    "ключ": "has spaces, lines or other characters in it",
    "\ufffd\ufffd": "has spaces, lines or other characters in it",
    jwt.encode({"typ": "Bearer"}, KEY, "HS256"): "that is an access token, which ends within hours",
    jwt.encode({"typ": "ID"}, KEY, "HS256"): "that is an ID token",
}


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path) -> Desk:
    return Desk(sandbox, tmp_path)


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


def test_ctrl_c_at_the_prompt_ends_it_with_nothing_stored(desk: Desk) -> None:
    with desk.at_terminal("login", "--base-url", desk.sandbox.url) as terminal:
        terminal.until(PROMPT)
        terminal.type("half a tok\x03")
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
    long = jwt.encode({"typ": "Offline", "scope": "x" * 6000}, KEY, "HS256")
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


def test_a_vault_may_pipe_it_in(desk: Desk) -> None:
    token = desk.sandbox.refresh_token
    desk.env_file.write_text(OTHER_LINES)
    desk.env_file.chmod(0o644)
    done = desk.run("login", "--base-url", desk.sandbox.url, piped=f"'{token}'\n")
    assert done.returncode == 0, done.stderr
    assert token not in done.stdout + done.stderr
    stored = f"TARGETDATA_BASE_URL={desk.sandbox.url}\nTARGETDATA_REFRESH_TOKEN={token}\n"
    assert desk.env_file.read_text() == OTHER_LINES + stored
    assert stat.S_IMODE(desk.env_file.stat().st_mode) == 0o600
    assert {path.name for path in desk.root.glob(".env*")} == {".env", ".env.example"}
    assert "Warning" not in done.stderr


@pytest.mark.parametrize(("text", "message"), NO_TOKENS.items())
def test_what_can_be_no_token_is_refused_and_not_shown(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        pasted_token(text, login_url=SHOWN_AT)
    assert f"copy the offline refresh token alone, as {SHOWN_AT} shows it" in str(caught.value)
    assert len(text) < 3 or text not in str(caught.value)


@pytest.mark.parametrize("form", ["{}", "{}\n", '"{}"\n', "\n '{}' \r\n", "` {} `"])
@pytest.mark.parametrize("token", ["offline-1", "a'b", "x", "1.W10.3", jwt.encode({"typ": "Offline"}, KEY)])
def test_what_is_around_a_token_is_left_out(form: str, token: str) -> None:
    assert pasted_token(form.format(token), login_url=SHOWN_AT) == token


def test_an_access_token_is_neither_sent_nor_shown(desk: Desk) -> None:
    access = jwt.encode({"typ": "Bearer"}, KEY, "HS256")
    done = desk.run("login", "--base-url", desk.sandbox.url, piped=access)
    assert (done.returncode, "that is an access token" in said(done)) == (1, True)
    assert "Nothing was stored." in said(done)
    assert access not in said(done)
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
    "url", ["", "http://a.example", "ftp://localhost", "https://", "https://u:p@localhost"]
)
def test_a_base_url_that_cannot_carry_a_token_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        base_url_of(url)


@pytest.mark.parametrize("path", ["", "/", "/graphql", "/graphql/", "/auth/offline-token"])
def test_a_base_url_may_be_given_as_a_browser_shows_it(path: str) -> None:
    assert base_url_of(f" https://a.example/b{path}\n") == "https://a.example/b"

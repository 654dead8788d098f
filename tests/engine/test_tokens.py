"""Access tokens: renewed once for all, at the right time, and refused ones named for a person."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resources.account import tokens
from resources.errors import ConfigurationError, ServerUnavailable, TokenRefused
from resources.graphql.query import Query
from tests.conftest import Connect
from tests.sandbox import Faults, Sandbox

PING = "{ __typename }"


def token_requests(sandbox: Sandbox) -> int:
    return sum(r.path == "/auth/token" for r in sandbox.requests)


def test_one_token_serves_many_requests(sandbox: Sandbox, connect: Connect, profiles_query: Query) -> None:
    client = connect(sandbox).client
    for _ in range(5):
        client.ask(PING)
    assert token_requests(sandbox) == 1


def test_64_concurrent_refusals_make_one_renewal(sandbox: Sandbox, connect: Connect) -> None:
    client = connect(sandbox, max_in_flight=64).client
    client.ask(PING)
    client._sender.throttle._in_flight.number = 64
    sandbox.revoke()
    sandbox.clear()
    sandbox.faults.gather = 64  # all are on the wire before the first answer
    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(client.ask, [PING] * 64))
    assert all(a["data"] == {"__typename": "Query"} for a in answers)
    assert sum(r.status == 401 for r in sandbox.requests) == 64
    assert token_requests(sandbox) == 1


def test_pauses_before_a_401_do_not_count_as_refusals(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.graphql.sending.retry.BACKOFF", lambda _: 0.01)
    client = connect(sandbox).client
    client.ask(PING)
    sandbox.faults.every, sandbox.faults.retry_after = 1, 0.01
    sandbox.faults.kinds = [*["429"] * 9, "401", "503", "401", *["none"] * 9]
    assert client.ask(PING)["data"]
    assert client.counts.retries == {"throttled": 9, "unauthorized": 2, "unavailable": 1}


def test_a_late_401_does_not_drop_the_token_that_was_made_since(sandbox: Sandbox, connect: Connect) -> None:
    client = connect(sandbox).client
    client.ask(PING)
    source = client._sender._tokens
    assert source
    first = client._call(source.get)
    sandbox.revoke()
    client.ask(PING)
    source.invalidate(first.generation)  # of a request that had left before the renewal
    client.ask(PING)
    assert token_requests(sandbox) == 2


def test_a_token_that_is_still_good_is_used_while_a_new_one_cannot_be_had(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "ADVISORY_SHARE", 1.0)
    monkeypatch.setattr(tokens, "ADVISORY_SECONDS", 3600.0)  # a renewal is due at once
    client = connect(sandbox).client
    client.ask(PING)
    sandbox.faults.token_every, sandbox.faults.token_kinds = 1, ["503"]
    patience = threading.Event()
    while token_requests(sandbox) < 3:
        assert client.ask(PING)["data"]
        assert not patience.wait(0.02)
    assert {r.status for r in sandbox.requests if r.path == "/graphql"} == {200}


def test_a_token_is_renewed_before_it_ends(stack, connect: Connect) -> None:  # type: ignore[no-untyped-def]
    sandbox = stack.enter_context(Sandbox(people=1, seed=7, token_seconds=1.0))
    client = connect(sandbox).client
    ended = threading.Event()
    while not ended.wait(0.05) and token_requests(sandbox) < 3:
        client.ask(PING)
    assert [r.status for r in sandbox.requests if r.path == "/graphql" and r.status != 200] == []


def test_the_lifetime_is_read_from_the_token_where_the_answer_does_not_say_it(
    stack, connect: Connect
) -> None:  # type: ignore[no-untyped-def]
    sandbox = stack.enter_context(Sandbox(people=1, seed=7, token_seconds=1.0))
    sandbox.faults.omit_expires_in = True
    client = connect(sandbox).client
    while token_requests(sandbox) < 3:
        client.ask(PING)
    assert {r.status for r in sandbox.requests} == {200}


@pytest.mark.parametrize("text", ["two\nlines", "a b", "ключ", ""])
def test_an_access_token_that_no_header_can_carry_is_none(
    text: str, sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.sandbox.auth.jwt.encode", lambda *_: text)
    with pytest.raises(ServerUnavailable, match="/auth/token answered without an access token") as caught:
        connect(sandbox, max_attempts=1).client.ask(PING)
    assert not text or text not in str(caught.value)


def test_an_answer_without_an_access_token_is_none(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.sandbox.auth.jwt.encode", lambda *_: None)
    with pytest.raises(ServerUnavailable, match="/auth/token answered without an access token"):
        connect(sandbox, max_attempts=1).client.ask(PING)
    assert all(r.path == "/auth/token" for r in sandbox.requests), "not the text None, above all"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_refresh_token_is_sent_once_and_says_where_to_get_a_new_one(
    status: int, sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    sandbox.faults.refuse_refresh = status
    with pytest.raises(TokenRefused) as caught:
        list(connect(sandbox).pages(profiles_query, keys=["a", "b", "c"]))
    assert f"{sandbox.url}/auth/offline-token" in str(caught.value)
    assert sandbox.refresh_token not in str(caught.value)
    assert token_requests(sandbox) == 1


def test_a_token_file_is_read_again_once_when_it_was_refused(
    sandbox: Sandbox, connect: Connect, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("an old one\n")
    resource = connect(sandbox, refresh_token="", refresh_token_file=str(file))
    client = resource.client
    file.write_text(sandbox.refresh_token + "\n")
    assert client.ask(PING)["data"]


def test_a_token_file_that_stays_refused_is_sent_once(
    sandbox: Sandbox, connect: Connect, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("an old one\n")
    client = connect(sandbox, refresh_token="", refresh_token_file=str(file)).client
    for _ in range(2):
        with pytest.raises(TokenRefused):
            client.ask(PING)
    assert token_requests(sandbox) == 1


@pytest.mark.parametrize(("name", "value"), [("refresh_token", ""), ("refresh_token", "  \n")])
def test_a_missing_token_says_where_to_make_one(
    name: str, value: str, sandbox: Sandbox, connect: Connect
) -> None:
    with pytest.raises(
        ConfigurationError, match=r"no offline refresh token: it is not set.*/auth/offline-token"
    ):
        _ = connect(sandbox, **{name: value}).client


def test_an_empty_or_missing_token_file_is_named(sandbox: Sandbox, connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ConfigurationError, match="empty is empty"):
        _ = connect(sandbox, refresh_token="", refresh_token_file=str(tmp_path / "empty")).client
    with pytest.raises(ConfigurationError, match="none cannot be read"):
        _ = connect(sandbox, refresh_token="", refresh_token_file=str(tmp_path / "none")).client


def test_fresh_tokens_that_are_never_accepted_end_the_run(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.faults.reject_fresh_tokens = True
    with pytest.raises(TokenRefused, match="refuses fresh access tokens"):
        connect(sandbox).client.ask(PING)
    assert token_requests(sandbox) < 10


@pytest.mark.parametrize("kind", ["429", "503", "drop", "html", "truncated"])
def test_faults_of_the_token_endpoint_are_tried_again(kind: str, stack, connect: Connect) -> None:  # type: ignore[no-untyped-def]
    faults = Faults(token_every=2, token_kinds=[kind], retry_after=0.2)
    sandbox = stack.enter_context(Sandbox(people=1, seed=7, faults=faults))
    client = connect(sandbox).client
    for _ in range(3):
        assert client.ask(PING)["data"]
        sandbox.revoke()
    assert any(r.fault == kind for r in sandbox.requests)


def test_a_token_endpoint_that_stays_down_may_be_tried_later(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.faults.token_every, sandbox.faults.token_kinds = 1, ["503"]
    with pytest.raises(ServerUnavailable, match="/auth/token answered 503"):
        connect(sandbox, max_attempts=2).client.ask(PING)


def test_tokens_are_in_no_representation(sandbox: Sandbox, connect: Connect) -> None:
    resource = connect(sandbox)
    resource.client.ask(PING)
    assert sandbox.refresh_token not in repr(resource) + str(resource) + repr(resource.client.settings)

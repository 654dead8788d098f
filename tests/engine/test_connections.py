"""Connections that cannot work get a message that says what to mend."""

import re
import socket
import ssl
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme
from pydantic import ValidationError

from resources.account import TargetDataConnection
from resources.connection import Connection, GraphQLConnection
from resources.errors import ConfigurationError, ExtractionError, QueryError, Refused, ServerUnavailable
from resources.graphql.client import Client
from resources.graphql.query import Query
from resources.graphql.sending.settings import Settings
from resources.graphql_resource import GraphQLResource
from resources.targetdata import TargetDataResource
from tests.conftest import ROOT, Connect
from tests.sandbox import Sandbox

PING = "{ __typename }"


@pytest.mark.parametrize(
    "kind", [GraphQLConnection, GraphQLResource, TargetDataConnection, TargetDataResource]
)
def test_a_limit_that_there_is_not_is_refused_by_name(kind: type[Connection]) -> None:
    with pytest.raises(ValidationError, match=r"request_per_second\n"):
        kind.model_validate({"url": "https://a.example", "base_url": "", "request_per_second": 3})


def ping(sandbox: Sandbox, connect: Connect, **settings: object) -> str:
    """Send one request, which must fail; give the message."""
    with pytest.raises(ExtractionError) as caught:
        connect(sandbox, **settings).client.ask(PING)
    return f"{type(caught.value).__name__}: {caught.value}"


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_sandbox(authority: trustme.CA, stack: ExitStack) -> Sandbox:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return stack.enter_context(Sandbox(people=1, seed=7, ssl_context=context))


def test_a_name_that_cannot_be_resolved_is_named(sandbox: Sandbox, connect: Connect) -> None:
    said = ping(sandbox, connect, base_url="https://nowhere.invalid")
    assert "nowhere.invalid cannot be resolved" in said
    assert "Is the base URL right?" in said


def test_a_port_where_nobody_listens_is_named(sandbox: Sandbox, connect: Connect) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        said = ping(sandbox, connect, base_url=f"http://127.0.0.1:{free.getsockname()[1]}")
    assert "no connection to 127.0.0.1" in said


def test_an_unknown_authority_says_how_to_trust_it(tls_sandbox: Sandbox, connect: Connect) -> None:
    said = ping(tls_sandbox, connect)
    assert said.startswith("ConfigurationError: TLS with localhost fails: unable to get local issuer")
    assert "ca_file" in said
    assert tls_sandbox.requests == []


def test_a_server_that_speaks_no_tls_is_named(sandbox: Sandbox, connect: Connect) -> None:
    said = ping(sandbox, connect, base_url=sandbox.url.replace("http:", "https:"))
    assert re.match(r"ConfigurationError: TLS with 127\.0\.0\.1 fails: .+ Does it speak https\?", said)


def test_an_authority_in_a_file_is_trusted(
    tls_sandbox: Sandbox, connect: Connect, authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    assert connect(tls_sandbox, ca_file=str(tmp_path / "ca.pem")).client.ask(PING)["data"]


def test_a_file_that_is_no_authority_is_named(sandbox: Sandbox, connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    assert "ca.pem cannot be read as PEM" in ping(sandbox, connect, ca_file=str(tmp_path / "ca.pem"))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://api.example.com", r"plain http:// to api.example.com would send tokens in clear text"),
        ("api.example.com", "is not the URL of a GraphQL API"),
        ("https://user:secret@api.example.com", "holds a user or password"),
        ("https://api.example.com/graphql/", "the base URL ends before /graphql"),
        ("https://[::1", "is not the URL of a GraphQL API"),
        ("https://api.example.com:99999", "is not the URL of a GraphQL API"),
        ("https://api.example.com/?key=secret", "is not the URL of a GraphQL API"),
        ("user:secret@api.example.com", "is not the URL of a GraphQL API"),
    ],
)
def test_an_address_that_is_unsafe_or_none_is_refused(
    url: str, message: str, sandbox: Sandbox, connect: Connect
) -> None:
    said = ping(sandbox, connect, base_url=url)
    assert message in said
    assert "secret" not in said


def test_a_wrong_path_is_named_with_its_status(sandbox: Sandbox, connect: Connect) -> None:
    said = ping(sandbox, connect, base_url=f"{sandbox.url}/v1")
    assert "POST /v1/auth/token on 127.0.0.1 answered 404; is the base URL right" in said


def test_a_page_instead_of_an_answer_says_so(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.faults.every, sandbox.faults.kinds = 1, ["html"]
    said = ping(sandbox, connect, max_attempts=2)
    assert "answered something that is not GraphQL (text/html" in said


def test_a_page_instead_of_a_token_says_so(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.faults.token_every, sandbox.faults.token_kinds = 1, ["html"]
    said = ping(sandbox, connect, max_attempts=2)
    assert "/auth/token answered without an access token (text/html" in said


def test_a_redirect_is_not_followed_and_its_target_named(sandbox: Sandbox, connect: Connect) -> None:
    target = sandbox.url.replace("//", "//user:secret@")
    sandbox.faults.redirect_to = f"{target}/elsewhere?secret=1#secret"
    said = ping(sandbox, connect)
    assert f"redirects (307) to {sandbox.url}/elsewhere, which is not followed" in said
    assert [r.path for r in sandbox.requests] == ["/auth/token", "/graphql"]


def test_a_redirect_does_not_carry_the_refresh_token_along(
    sandbox: Sandbox, connect: Connect, stack: ExitStack
) -> None:
    other = stack.enter_context(Sandbox(people=1, seed=8))
    sandbox.faults.redirect_token_to = f"{other.url}/auth/token"
    assert f"redirects (307) to {other.url}/auth/token, which is not followed" in ping(sandbox, connect)
    assert other.requests == []


@pytest.mark.parametrize("fault", ["stall", "trickle"])
def test_a_server_that_stalls_is_a_timeout(fault: str, sandbox: Sandbox, connect: Connect) -> None:
    setattr(sandbox.faults, fault, True)
    said = ping(sandbox, connect, read_timeout_seconds=0.5, request_timeout_seconds=1.5, max_attempts=1)
    assert "did not come in time" in said


def test_an_answer_beyond_its_limit_is_refused(sandbox: Sandbox, connect: Connect) -> None:
    client = connect(sandbox, max_response_bytes=10).client
    with pytest.raises(Refused, match="more than 10 bytes"):
        client.ask(PING)


def test_a_query_that_the_server_refuses_is_the_querys_error_not_the_keys(
    stack: ExitStack, connect: Connect, profiles_query: Query
) -> None:
    foreign = stack.enter_context(Sandbox(people=10, seed=7, variant="foreign"))
    keys = ["one-key", "two-key", "three-key", "four-key"]
    with pytest.raises(QueryError, match=r"the server refuses the query: Cannot query field") as caught:
        list(connect(foreign).pages(profiles_query, keys=keys))
    assert not any(key in str(caught.value) for key in keys)


def test_a_server_that_cannot_be_reached_any_more_may_be_tried_later(
    sandbox: Sandbox, connect: Connect
) -> None:
    client = connect(sandbox, max_attempts=2).client
    client.ask(PING)
    sandbox.faults.every, sandbox.faults.kinds = 1, ["drop"]
    with pytest.raises(ExtractionError, match=r"the connection to 127\.0\.0\.1 broke"):
        client.ask(PING)


def test_any_other_api_is_asked_with_a_bearer_token_or_headers(sandbox: Sandbox, connect: Connect) -> None:
    sandbox_token = connect(sandbox).client  # makes a token
    sandbox_token.ask(PING)
    token = sandbox._tokens.make(expires_in=True)["access_token"]
    url = f"{sandbox.url}/graphql"
    for settings in ({"bearer_token": token}, {"headers": {"Authorization": f"Bearer {token}"}}):
        resource = GraphQLResource(url=url, **settings)
        assert resource.client.ask(PING)["data"] == {"__typename": "Query"}
        assert str(token) not in repr(resource)
        resource.close()


def test_a_proxy_is_used_only_when_it_is_asked_for(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert connect(sandbox).client.ask(PING)["data"]
    assert "the proxy for 127.0.0.1 cannot be reached" in ping(sandbox, connect, trust_env=True)


def test_all_requests_go_through_the_proxy(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", sandbox.url)  # it answers whatever host is asked for
    monkeypatch.setenv("NO_PROXY", "")
    resource = connect(sandbox, base_url="http://localhost:9", trust_env=True)
    assert resource.client.ask(PING)["data"]
    assert [r.path for r in sandbox.requests] == ["/auth/token", "/graphql"]


def test_an_extraction_that_is_left_early_ends_its_requests(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    resource = connect(sandbox)
    pages = resource.pages(profiles_query, keys=[str(number) for number in range(3000)])
    next(pages)
    pages.close()
    before = len(sandbox.requests)
    assert resource.client.ask(PING)["data"]
    assert len(sandbox.requests) - before <= 1 + resource.max_in_flight  # those that had left already


def test_a_client_that_is_not_closed_lets_the_process_end(sandbox: Sandbox) -> None:
    code = (
        "from resources.targetdata import TargetDataResource\n"
        f"resource = TargetDataResource(base_url={sandbox.url!r}, refresh_token={sandbox.refresh_token!r})\n"
        "print(resource.client.ask('{ __typename }'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert "Query" in done.stdout
    assert done.stderr == ""


def test_limits_that_cannot_work_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="read_timeout_seconds must be greater than zero"):
        Client(Settings(url="https://api.example.com", read_timeout_seconds=0))


def test_a_server_error_without_data_is_given_up_for_now(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    sandbox.faults.status = 500
    with pytest.raises(ServerUnavailable):
        list(connect(sandbox, max_attempts=1).pages(profiles_query, keys=["a"]))


def test_a_setting_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="requests_per_secnd"):
        Settings.model_validate({"url": "https://api.example.com/graphql", "requests_per_secnd": 3})

"""The look-alike itself: its tokens, its endpoint, its control path and its command."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, fields
from datetime import date
from pathlib import Path
from threading import Timer

import jwt
import pytest
from graphql import build_client_schema, get_introspection_query

from tests.conftest import ROOT
from tests.plain_client import BY_UMID, FORM, JSON, LOOKUPS, PING, PlainClient, opened
from tests.sandbox import Faults, Sandbox

COMMAND = [sys.executable, "-m", "tests.sandbox"]
Start = Callable[..., tuple[subprocess.Popen[str], dict[str, str]]]


@pytest.fixture
def sandbox(stack: ExitStack) -> Sandbox:
    """A fresh sandbox, of few people: it starts the sooner."""
    return stack.enter_context(Sandbox(people=20))


@pytest.fixture
def client(sandbox: Sandbox) -> PlainClient:
    return PlainClient(sandbox.url, sandbox.refresh_token)


def seconds_until_refused(client: PlainClient) -> float:
    began = time.monotonic()
    client.new_token()
    while client.ask(PING).status != 401:
        assert time.monotonic() < began + 10
    return time.monotonic() - began


def life_of(token: str) -> float:
    claims = jwt.decode(token, options={"verify_signature": False})
    return float(claims["exp"] - claims["iat"])


def test_a_browser_gets_a_login_form(client: PlainClient) -> None:
    form = client.send("GET", "/auth/offline-token")
    assert (form.status, form.headers.get_content_type()) == (200, "text/html")
    assert all(part in form.text for part in ('method="post"', 'name="username"', 'name="password"'))


def test_a_user_and_a_password_show_the_refresh_token(client: PlainClient) -> None:
    page = client.form("/auth/offline-token", username="anna", password="secret")
    assert (page.status, page.headers.get_content_type()) == (200, "text/html")
    assert f">{client.refresh_token}<" in page.text


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"username": "anna"},
        {"username": "", "password": "secret"},
        {"username": "anna", "password": "wrong"},
    ],
)
def test_half_a_login_and_a_wrong_password_show_no_token(given: dict[str, str], client: PlainClient) -> None:
    page = client.form("/auth/offline-token", **given)
    assert page.status == 401
    assert "Invalid username or password" in page.text
    assert 'name="password"' in page.text
    assert client.refresh_token not in page.text


def test_the_token_answer_has_the_documented_fields(client: PlainClient) -> None:
    answer = client.token_answer()
    assert (answer.status, answer.headers.get_content_type()) == (200, "application/json")
    assert all(answer.json[name] for name in ("access_token", "session_state"))
    assert answer.json == {
        "access_token": answer.json["access_token"],
        "expires_in": 3600,
        "refresh_expires_in": 0,
        "refresh_token": client.refresh_token,
        "token_type": "Bearer",
        "session_state": answer.json["session_state"],
        "scope": "email offline_access profile",
    }


def test_an_access_token_says_how_long_it_lives(client: PlainClient) -> None:
    token = client.new_token()
    assert life_of(token) == 3600
    assert jwt.decode(token, options={"verify_signature": False})["azp"] == "targetdata-gql"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("", "invalid_request"),
        ("token=offline-x", "invalid_request"),
        ("refresh_token=offline-x", "invalid_grant"),
    ],
)
def test_a_missing_or_unknown_refresh_token_is_refused(form: str, error: str, client: PlainClient) -> None:
    answer = client.send("POST", "/auth/token", form, FORM)
    assert (answer.status, answer.json["error"]) == (400, error)


def test_several_tokens_are_valid_until_all_are_revoked(sandbox: Sandbox, client: PlainClient) -> None:
    tokens = [client.new_token() for _ in range(3)]
    assert sandbox.access_tokens == tokens
    assert [client.ask(PING).status for client.token in tokens] == [200, 200, 200]
    sandbox.revoke()
    assert [client.ask(PING).status for client.token in tokens] == [401, 401, 401]
    client.new_token()
    assert client.ask(PING).status == 200


def test_a_token_ends_when_its_life_is_over() -> None:
    with opened(token_seconds=0.3) as (_, client):
        assert client.token_answer().json["expires_in"] == 0.3
        assert seconds_until_refused(client) >= 0.3
        assert life_of(client.token) == pytest.approx(0.3, abs=0.001)


def test_a_server_may_claim_a_longer_life_than_true() -> None:
    with opened(token_seconds=0.2, claimed_seconds=600) as (_, client):
        assert client.token_answer().json["expires_in"] == 600
        assert 0.2 <= seconds_until_refused(client) < 10
        assert life_of(client.token) == 600


def test_a_browser_gets_a_page_at_the_graphql_address(client: PlainClient) -> None:
    page = client.send("GET", "/graphql")
    assert (page.status, page.headers.get_content_type()) == (200, "text/html")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x.y.z", "Basic {token}", "Bearer {forged}", "Bearer {refresh}"]
)
def test_without_a_good_access_token_nothing_is_answered(header: str, client: PlainClient) -> None:
    token = client.new_token()
    given = header.format(token=token, forged=token[:-8] + 8 * "A", refresh=client.refresh_token)
    headers = JSON | ({"Authorization": given} if given else {})
    answer = client.send("POST", "/graphql", json.dumps({"query": PING}), headers)
    assert (answer.status, answer.json) == (401, {"error": "unauthorized"})


@pytest.mark.parametrize(("name", "arguments"), LOOKUPS.items())
def test_an_unknown_id_is_null_without_an_error(name: str, arguments: str, client: PlainClient) -> None:
    given = arguments.format(umid="nobody", profileId="nobody")
    assert client.data(f"{{ p: {name}({given}) {{ profileId }} }}") == {"p": None}


@pytest.mark.parametrize("variant", ["targetdata", "lists"])
def test_introspection_gives_the_schema(variant: str) -> None:
    with opened(variant=variant) as (_, client):
        schema = build_client_schema(client.data(get_introspection_query()))
    assert schema.query_type is not None
    assert set(schema.query_type.fields) >= set(LOOKUPS)
    assert {"PersonTargetData", "Instant"} <= set(schema.type_map)


@pytest.mark.parametrize("document", ["{ nothing }", "{ personTargetDataByUmid { profileId } }", "{ p: ", ""])
def test_an_invalid_document_is_refused_with_its_places(document: str, client: PlainClient) -> None:
    answer = client.ask(document)
    assert answer.status == 400
    places = [at for error in answer.json["errors"] for at in error["locations"]]
    assert [set(at) for at in places] == [{"line", "column"}] * len(answer.json["errors"])


@pytest.mark.parametrize("suggestions", [True, False])
def test_errors_suggest_names_unless_told_not_to(suggestions: bool) -> None:
    with opened(suggestions=suggestions) as (_, client):
        assert ("Did you mean" in client.ask("{ personTargetDataByUmidd }").text) == suggestions


def test_a_missing_variable_is_an_error_without_data(client: PlainClient) -> None:
    answer = client.ask(BY_UMID)
    assert (answer.status, answer.json["data"]) == (200, None)
    assert "$umid" in answer.json["errors"][0]["message"]


@pytest.mark.parametrize("body", ["", "{", "[]", '"text"', '{"query": 1}'])
def test_a_body_that_is_no_request_is_refused(body: str, client: PlainClient) -> None:
    headers = JSON | {"Authorization": f"Bearer {client.new_token()}"}
    answer = client.send("POST", "/graphql", body, headers)
    assert (answer.status, list(answer.json)) == (400, ["errors"])


def test_the_control_path_changes_switches_by_name_and_gives_all(
    sandbox: Sandbox, client: PlainClient
) -> None:
    answer = client.control({"latency": 0.01, "kinds": ["429", "html"], "alias_errors": {"a": -1}})
    assert (answer.status, answer.json) == (200, asdict(sandbox.faults))
    assert sandbox.faults == Faults(latency=0.01, kinds=["429", "html"], alias_errors={"a": -1})
    assert set(client.control({}).json) == {field.name for field in fields(Faults)}


@pytest.mark.parametrize("body", [{"latency": 9, "latencie": 1}, ["latencie"], 1])
def test_an_unknown_switch_is_refused_and_nothing_changes(
    body: object, sandbox: Sandbox, client: PlainClient
) -> None:
    answer = client.control(body)
    assert answer.status == 400
    assert ("latencie" if isinstance(body, dict) else "object") in answer.json["error"]
    assert sandbox.faults == Faults()


def test_the_control_path_gives_the_record_without_itself(sandbox: Sandbox, client: PlainClient) -> None:
    client.ask(PING)
    client.control({})
    found = client.send("GET", "/control/requests").json
    assert [(r["method"], r["path"], r["status"]) for r in found] == [
        ("POST", "/auth/token", 200),
        ("POST", "/graphql", 200),
    ]
    assert found == [asdict(request) for request in sandbox.requests]


@pytest.fixture
def start(stack: ExitStack) -> Start:
    """Start the command; give the process and what it says of itself."""

    def run(*flags: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
        process = subprocess.Popen([*COMMAND, *flags], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        stack.enter_context(process)
        stack.callback(process.kill)
        return process, dict(said(process))

    return run


def said(process: subprocess.Popen[str]) -> Iterator[list[str]]:
    """Give the settings that the command prints, up to its last line."""
    assert process.stdout
    late = Timer(30, process.kill)
    late.start()
    for line in process.stdout:
        if "Ctrl-C" in line:
            break
        yield line.strip().split("=", 1)
    late.cancel()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_people_and_a_feed_until_it_is_told_to_end(
    end: signal.Signals, start: Start, tmp_path: Path
) -> None:
    flags = ["--port", "0", "--people", "40", "--feed", str(tmp_path), "--days", "3", "--until", "2026-03-03"]
    process, settings = start(*flags, "--token-seconds", "600")
    assert list(settings) == ["TARGETDATA_BASE_URL", "TARGETDATA_REFRESH_TOKEN", "TARGETDATA_FEED"]
    client = PlainClient(settings["TARGETDATA_BASE_URL"], settings["TARGETDATA_REFRESH_TOKEN"])
    assert client.data(PING) == {"__typename": "Query"}
    assert client.token_answer().json["expires_in"] == 600
    files = {Path(settings["TARGETDATA_FEED"].format(date=date(2026, 3, day))) for day in (1, 2, 3)}
    assert files == set(tmp_path.iterdir())
    process.send_signal(end)
    assert process.wait(10) == 0


FLAGS = {
    "--every": ("every", 5),
    "--share": ("share", 0.5),
    "--retry-after": ("retry_after", 2.5),
    "--latency": ("latency", 0.01),
    "--max-aliases": ("max_aliases", 9),
    "--max-complexity": ("max_complexity", 99),
    "--requests-per-second": ("requests_per_second", 50.0),
}


def test_the_command_sets_faults_and_tokens(start: Start) -> None:
    given = [text for flag, (_, value) in FLAGS.items() for text in (flag, str(value))]
    given += ["--claimed-seconds", "60", "--variant", "foreign", "--kinds", "503", "drop"]
    _, settings = start("--port", "0", "--people", "5", *given)
    assert "TARGETDATA_FEED" not in settings
    client = PlainClient(settings["TARGETDATA_BASE_URL"], settings["TARGETDATA_REFRESH_TOKEN"])
    assert client.control({}).json == asdict(Faults(**dict(FLAGS.values()), kinds=["503", "drop"]))
    assert client.token_answer().json["expires_in"] == 60
    assert client.ask("{ __schema { description } }").status == 400


def test_the_command_explains_itself() -> None:
    shown = subprocess.run([*COMMAND, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "/control/requests" in shown.stdout

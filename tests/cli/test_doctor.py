"""`targetdata doctor` against servers that work, and those that do not: what it says, and its exit codes."""

import json
import select
import signal
import socket
import socketserver
import ssl
import threading
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from pipelines.doctor.checks import checks
from pipelines.doctor.finding import Finding, State
from tests.canaries import EDITS, Canaries
from tests.chaos.raw_server import RawAnswer, RawServer
from tests.dagster_runs import Location
from tests.doctor import examined, states
from tests.local import last_days
from tests.sandbox import Sandbox

pytestmark = pytest.mark.journey  # each runs the command itself, which takes seconds

DAY = last_days()[-1]
JSON = {"Content-Type": "application/json"}
NOBODY = "b3a1c8e2-0000-4000-8000-8c942f685d45"
WAY = ("url", "proxy", "connection", "tls")


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    sandbox.write_feed(tmp_path / "feed", [DAY])
    return Location(sandbox, tmp_path)


def test_of_a_line_that_is_ready_each_check_gives_a_fact(location: Location) -> None:
    code, found = examined(location)
    assert code == 0
    assert states(found, "problem") == states(found, "not_checked") == []
    assert states(found, "warning") == ["daemon"]
    assert list(found)[:3] == ["settings", "names", "env-file"]
    assert found["token"]["says"] == "TARGETDATA_REFRESH_TOKEN, from the environment"
    assert "good for 3,600 s; the refresh token does not end" in found["access"]["says"]
    assert found["lookup"]["says"].startswith("a key of the feed is ")
    assert "100 keys in one document" in found["aliases"]["says"]
    assert "(8 requests)" in found["aliases"]["says"]
    assert f"{DAY} has 1 file of" in found["feed"]["says"]
    assert len([r for r in location.sandbox.requests if r.path == "/graphql"]) <= 12


def test_lines_come_as_text_with_what_to_do_and_without_a_key(location: Location) -> None:
    location.sandbox.faults.refuse_refresh = 400
    done = location.run("targetdata", "doctor", check=False)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    (line,) = [line for line in lines if line.startswith("problem ")]
    assert "access" in line
    assert "the refresh token is refused (400" in line
    assert "→ targetdata login" in line
    assert any(line.startswith("not_checked") and "lookup" in line for line in lines)
    assert not any(umid in done.stdout + done.stderr for umid in location.sandbox.umids_of(DAY))


def test_what_comes_after_a_problem_is_not_checked_and_says_why(location: Location) -> None:
    location.settings["TARGETDATA_BASE_URL"] = "http://api.example.com"
    code, found = examined(location, "url", "proxy", "connection", "token", "lake")
    assert code == 1
    assert "would send tokens in clear text" in found["url"]["says"]
    assert found["connection"]["says"] == "not checked: url comes first"
    assert states(found, "not_checked") == ["proxy", "connection", "token"]
    assert found["lake"]["state"] == "ok"


def test_no_account_says_how_to_begin(location: Location) -> None:
    location.settings["TARGETDATA_BASE_URL"] = ""
    code, found = examined(location, "url")
    assert (code, found["url"]["says"]) == (1, "TARGETDATA_BASE_URL is not set")
    assert "copy .env.example to .env" in found["url"]["advice"]


def test_a_check_that_there_is_not_is_named_with_those_that_are(location: Location) -> None:
    done = location.run("targetdata", "doctor", "--only", "lok", check=False)
    assert done.returncode == 1
    assert "there is no check lok here; there are settings, names" in done.stderr


def test_one_of_several_accounts_is_chosen(location: Location) -> None:
    location.settings |= {
        "TARGETDATA_BASE_URL": "",
        "TARGETDATA_REFRESH_TOKEN": "",
        "TARGETDATA_EU_BASE_URL": location.sandbox.url,
        "TARGETDATA_EU_REFRESH_TOKEN": location.sandbox.refresh_token,
    }
    code, found = examined(location, "url")
    assert (code, found["url"]["advice"]) == (1, "targetdata doctor --account eu")
    only = ("settings", "names", "url", "token", "access")
    code, found = examined(location, *only, options=("--account", "eu"))
    assert code == 0
    assert found["names"]["state"] == "ok"
    assert "of the account eu" in found["settings"]["says"]
    assert found["token"]["says"].startswith("TARGETDATA_EU_REFRESH_TOKEN, from")
    done = location.run("targetdata", "doctor", "--account", "EU", check=False)
    assert (done.returncode, "in lower case" in done.stderr) == (1, True)


def test_an_advice_names_the_settings_and_commands_of_the_account(location: Location) -> None:
    location.settings |= {"TARGETDATA_EU_BASE_URL": location.sandbox.url}
    code, found = examined(location, "token", "feed", options=("--account", "eu"))
    assert (code, states(found, "problem")) == (1, ["token", "feed"])
    assert found["token"]["advice"] == "TARGETDATA_ACCOUNT=eu targetdata login"
    assert found["feed"]["advice"].startswith("mend TARGETDATA_EU_FEED, ")
    _, found = examined(location, "url", options=("--account", "us"))
    assert found["url"]["says"] == "TARGETDATA_US_BASE_URL is not set"
    assert found["url"]["advice"].endswith("then TARGETDATA_ACCOUNT=us targetdata login")


@pytest.mark.parametrize("url", ["https://nowhere.invalid", "http://127.0.0.1:{port}"])
def test_a_server_that_is_not_there_may_be_there_later(url: str, location: Location) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        location.settings["TARGETDATA_BASE_URL"] = url.format(port=free.getsockname()[1])
        code, found = examined(location, *WAY, "clock", "access")
    assert code == 75
    assert states(found, "problem") == ["connection"]
    assert "TARGETDATA_TRUST_ENV=true" in found["connection"]["advice"]
    assert states(found, "not_checked") == ["tls", "clock", "access"]


def test_a_token_server_that_is_down_may_be_up_later(location: Location) -> None:
    location.sandbox.faults.token_every, location.sandbox.faults.token_kinds = 1, ["503"]
    code, found = examined(location, "access", "lookup")
    assert code == 75
    assert "answered 503" in found["access"]["says"]
    assert found["access"]["advice"].startswith("try again later; if it stays so, ")


def test_a_server_that_stalls_ends_no_later_than_its_time(location: Location) -> None:
    location.sandbox.faults.token_every, location.sandbox.faults.token_kinds = 1, ["429"]
    location.sandbox.faults.retry_after = 600.0
    process = location.start("targetdata", "doctor", "--only", "access")
    while not location.sandbox.token_requests:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Interrupted; nothing was changed." in said
    assert "Traceback" not in said


def test_a_server_that_asks_for_much_patience_gets_little(location: Location) -> None:
    location.sandbox.faults.token_every, location.sandbox.faults.token_kinds = 1, ["429"]
    location.sandbox.faults.retry_after = 600.0
    code, found = examined(location, "access", "lake")
    assert code == 75
    assert found["access"]["says"] == "it did not end within 20 s"
    assert found["lake"]["state"] == "ok"


def test_a_token_that_there_is_not_or_in_no_file_is_named(location: Location, tmp_path: Path) -> None:
    location.settings["TARGETDATA_REFRESH_TOKEN"] = ""
    code, found = examined(location, "token", "access")
    assert code == 1
    assert "there is no offline refresh token" in found["token"]["says"]
    assert found["token"]["advice"] == "targetdata login"
    location.settings["TARGETDATA_REFRESH_TOKEN_FILE"] = str(tmp_path / "token")
    assert "token cannot be read" in examined(location, "token")[1]["token"]["says"]
    (tmp_path / "token").write_text(location.sandbox.refresh_token)
    code, found = examined(location, "token", "access")
    assert (code, found["token"]["says"]) == (0, f"from the file {tmp_path / 'token'}")


def test_a_server_that_rotates_refresh_tokens_is_told_of(location: Location) -> None:
    location.sandbox.faults.rotated_refresh_token = "another"
    code, found = examined(location, "access")
    assert code == 0
    assert found["access"]["state"] == "warning"
    assert "rotate" in found["access"]["says"]


@pytest.mark.parametrize(
    ("days", "state", "says"),
    [(None, "ok", "no end that the server tells"), (3, "warning", "in 3.0 days"), (400, "ok", "in 400 days")],
)
def test_how_long_the_refresh_token_is_good_is_said_as_the_server_says_it(
    days: int | None, state: str, says: str, location: Location, stack: ExitStack
) -> None:
    server = stack.enter_context(RawServer())
    answer = {"access_token": "an-access-token", "expires_in": 300}
    answer |= {} if days is None else {"refresh_expires_in": days * 86400}
    server.answers["/auth/token"] = RawAnswer(headers=JSON, body=json.dumps(answer).encode())
    location.settings["TARGETDATA_BASE_URL"] = server.url
    code, found = examined(location, "access")
    assert (code, found["access"]["state"]) == (0, state)
    assert says in found["access"]["says"]
    assert "an-access-token" not in str(found)


@pytest.mark.parametrize(
    ("seconds", "says"), [(-3600, "ahead of"), (3600, "behind"), (0, "within 60 s"), (None, "not checked: ")]
)
def test_a_clock_that_is_wrong_is_told_of(
    seconds: int | None, says: str, location: Location, stack: ExitStack
) -> None:
    server = stack.enter_context(RawServer())
    there = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds or 0), usegmt=True)
    server.answers["/"] = RawAnswer(headers={} if seconds is None else {"Date": there})
    location.settings["TARGETDATA_BASE_URL"] = server.url
    code, found = examined(location, "clock")
    assert (code, found["clock"]["state"] == "warning") == (0, bool(seconds))
    assert says in found["clock"]["says"]


# TLS


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def secure(
    authority: trustme.CA, stack: ExitStack, name: str = "localhost", *, days: int | None = None
) -> Sandbox:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    now = datetime.now(UTC)
    until = now + timedelta(days=days) if days is not None else None
    certificate = authority.issue_cert(name, not_before=now - timedelta(days=900), not_after=until)
    certificate.configure_cert(context)
    return stack.enter_context(Sandbox(people=5, seed=7, ssl_context=context))


def trusting(sandbox: Sandbox, authority: trustme.CA, folder: Path) -> Location:
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return Location(sandbox, folder, settings={"TARGETDATA_CA_FILE": str(folder / "ca.pem")})


def test_an_authority_that_is_not_known_leads_to_its_setting(
    authority: trustme.CA, stack: ExitStack, tmp_path: Path
) -> None:
    sandbox = secure(authority, stack)
    code, found = examined(Location(sandbox, tmp_path), *WAY, "access")
    assert code == 1
    assert "unable to get local issuer" in found["tls"]["says"]
    assert "TARGETDATA_CA_FILE=" in found["tls"]["advice"]
    assert found["access"]["state"] == "not_checked"
    assert sandbox.requests == []
    location = trusting(sandbox, authority, tmp_path)
    code, found = examined(location, *WAY, "clock", "access")
    assert code == 0
    assert "certificate of trustme" in found["tls"]["says"]
    assert found["tls"]["says"].endswith("trusted by TARGETDATA_CA_FILE")
    location.settings["TARGETDATA_CA_FILE"] = str(tmp_path / "none.pem")
    assert "none.pem cannot be read as PEM" in examined(location, "tls")[1]["tls"]["says"]


@pytest.mark.parametrize(
    ("days", "state", "says"),
    [(-3, "problem", "expired"), (3, "warning", "more days"), (90, "ok", "more days")],
)
def test_a_certificate_that_ends_is_told_of_in_time(
    days: int, state: str, says: str, authority: trustme.CA, stack: ExitStack, tmp_path: Path
) -> None:
    sandbox = secure(authority, stack, days=days)
    _, found = examined(trusting(sandbox, authority, tmp_path), "tls")
    assert found["tls"]["state"] == state
    assert says in found["tls"]["says"]


def test_a_certificate_of_another_name_is_told_of(
    authority: trustme.CA, stack: ExitStack, tmp_path: Path
) -> None:
    sandbox = secure(authority, stack, "elsewhere.example")
    _, found = examined(trusting(sandbox, authority, tmp_path), "tls")
    assert "not valid for 'localhost'" in found["tls"]["says"]
    assert found["tls"]["advice"] == "write the host in the URL as the certificate has it"


def test_a_server_that_speaks_no_tls_is_told_of(location: Location) -> None:
    location.settings["TARGETDATA_BASE_URL"] = location.sandbox.url.replace("http:", "https:")
    _, found = examined(location, "tls")
    assert "does not speak TLS" in found["tls"]["says"]


# Proxies


class Tunnel(socketserver.ThreadingTCPServer):
    """A proxy that connects whatever is asked for by CONNECT, in a `with`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Connect)
        self.targets: list[str] = []
        threading.Thread(target=self.serve_forever, args=(0.02,)).start()

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Connect(socketserver.StreamRequestHandler):
    """One connection through the tunnel."""

    rbufsize = 0  # nothing is taken that is for the server behind

    def handle(self) -> None:
        target = self.rfile.readline().split()[1].decode()
        while self.rfile.readline().strip():
            pass
        assert isinstance(self.server, Tunnel)
        self.server.targets.append(target)
        host, port = target.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as server, suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            other = {server: self.connection, self.connection: server}
            while True:
                for source in select.select(list(other), [], [])[0]:
                    block = source.recv(65536)
                    if not block:
                        return
                    other[source].sendall(block)


def test_a_proxy_that_is_there_and_not_used_is_told_of(location: Location) -> None:
    location.settings |= {"HTTP_PROXY": "http://user:proxy-password@127.0.0.1:9", "NO_PROXY": ""}
    code, found = examined(location, "proxy", "connection")
    assert code == 0
    assert found["proxy"]["says"] == (
        "the environment has HTTP_PROXY (http://127.0.0.1:9), which is not used"
    )
    assert "TARGETDATA_TRUST_ENV=true" in found["proxy"]["advice"]
    location.settings["TARGETDATA_TRUST_ENV"] = "true"
    code, found = examined(location, "proxy", "connection")
    assert (code, found["proxy"]["says"]) == (75, "http://127.0.0.1:9, of HTTP_PROXY")
    assert "the proxy 127.0.0.1 cannot be reached at port 9" in found["connection"]["says"]
    location.settings["NO_PROXY"] = "127.0.0.1"
    assert examined(location, "proxy", "connection")[0] == 0


def test_what_is_behind_a_proxy_is_looked_at_through_it(
    authority: trustme.CA, stack: ExitStack, tmp_path: Path
) -> None:
    sandbox = secure(authority, stack)
    location, tunnel = trusting(sandbox, authority, tmp_path), stack.enter_context(Tunnel())
    proxy = f"http://user:proxy-password@127.0.0.1:{tunnel.server_address[1]}"
    location.settings |= {"TARGETDATA_TRUST_ENV": "true", "HTTPS_PROXY": proxy, "NO_PROXY": ""}
    code, found = examined(location, *WAY, "clock", "access")
    assert code == 0
    assert "TLSv1" in found["tls"]["says"]
    assert "password" not in str(found)
    assert tunnel.targets == [sandbox.url.removeprefix("https://")] * 3  # tls, clock, access


# The schema, a lookup, and many of them


@pytest.mark.parametrize(
    ("edit", "state", "says"),
    [
        ({"  owner: String\n": ""}, "problem", "1 breaking"),
        ({"  testProfile: Boolean\n": "  testProfile: Boolean\n  luckyNumber: Int\n"}, "ok", "safe"),
    ],
)
def test_a_schema_that_has_changed_is_told_of_as_schema_diff_tells_it(
    edit: dict[str, str], state: str, says: str, stack: ExitStack, tmp_path: Path
) -> None:
    sandbox = stack.enter_context(Sandbox(people=5, seed=7, edits=edit))
    code, found = examined(Location(sandbox, tmp_path), "access", "schema")
    assert (code, found["schema"]["state"]) == (int(state == "problem"), state)
    assert says in found["schema"]["says"]
    assert ("schema pull" in found["schema"]["advice"]) == (state == "problem")


def test_a_server_without_introspection_is_named_as_one(stack: ExitStack, tmp_path: Path) -> None:
    sandbox = stack.enter_context(Sandbox(people=5, seed=7, variant="foreign"))
    code, found = examined(Location(sandbox, tmp_path), "schema")
    assert code == 1
    assert "introspection is not allowed" in found["schema"]["says"]


def test_a_schema_file_that_is_not_there_is_pulled(location: Location) -> None:
    location.settings["TARGETDATA_SCHEMA_FILE"] = str(location.folder / "none.graphql")
    code, found = examined(location, "schema")
    assert (code, "targetdata schema pull" in found["schema"]["advice"]) == (1, True)


@pytest.mark.parametrize("kind", ["umid", "profile_id", "customer-id"])
def test_a_key_that_is_given_is_looked_up_by_its_kind_and_not_shown(kind: str, location: Location) -> None:
    sandbox = location.sandbox
    person = sandbox.person_of(next(u for u in sandbox.umids_of(DAY) if sandbox.person_of(u)))
    assert person
    names = {i["name"]: i["value"] for i in person["identifiers"] or [] if i}
    value = person["profileId"] if kind == "profile_id" else names.get(kind, NOBODY)
    code, found = examined(location, "lookup", options=("--key", f"{kind}={value}"))
    assert code == 0
    what = "not found" if value == NOBODY else "found"
    assert found["lookup"]["says"].startswith(f"the {kind} that was given is {what}, in ")
    assert str(value) not in str(found)


def test_a_key_that_nobody_has_is_no_problem(location: Location) -> None:
    code, found = examined(location, "lookup", options=("--key", f"umid={NOBODY}"))
    assert (code, "is not found" in found["lookup"]["says"]) == (0, True)
    done = location.run("targetdata", "doctor", "--key", NOBODY, check=False)
    assert (done.returncode, NOBODY in done.stderr) == (1, False)


def test_without_any_key_one_that_nobody_has_is_asked_for(location: Location) -> None:
    for path in (location.folder / "feed").iterdir():
        path.unlink()
    code, found = examined(location, "lookup")
    assert code == 0
    assert (
        "no key in feed and lake to ask for, and one that nobody has is not found" in found["lookup"]["says"]
    )


def test_a_lookup_that_fails_is_a_problem_without_the_key(location: Location) -> None:
    umid = location.sandbox.umids_of(DAY)[0]
    location.sandbox.faults.alias_errors = {umid: -1}
    location.sandbox.faults.alias_error_message = f"no such person {umid}"
    code, found = examined(location, "lookup", options=("--key", f"umid={umid}"))
    assert (code, found["lookup"]["state"]) == (1, "problem")
    assert umid not in str(found)


@pytest.mark.parametrize(("limit", "refusal"), [(1, "400"), (5, "200-message"), (37, "413-html")])
def test_how_many_keys_a_document_may_have_is_found(limit: int, refusal: str, location: Location) -> None:
    location.sandbox.faults.max_aliases, location.sandbox.faults.alias_refusal = limit, refusal
    code, found = examined(location, "aliases")
    assert code == 0
    assert found["aliases"]["says"].startswith(f"{limit} key")
    assert f"TARGETDATA_MAX_BATCH={limit} spares" in found["aliases"]["says"]
    assert len([r for r in location.sandbox.requests if r.path == "/graphql"]) <= 14


def test_the_probe_stays_within_the_setting_and_may_be_left_out(location: Location) -> None:
    location.settings["TARGETDATA_MAX_BATCH"] = "3"
    code, found = examined(location, "aliases")
    assert (code, found["aliases"]["says"][:26]) == (0, "3 keys in one document, as")
    assert [r.aliases for r in location.sandbox.requests if r.path == "/graphql"] == [1, 2, 3]
    location.sandbox.clear()
    assert "aliases" not in examined(location, options=("--no-probe",))[1]
    assert max(r.aliases for r in location.sandbox.requests) <= 1


def test_documents_that_are_not_answered_in_time_are_too_large(location: Location) -> None:
    location.sandbox.faults.max_aliases, location.sandbox.faults.alias_refusal = 2, "timeout"
    code, found = examined(location, "aliases")
    assert (code, found["aliases"]["state"]) == (0, "warning")
    assert found["aliases"]["says"].startswith("2 keys in one document are answered, 4 are not")


# Another API


@pytest.fixture
def other(stack: ExitStack) -> Sandbox:
    return stack.enter_context(Sandbox(people=5, seed=8, variant="lists"))


def test_another_api_is_looked_at_too(location: Location, other: Sandbox, tmp_path: Path) -> None:
    token = str(other._tokens.make(expires_in=True)["access_token"])
    location.settings |= {
        "GRAPHQL_URL": f"{other.url}/graphql",
        "GRAPHQL_BEARER_TOKEN": token,
        "GRAPHQL_SCHEMA_FILE": str(tmp_path / "other.graphql"),
    }
    only = ("graphql-url", "graphql-connection", "graphql-tls", "graphql-answer", "graphql-schema")
    code, found = examined(location, *only)
    assert code == 1
    assert states(found, "problem") == ["graphql-schema"]
    assert found["graphql-schema"]["advice"] == "targetdata schema pull --api graphql"
    location.run("targetdata", "schema", "pull", "--api", "graphql")
    code, found = examined(location, *only)
    assert code == 0
    assert "a bearer token was sent" in found["graphql-answer"]["says"]
    assert token not in str(found)
    location.settings["GRAPHQL_BEARER_TOKEN"] = "refused-token"
    code, found = examined(location, *only)
    assert (code, states(found, "problem")) == (1, ["graphql-answer"])
    assert "GRAPHQL_BEARER_TOKEN" in found["graphql-answer"]["advice"]


def test_only_another_api_is_no_problem(location: Location, other: Sandbox) -> None:
    location.settings |= {"TARGETDATA_BASE_URL": "", "GRAPHQL_URL": f"{other.url}/graphql"}
    code, found = examined(location, "url", "connection", "token", "access", "graphql-url")
    assert code == 0
    assert states(found, "not_checked") == ["url", "connection", "token", "access"]


# What holds for all


@given(st.text(), st.text(), st.sampled_from(State))
def test_nobody_is_left_alone_with_a_problem(name: str, says: str, state: State) -> None:
    if state in (State.PROBLEM, State.WARNING):
        with pytest.raises(ValueError, match="needs an advice"):
            Finding(name, state, says)
    assert Finding(name, state, says, "do this").says == says


def test_each_check_has_an_advice_and_comes_after_what_it_builds_on() -> None:
    everything = checks(other_api=True, probe=True)
    names = [check.name for check in everything]
    assert len(set(names)) == len(names)
    for place, check in enumerate(everything):
        assert check.advice
        assert set(check.after) <= set(names[:place])


def test_nothing_that_a_server_knows_or_says_is_shown(stack: ExitStack, tmp_path: Path) -> None:
    canaries = Canaries(20)
    sandbox = stack.enter_context(Sandbox(people=canaries.people, edits=EDITS))
    sandbox.write_feed(tmp_path / "feed", [DAY])
    location = Location(sandbox, tmp_path)
    location.settings |= {
        "TARGETDATA_PRIVACY_KEY": "canary-of-the-privacy-key",
        "TARGETDATA_WAREHOUSE": "postgresql://me:canary-of-a-password@127.0.0.1:9/x",
        "GRAPHQL_URL": f"{sandbox.url}/graphql",
        "GRAPHQL_HEADERS": '{"X-Api-Key": "canary-of-a-header"}',
        "HTTP_PROXY": "http://me:canary-of-a-proxy@127.0.0.1:9",
    }
    canaries.add("refresh token", sandbox.refresh_token)
    telling = f" canary-told {sandbox.refresh_token} {sandbox.umids_of(DAY)[0]}"
    sandbox.faults.telling = sandbox.faults.alias_error_message = telling
    said = location.run("targetdata", "doctor", check=False)
    sandbox.faults.alias_errors = dict.fromkeys(sandbox.umids_of(DAY), -1)
    failing = location.run("targetdata", "doctor", "--only", "lookup", "--json", check=False)
    sandbox.faults.refuse_refresh = 403
    refused = location.run("targetdata", "doctor", "--only", "access", "--only", "schema", check=False)
    assert (said.returncode, failing.returncode, refused.returncode) == (1, 1, 1)
    for token in sandbox.access_tokens:
        canaries.add("access token", token)
    for done in (said, failing, refused):
        assert canaries.found((done.stdout + done.stderr).encode()) == set()
    assert canaries.found(telling.encode()) >= {"canary-told", "refresh token"}, "else none would be found"

"""The circuit: a server where everything fails ends all requests; one that answers others does not."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from resources.errors import ServerUnavailable
from resources.graphql.query import Query
from resources.graphql.sending import circuit, retry
from resources.targetdata import TargetDataResource
from tests.conftest import Connect
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_lookups, extract, lookups

PING = "{ __typename }"
DAY = last_days()[-1]
SECONDS, BACKOFF = circuit.SECONDS, retry.BACKOFF  # as they are shipped
STUBBORN = {"max_attempts": 10_000, "max_retry_seconds": 600.0}  # far more than a test may take


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit, "SECONDS", 0.5)
    monkeypatch.setattr("resources.graphql.sending.retry.BACKOFF", lambda _: 0.05)


def failure(client: object) -> str:
    with pytest.raises(ServerUnavailable) as caught:
        client.ask(PING)  # type: ignore[attr-defined]
    return str(caught.value)


@pytest.mark.parametrize("kind", ["503", "html", "drop", "truncated"])
def test_an_outage_ends_all_requests_together(kind: str, sandbox: Sandbox, connect: Connect) -> None:
    client = connect(sandbox, max_in_flight=16, **STUBBORN).client
    client.ask(PING)
    sandbox.faults.every, sandbox.faults.kinds = 1, [kind]
    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(failure, [client] * 16))
    assert all("times in a row over 1 s, so all requests are ended" in text for text in said)
    assert len(set(said)) == 1, "one opening"
    assert "In the run of an extract what was answered is kept" in said[0]


def test_requests_that_wait_to_be_tried_again_end_at_once(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = iter([*[0.05] * 40, *[600.0] * 1000])
    monkeypatch.setattr("resources.graphql.sending.retry.BACKOFF", lambda _: next(pauses))
    monkeypatch.setattr(circuit, "FAILURES", 50)
    monkeypatch.setattr(circuit, "SECONDS", 0.0)
    client = connect(sandbox, max_in_flight=16, **STUBBORN).client
    client.ask(PING)
    sandbox.faults.status = 503
    with ThreadPoolExecutor(64) as pool:
        said = list(pool.map(failure, [client] * 64))
    assert len(set(said)) == 1


def test_a_server_that_stalls_is_left_to_the_orchestrator(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit, "FAILURES", 4)
    resource = connect(sandbox, read_timeout_seconds=0.3, **STUBBORN)
    pages = resource.pages(profiles_query, keys=sandbox.umids_of(DAY))
    resource.client.ask(PING)
    sandbox.faults.stall = True
    with pytest.raises(ServerUnavailable, match=r"times in a row over [0-9]+ s.* did not come in time"):
        list(pages)


@pytest.mark.parametrize("in_flight", [1, 8])
def test_a_server_that_stalls_opens_it_before_the_attempts_are_used_up(
    in_flight: int,
    sandbox: Sandbox,
    connect: Connect,
    profiles_query: Query,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = TargetDataResource.model_fields
    silence = 0.3
    scale = silence / usual["read_timeout_seconds"].default  # all else is as shipped, on a faster clock
    monkeypatch.setattr(circuit, "SECONDS", SECONDS * scale)
    monkeypatch.setattr(retry, "BACKOFF", lambda state: BACKOFF(state) * scale)
    resource = connect(sandbox, read_timeout_seconds=silence, max_in_flight=in_flight)
    resource.client.ask(PING)
    resource.client._sender.throttle._in_flight.number = in_flight
    sandbox.clear()
    sandbox.faults.stall = True
    with pytest.raises(ServerUnavailable, match=r"times in a row over .* so all requests are ended"):
        list(resource.pages(profiles_query, keys=sandbox.umids_of(DAY)))
    rounds = -(-len(sandbox.requests) // in_flight)
    assert rounds < usual["max_attempts"].default


def test_a_good_answer_ends_the_row_of_failures(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit, "FAILURES", 3)
    monkeypatch.setattr(circuit, "SECONDS", 0.0)
    client = connect(sandbox).client
    client.ask(PING)
    sandbox.clear()
    sandbox.faults.every, sandbox.faults.kinds = 1, ["503", "503", "none"]
    for _ in range(4):
        assert client.ask(PING)["data"]
    assert len(sandbox.requests) == 4 * 3, "and no proof was asked for"


def test_what_lies_behind_a_gateway_that_answers_by_itself_may_be_out(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)
    pages = connect(sandbox, **STUBBORN).pages(profiles_query, keys=umids)
    sandbox.faults.poison_after, sandbox.faults.poison = 10, umids
    with pytest.raises(ServerUnavailable, match="times in a row"):
        list(pages)


def test_an_outage_that_the_limits_outlast_is_survived(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit, "SECONDS", 60.0)
    umids = sandbox.umids_of(DAY)
    sandbox.faults.outage_after, sandbox.faults.outage = 20, 10 * circuit.FAILURES
    _, found, _ = extract(connect(sandbox, max_batch=4, **STUBBORN), profiles_query, umids)
    assert lookups(found) == expected_lookups(sandbox, umids)
    assert sum(r.status == 503 for r in sandbox.requests) == 10 * circuit.FAILURES


def test_a_restart_is_survived_with_batches_under_way(
    connect: Connect, profiles_query: Query, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit, "SECONDS", 60.0)
    monkeypatch.setattr("resources.graphql.paging.batches.PAGE_KEYS", 10)
    with Sandbox(people=1000, seed=7) as first:
        umids, first.faults.latency = first.umids_of(DAY), 0.03
        resource = connect(first, **STUBBORN)
        pages = resource.pages(profiles_query, keys=umids)
        asked = next(pages).asked
    others = stack.enter_context(ThreadPoolExecutor(1)).submit(lambda: list(pages))
    retries = resource.client.counts.retries
    while retries["unavailable"] < 30 and not others.done():  # nobody listens
        threading.Event().wait(0.01)
    again = stack.enter_context(Sandbox(people=1000, seed=7, port=urlsplit(first.url).port or 0))
    again.faults.latency = 0.03  # so that batches grow on a busy machine too
    assert asked + sum(page.asked for page in others.result(60)) == len(umids)
    assert max(r.aliases for r in again.requests) > 1
    assert again.token_requests == 1, "its access tokens were those of the first"


def test_poison_keys_do_not_open_it_however_many_fail_in_a_row(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit, "FAILURES", 1)
    monkeypatch.setattr(circuit, "SECONDS", 0.0)
    umids = sandbox.umids_of(DAY)
    sandbox.faults.poison = umids[20:26]
    _, found, _ = extract(connect(sandbox, max_attempts=3, max_in_flight=1), profiles_query, umids)
    failed = {key for key, status, _ in lookups(found) if status == "failed"}
    assert failed == set(umids[20:26])


@pytest.mark.parametrize("kind", ["401", "429", "503-later", "graphql-error"])
def test_what_is_no_outage_does_not_count(
    kind: str, sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit, "FAILURES", 1)
    monkeypatch.setattr(circuit, "SECONDS", 0.0)
    client = connect(sandbox).client
    client.ask(PING)
    sandbox.faults.every, sandbox.faults.retry_after = 1, 0.01
    sandbox.faults.kinds = [kind, kind, "none"]
    for _ in range(3):
        client.ask(PING)
    assert sum(r.fault == kind for r in sandbox.requests) >= 2


def test_while_it_is_open_nothing_is_sent_and_then_one_request_tries_the_server(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(sandbox, **STUBBORN).client
    client.ask(PING)
    sandbox.faults.status = 503
    opened = failure(client)
    sandbox.clear()
    assert failure(client) == opened
    assert sandbox.requests == []
    client._sender._circuit._open_until = time.monotonic()  # its time is over
    said = failure(client)
    assert said != opened
    assert len(sandbox.requests) == 1
    sandbox.faults.status = None
    client._sender._circuit._open_until = time.monotonic()
    assert client.ask(PING)["data"]


def test_the_token_endpoint_has_a_count_of_its_own(sandbox: Sandbox, connect: Connect) -> None:
    client = connect(sandbox, **STUBBORN).client
    sandbox.faults.token_every, sandbox.faults.token_kinds = 1, ["503"]
    assert "/auth/token failed" in failure(client)
    assert client._sender._circuit._failures == 0
    assert all(r.path == "/auth/token" for r in sandbox.requests)

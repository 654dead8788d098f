"""How the look-alike waits, limits and refuses when it is told to, and its record of what was asked."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection

import pytest

from tests.plain_client import BY_UMID, JSON, PING, PlainClient, batch, opened, statuses, until
from tests.sandbox import Faults, Sandbox
from tests.sandbox.people import umids


@pytest.fixture
def sandbox(stack: ExitStack) -> Sandbox:
    """A fresh sandbox, of few people: it starts the sooner."""
    return stack.enter_context(Sandbox(people=20))


@pytest.fixture
def client(sandbox: Sandbox) -> PlainClient:
    """A client that has its token; the record is empty."""
    found = PlainClient(sandbox.url, sandbox.refresh_token)
    found.new_token()
    sandbox.clear()
    return found


@pytest.fixture
def keys(sandbox: Sandbox) -> list[str]:
    """A umid of each person who has attributes."""
    return [umids(person)[0] for person in sandbox.people if person["attributes"]]


@contextmanager
def asking(client: PlainClient) -> Iterator[HTTPConnection]:
    """Send a request and leave its answer to the caller; hang up at the end."""
    headers = JSON | {"Authorization": f"Bearer {client.token}"}
    with closing(HTTPConnection(client.netloc, timeout=20)) as connection:
        connection.request("POST", "/graphql", json.dumps({"query": PING}), headers)
        yield connection


def test_latency_comes_before_each_answer(sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.latency = 0.05
    assert statuses(client, 3) == [200] * 3
    assert all(r.done_at - r.at >= 0.05 for r in sandbox.requests)


def test_requests_are_held_back_once_until_so_many_are_open(sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.gather = 6
    with ThreadPoolExecutor(6) as pool:
        held = [pool.submit(client.ask, PING) for _ in range(5)]
        until(lambda: len(sandbox.requests) == 5)
        assert not any(one.done() for one in held)
        held.append(pool.submit(client.ask, PING))
        assert [one.result().status for one in held] == [200] * 6
    assert sandbox.in_flight_peak == 6
    assert client.ask(PING).status == 200


def test_requests_that_are_held_back_go_on_when_the_switch_is_turned_off(
    sandbox: Sandbox, client: PlainClient
) -> None:
    sandbox.faults.gather = 3
    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(client.ask, PING) for _ in range(2)]
        until(lambda: len(sandbox.requests) == 2)
        sandbox.faults.gather = 0
        assert [one.result().status for one in held] == [200] * 2


@pytest.mark.parametrize(
    "faults",
    [
        Faults(stall=True),
        Faults(gather=2),
        Faults(latency=60),
        Faults(max_aliases=1, alias_refusal="timeout"),
    ],
    ids=["stall", "gather", "latency", "alias_refusal"],
)
def test_an_answer_may_never_come_and_the_end_does_not_wait_for_it(faults: Faults) -> None:
    with ThreadPoolExecutor(1) as pool, opened(faults=faults) as (sandbox, client):
        client.new_token()
        began = time.monotonic()
        asked = pool.submit(client.ask, batch(["x", "y"]))
        until(lambda: any(r.path == "/graphql" for r in sandbox.requests))
        with pytest.raises(TimeoutError):
            asked.result(0.1)
    assert isinstance(asked.exception(), ConnectionError | None)
    assert time.monotonic() - began < 5


def test_a_client_that_hangs_up_is_no_longer_open(sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.stall = True
    with asking(client):
        until(lambda: len(sandbox.requests) == 1)
        assert not sandbox.requests[0].done_at
    until(lambda: bool(sandbox.requests[0].done_at))
    sandbox.faults.stall = False
    sandbox.clear()
    assert (client.ask(PING).status, sandbox.in_flight_peak) == (200, 1)


def test_an_answer_may_come_a_byte_a_second(sandbox: Sandbox, client: PlainClient) -> None:
    whole = client.ask(PING).text
    sandbox.faults.trickle = True
    began = time.monotonic()
    with asking(client) as connection, connection.getresponse() as response:
        assert (response.status, response.headers["Content-Length"]) == (200, str(len(whole)))
        assert response.read(2).decode() == whole[:2]
    assert time.monotonic() - began >= 1


def test_no_more_than_so_many_requests_a_second_are_answered(sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.requests_per_second = 20
    began = time.monotonic()
    until(lambda: client.ask(PING).status == 200 and sum(r.status == 200 for r in sandbox.requests) >= 8)
    assert time.monotonic() - began >= (8 - 2) / 20
    refused = [r.retry_after for r in sandbox.requests if r.status == 429]
    assert refused
    assert all(seconds is not None and 0 < seconds <= 1 / 20 for seconds in refused)


def test_a_higher_rate_holds_at_once(sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.requests_per_second = 0.01
    answer = next(a for a in (client.ask(PING) for _ in range(5)) if a.status == 429)
    assert 90 < float(answer.headers["Retry-After"]) <= 100
    sandbox.faults.requests_per_second = 1000
    until(lambda: client.ask(PING).status == 200)


def test_a_redirect_names_the_other_address(sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.redirect_to = "http://elsewhere.invalid/graphql"
    answer = client.ask(PING)
    assert (answer.status, answer.headers["Location"]) == (307, "http://elsewhere.invalid/graphql")


def test_a_redirect_of_the_token_endpoint_is_its_own(sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.redirect_token_to = "http://elsewhere.invalid/auth/token"
    answer = client.token_answer()
    assert (answer.status, answer.headers["Location"]) == (307, "http://elsewhere.invalid/auth/token")
    assert client.ask(PING).status == 200


def test_an_outage_begins_after_so_many_requests_and_ends(sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.outage_after, sandbox.faults.outage = 2, 3
    assert statuses(client, 7) == [200, 200, 503, 503, 503, 200, 200]


def test_an_error_may_have_another_text_and_no_path(
    sandbox: Sandbox, client: PlainClient, keys: list[str]
) -> None:
    sandbox.faults.alias_errors, sandbox.faults.alias_error_message = {keys[1]: 2}, "a telling text"
    (error,) = client.ask(batch(keys[:2])).json["errors"]
    assert (error["message"], error["path"]) == ("a telling text", ["k1"])
    sandbox.faults.pathless = True
    answer = client.ask(batch(keys[:2])).json
    assert "path" not in answer["errors"][0]
    assert answer["data"]["k1"] is None


def test_an_unknown_kind_of_fault_is_refused(sandbox: Sandbox, client: PlainClient) -> None:
    answer = client.control({"every": 1, "kinds": ["503", "typhoon"]})
    assert (answer.status, sandbox.faults.every) == (400, 0)
    assert answer.json["error"].startswith("no such kind of fault: typhoon; there are 429, ")


def test_fresh_tokens_may_be_refused(sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.reject_fresh_tokens = True
    assert client.new_token()
    assert client.ask(PING).status == 401


@pytest.mark.parametrize("status", [400, 401, 403, 503])
def test_a_refresh_token_may_be_refused(status: int, sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.refuse_refresh = status
    answer = client.token_answer()
    assert (answer.status, answer.json["error"]) == (status, "invalid_grant")


def test_the_life_of_a_token_may_be_left_out(sandbox: Sandbox, client: PlainClient) -> None:
    full = set(client.token_answer().json)
    sandbox.faults.omit_expires_in = True
    assert full - set(client.token_answer().json) == {"expires_in"}


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_the_status_may_be_fixed(status: int, sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.status = status
    assert statuses(client, 2) == [status] * 2
    assert client.token_answer().status == 200


def test_fields_may_have_other_values(sandbox: Sandbox, client: PlainClient, keys: list[str]) -> None:
    sandbox.faults.field_overrides = {"testProfile": "yes", "value": 5}
    found = client.data(batch(keys[:2], "profileId testProfile attributes { value }"))
    assert [p["testProfile"] for p in found.values()] == ["yes", "yes"]
    assert {a["value"] for p in found.values() for a in p["attributes"] if a} == {5}
    assert found["k0"]["profileId"] == sandbox.person_of(keys[0])["profileId"]  # type: ignore[index]


def test_the_record_says_what_was_asked_and_answered(
    sandbox: Sandbox, client: PlainClient, keys: list[str]
) -> None:
    text = batch([keys[0], "nobody"])
    answer = client.ask(text)
    (request,) = sandbox.requests
    assert (request.method, request.path, request.status) == ("POST", "/graphql", 200)
    assert request.keys == request.answered == [keys[0], "nobody"]
    assert (request.aliases, request.query, request.fault) == (2, text, None)
    assert request.bytes == len(answer.text.encode())
    assert 0 < request.at <= request.done_at


def test_the_record_names_tokens_without_showing_them(sandbox: Sandbox, client: PlainClient) -> None:
    for token in (client.token, client.token, client.new_token(), "bad"):
        client.token = token
        client.ask(PING)
    first, again, other, bad = (r.token for r in sandbox.requests if r.path == "/graphql")
    assert first == again != other
    assert bad is None
    assert {first, other}.isdisjoint(sandbox.access_tokens)


@pytest.mark.parametrize("name", ["umid", "customer-id"])
def test_the_key_of_a_lookup_by_any_identifier_is_its_value(
    name: str, sandbox: Sandbox, client: PlainClient
) -> None:
    query = "query ($n: String!, $v: String!) { personTargetDataByAnyId(idName: $n, idValue: $v) { owner } }"
    client.data(query, n=name, v="some value")
    assert sandbox.answers == {"some value": 1}


def test_the_record_counts_and_can_be_emptied(sandbox: Sandbox, client: PlainClient, keys: list[str]) -> None:
    client.token_answer()
    client.ask(batch(keys[:2]))
    client.ask(BY_UMID, umid=keys[0])
    assert (sandbox.token_requests, sandbox.in_flight_peak) == (1, 1)
    assert sandbox.answers == {keys[0]: 2, keys[1]: 1}
    sandbox.clear()
    assert (sandbox.requests, sandbox.answers, sandbox.token_requests) == ([], {}, 0)
    assert sandbox.in_flight_peak == 0

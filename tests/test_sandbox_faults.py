"""What the look-alike answers wrongly when it is told to: each kind of fault, errors on keys, refusals."""

import time
from contextlib import ExitStack, suppress
from email.utils import parsedate_to_datetime
from http.client import IncompleteRead, RemoteDisconnected

import pytest

from tests.plain_client import BY_UMID, PING, PlainClient, batch, opened, statuses
from tests.sandbox import Faults, Sandbox
from tests.sandbox.people import umids

PAGE, REFUSED = "<!doctype html>", '{"data":null,"errors":[{"message":"it failed","extensions":{"code":"'
ANSWERS = {
    "500": (500, "text/html", PAGE),
    "502-html": (502, "text/html", PAGE),
    "503": (503, "text/html", PAGE),
    "html": (200, "text/html", PAGE),
    "401": (401, "text/html", PAGE),
    "truncated-json": (200, "application/json", '{"data":'),
    "empty": (200, "application/json", ""),
    "graphql-error": (200, "application/json", REFUSED + "INTERNAL_SERVER_ERROR"),
    "throttled-error": (200, "application/json", REFUSED + "THROTTLED"),
    "no-fields": (200, "application/json", '{"data": {}}'),
    "data-and-error": (200, "application/json", '{"data": {"__typename"'),
}
BROKEN = {"drop": RemoteDisconnected, "truncated": IncompleteRead}
KINDS = [*ANSWERS, *BROKEN, "429", "429-date", "503-later"]
REFUSALS = {"400": (400, "errors"), "200-message": (200, "errors"), "413-html": (413, PAGE)}


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


def always(sandbox: Sandbox, kind: str) -> None:
    sandbox.faults.every, sandbox.faults.kinds = 1, [kind]


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_fault_takes_the_place_of_an_answer(kind: str, sandbox: Sandbox, client: PlainClient) -> None:
    always(sandbox, kind)
    answer = client.ask(PING)
    status, content_type, text = ANSWERS[kind]
    assert (answer.status, answer.headers.get_content_type()) == (status, content_type)
    assert answer.text.startswith(text)
    assert bool(answer.text) == bool(text)
    assert [(r.fault, r.status) for r in sandbox.requests] == [(kind, status)]


def test_half_an_answer_is_no_json(sandbox: Sandbox, client: PlainClient) -> None:
    whole = client.ask(PING).text
    always(sandbox, "truncated-json")
    assert client.ask(PING).text == whole[: len(whole) // 2]


def test_a_truncated_answer_is_shorter_than_it_says(sandbox: Sandbox, client: PlainClient) -> None:
    whole = client.ask(PING).text
    always(sandbox, "truncated")
    with pytest.raises(IncompleteRead) as error:
        client.ask(PING)
    assert error.value.partial.decode() == whole


def test_a_dropped_connection_has_no_answer(sandbox: Sandbox, client: PlainClient) -> None:
    always(sandbox, "drop")
    with pytest.raises(RemoteDisconnected):
        client.ask(PING)
    assert [r.fault for r in sandbox.requests] == ["drop"]


@pytest.mark.parametrize(("seconds", "said"), [(1.0, "1"), (30, "30"), (0.25, "0.25")])
def test_a_429_says_how_many_seconds(
    seconds: float, said: str, sandbox: Sandbox, client: PlainClient
) -> None:
    always(sandbox, "429")
    sandbox.faults.retry_after = seconds
    answer = client.ask(PING)
    assert (answer.status, answer.headers["Retry-After"]) == (429, said)
    assert [(r.fault, r.retry_after) for r in sandbox.requests] == [("429", seconds)]


def test_a_429_may_say_a_date(sandbox: Sandbox, client: PlainClient) -> None:
    always(sandbox, "429-date")
    sandbox.faults.retry_after = 30
    answer = client.ask(PING)
    now, end = (parsedate_to_datetime(answer.headers[name]) for name in ("Date", "Retry-After"))
    assert answer.status == 429
    assert 30 <= (end - now).total_seconds() <= 31
    assert abs(now.timestamp() - time.time()) < 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_answers_no_key(kind: str, sandbox: Sandbox, client: PlainClient, keys: list[str]) -> None:
    always(sandbox, kind)
    with suppress(*BROKEN.values()):
        assert client.ask(BY_UMID, umid=keys[0]).text.find(keys[0]) == -1
    sandbox.faults.every = 0
    client.ask(BY_UMID, umid=keys[1])
    assert [(r.keys, r.answered) for r in sandbox.requests] == [(keys[:1], []), (keys[1:2], keys[1:2])]


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_may_meet_each_fault(kind: str, sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.token_every, sandbox.faults.token_kinds = 1, [kind]
    with suppress(ValueError, *BROKEN.values()):
        assert "access_token" not in client.token_answer().json
    assert [(r.path, r.fault) for r in sandbox.requests] == [("/auth/token", kind)]
    assert client.ask(PING).status == 200


def test_each_nth_answer_is_a_fault_and_the_kinds_take_turns(sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.every, sandbox.faults.kinds = 3, ["503", "429"]
    assert statuses(client, 9) == [200, 200, 503, 200, 200, 429, 200, 200, 503]


def test_each_nth_token_is_a_fault() -> None:
    with opened(faults=Faults(token_every=2, token_kinds=["503", "429"])) as (_, client):
        assert [client.token_answer().status for _ in range(5)] == [200, 503, 200, 429, 200]


def test_a_share_of_the_answers_is_faults_and_the_seed_says_which() -> None:
    found = []
    for seed in (1, 1, 2):
        with opened(seed=seed, faults=Faults(share=0.5, kinds=["503"])) as (_, client):
            found.append(statuses(client, 40))
    assert found[0] == found[1] != found[2]
    assert 8 < found[0].count(503) < 32


@pytest.mark.parametrize(
    ("name", "path"), [("alias_errors", ["k1"]), ("nested_errors", ["k1", "attributes"])]
)
def test_errors_on_a_key_are_counted_down(
    name: str, path: list[str], sandbox: Sandbox, client: PlainClient, keys: list[str]
) -> None:
    setattr(sandbox.faults, name, {keys[1]: 2})
    sandbox.faults.alias_error_code = "LATER"
    answers = [client.ask(batch(keys[:3], "profileId attributes { name }")).json for _ in range(3)]
    assert [[(e["path"], e["extensions"]) for e in a.get("errors", [])] for a in answers] == [
        [(path, {"code": "LATER"})],
        [(path, {"code": "LATER"})],
        [],
    ]
    assert sandbox.answers == {keys[0]: 3, keys[1]: 1, keys[2]: 3}


def test_a_failed_alias_is_null_and_a_failed_field_leaves_the_others(
    sandbox: Sandbox, client: PlainClient, keys: list[str]
) -> None:
    sandbox.faults.alias_errors, sandbox.faults.nested_errors = {keys[0]: -1}, {keys[1]: -1}
    found = [client.ask(batch(keys[:3], "profileId attributes { name }")).json["data"] for _ in range(3)]
    assert found[0] == found[1] == found[2]
    assert found[0]["k0"] is None
    assert found[0]["k1"] == {"profileId": sandbox.person_of(keys[1])["profileId"], "attributes": None}  # type: ignore[index]
    assert found[0]["k2"]["attributes"]


def test_a_field_that_nobody_asked_for_does_not_fail(
    sandbox: Sandbox, client: PlainClient, keys: list[str]
) -> None:
    sandbox.faults.nested_errors = {keys[0]: -1, "nobody": -1}
    assert list(client.data(batch([keys[0], "nobody"]))["k0"]) == ["profileId"]


def test_one_poisoned_key_fails_its_whole_document(
    sandbox: Sandbox, client: PlainClient, keys: list[str]
) -> None:
    sandbox.faults.poison = [keys[1]]
    assert client.ask(batch(keys[:3])).status == 500
    assert client.ask(BY_UMID, umid=keys[1]).status == 500
    assert client.ask(batch([keys[0], keys[2]])).status == 200


@pytest.mark.parametrize("refusal", REFUSALS)
def test_too_many_aliases_are_refused(refusal: str, sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.max_aliases, sandbox.faults.alias_refusal = 3, refusal
    assert client.ask(batch(["x"] * 3)).status == 200
    answer = client.ask(batch(["x"] * 4))
    status, text = REFUSALS[refusal]
    assert answer.status == status
    assert text in answer.text
    assert ("GRAPHQL_VALIDATION_FAILED" in answer.text) == (refusal == "400")
    assert ("Aliases limit of 3 exceeded, found 4" in answer.text) == (text == "errors")
    assert [r.aliases for r in sandbox.requests] == [3, 4]


def test_a_document_of_too_many_fields_is_not_executed(sandbox: Sandbox, client: PlainClient) -> None:
    sandbox.faults.max_complexity = 6
    assert client.ask(batch(["x"] * 3)).json["data"] == {"k0": None, "k1": None, "k2": None}
    answer = client.ask(batch(["x"] * 2, "attributes { name value }"))
    assert (answer.status, answer.json["data"]) == (200, None)
    assert answer.json["errors"][0]["message"] == "maximum query complexity exceeded 8 > 6"
    assert answer.json["errors"][0]["extensions"] == {"classification": "ExecutionAborted"}

"""Retry-After: nothing is sent before it has passed, by whichever request it was said to."""

import pytest

from resources.errors import ServerUnavailable
from resources.graphql.query import Query
from tests.conftest import Connect
from tests.local import last_days
from tests.sandbox import Sandbox

ON_THE_WIRE_SECONDS = 0.4  # a request that left before the 429 had arrived


@pytest.mark.parametrize("kind", ["429", "429-date", "503-later"])
def test_no_request_is_sent_before_retry_after_has_passed(
    kind: str, sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    faults = sandbox.faults
    faults.every, faults.kinds, faults.retry_after, faults.latency = 12, [kind], 1.5, 0.01
    umids = sandbox.umids_of(last_days()[-1])[:60]
    list(connect(sandbox, max_batch=2).pages(profiles_query, keys=umids))
    refused = [r for r in sandbox.requests if r.status in (429, 503)]
    assert len(refused) >= 2
    for refusal in refused:
        early = [
            request.at - refusal.done_at
            for request in sandbox.requests
            if ON_THE_WIRE_SECONDS < request.at - refusal.done_at < faults.retry_after
        ]
        assert early == []


def test_a_longer_pause_than_a_run_should_wait_is_left_to_the_orchestrator(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    faults = sandbox.faults
    faults.every, faults.kinds, faults.retry_after = 1, ["429"], 7200
    with pytest.raises(ServerUnavailable) as caught:
        list(connect(sandbox).pages(profiles_query, keys=["a"]))
    assert caught.value.after_seconds == 3600  # a run that waits holds its place: at most an hour
    assert "asks to come back in 7,200 s" in str(caught.value)
    assert len([r for r in sandbox.requests if r.path == "/graphql"]) == 1


def test_a_throttling_graphql_error_is_waited_for(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    sandbox.faults.every, sandbox.faults.kinds = 4, ["throttled-error"]
    umids = sandbox.umids_of(last_days()[-1])[:6]
    pages = list(connect(sandbox, max_batch=1).pages(profiles_query, keys=umids))
    assert sum(page.found + page.not_found for page in pages) == 6
    assert sum(page.counts.retries["throttled"] for page in pages) >= 1
    assert set(sandbox.answers.values()) == {1}


def test_a_server_that_limits_requests_a_second_answers_each_key_once(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    sandbox.faults.requests_per_second = 20
    umids = sandbox.umids_of(last_days()[-1])[:40]
    list(connect(sandbox, max_batch=1).pages(profiles_query, keys=umids))
    assert sandbox.answers == dict.fromkeys(umids, 1)

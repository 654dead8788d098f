"""Tokens that end, are revoked, live short or are never accepted, under 64 requests at once: counted."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from resources.account.tokens import AccessTokens
from resources.errors import TokenRefused
from resources.graphql.query import Query
from resources.targetdata import TargetDataResource
from tests.chaos.figures import show
from tests.conftest import Connect
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.sandbox.record import Request

AT_ONCE = 64
LEAST_AT_ONCE = AT_ONCE * 3 // 4  # at the server: a busy machine sends some late
PING = "{ __typename }"


def opened(connect: Connect, sandbox: Sandbox) -> TargetDataResource:
    """Give a resource that has 64 requests in flight from the start, one key each."""
    resource = connect(sandbox, max_in_flight=AT_ONCE, max_batch=1, max_attempts=50)
    resource.client._sender.throttle._in_flight.number = AT_ONCE
    return resource


def most_at_once(requests: list[Request]) -> int:
    """Count how many of these requests were open at the same time."""
    edges = sorted([(r.at, 1) for r in requests] + [(r.done_at, -1) for r in requests])
    open_now = most = 0
    for _, step in edges:
        open_now += step
        most = max(most, open_now)
    return most


def counted(case: str, sandbox: Sandbox) -> tuple[list[Request], list[Request]]:
    """Give the requests for tokens and those with one, and print the figures."""
    renewals = [r for r in sandbox.requests if r.path == "/auth/token"]
    others = [r for r in sandbox.requests if r.path == "/graphql"]
    refused = sum(r.status == 401 for r in others)
    show(
        f"tokens {case}",
        requests=len(others),
        in_flight=most_at_once(others),
        answered_401=refused,
        token_requests=len(renewals),
        renewals_at_once=most_at_once(renewals),
    )
    assert most_at_once(others) >= LEAST_AT_ONCE, "else it is no load"
    assert most_at_once(renewals) <= 1, "one renewal in flight"
    return renewals, others


def all_keys(resource: TargetDataResource, query: Query, umids: list[str]) -> int:
    return sum(page.asked for page in resource.pages(query, keys=umids))


def extracted(
    case: str, sandbox: Sandbox, connect: Connect, query: Query
) -> tuple[list[Request], list[Request]]:
    umids = sandbox.umids_of(last_days()[-1])
    sandbox.faults.latency = 0.2
    assert all_keys(opened(connect, sandbox), query, umids) == len(umids)
    assert sandbox.answers == dict.fromkeys(umids, 1), "each key is answered once"
    return counted(case, sandbox)


def generations(requests: list[Request]) -> int:
    """Count the tokens that requests came with, and were accepted."""
    return len({r.token for r in requests if r.token})


def demanded(requests: list[Request], seconds: float) -> float:
    """Give how many tokens that live so long are needed: each is renewed with a quarter of its life left."""
    took = max(r.done_at for r in requests) - min(r.at for r in requests)
    return took / (0.75 * seconds) + 2


@pytest.mark.parametrize("claimed", [None, 3600.0], ids=["as they say", "shorter than they say"])
def test_tokens_that_live_short_are_renewed_as_often_as_they_end(
    claimed: float | None, connect: Connect, profiles_query: Query, stack: ExitStack
) -> None:
    sandbox = stack.enter_context(Sandbox(people=300, seed=7, token_seconds=0.7, claimed_seconds=claimed))
    case = "that live 0.7 s" + (" and say an hour" if claimed else "")
    renewals, others = extracted(case, sandbox, connect, profiles_query)
    assert 2 <= len(renewals) <= demanded(others, 0.7)
    assert sum(r.status == 401 for r in others) <= AT_ONCE * len(renewals), "those on the wire when it ended"


def test_a_token_that_is_revoked_under_way_is_renewed_once(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    revoked = threading.Event()

    def revoke() -> None:
        while sum(sandbox.answers.values()) < 30 and not revoked.wait(0.005):
            pass
        sandbox.revoke()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(revoke)
        renewals, others = extracted("that are revoked under way", sandbox, connect, profiles_query)
    assert len(renewals) == 2 == generations(others)
    assert 0 < sum(r.status == 401 for r in others) <= AT_ONCE


def test_revoked_again_and_again_each_generation_is_renewed_once(sandbox: Sandbox, connect: Connect) -> None:
    client = opened(connect, sandbox).client
    rounds = 5
    for _ in range(rounds):
        client._sender.throttle._in_flight.number = AT_ONCE  # a busy machine is a slow server
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sandbox.faults.gather = AT_ONCE  # all are on the wire before the first answer
            assert all(answer["data"] for answer in pool.map(client.ask, [PING] * AT_ONCE))
        sandbox.revoke()
    renewals, _ = counted(f"revoked {rounds} times before {AT_ONCE} requests", sandbox)
    assert len(renewals) == rounds


def test_tokens_that_are_never_accepted_end_all_requests_after_a_few_renewals(
    sandbox: Sandbox, connect: Connect
) -> None:
    client = opened(connect, sandbox).client
    sandbox.faults.reject_fresh_tokens, sandbox.faults.latency = True, 0.05

    def ask(_: int) -> None:
        with pytest.raises(TokenRefused, match="refuses fresh access tokens"):
            client.ask(PING)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask, range(AT_ONCE)))
    renewals, others = counted("never accepted", sandbox)
    assert isinstance(client._sender._tokens, AccessTokens)
    assert len(others) == 4 * AT_ONCE, "each is tried four times"
    assert len(renewals) <= 2 * 4, "with a token for all of them"


@pytest.mark.chaos
@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_tokens_that_live_short_at_length(
    seconds: float, connect: Connect, profiles_query: Query, stack: ExitStack
) -> None:
    sandbox = stack.enter_context(Sandbox(people=5_000, seed=7, token_seconds=seconds))
    renewals, others = extracted(f"that live {seconds} s", sandbox, connect, profiles_query)
    assert 2 <= len(renewals) <= demanded(others, seconds)

"""The retry policy, without a network: how often and how long one request is tried."""

import asyncio

import pytest

from resources.errors import Unavailable
from resources.graphql.counts import Counts
from resources.graphql.sending.gate import retry_after
from resources.graphql.sending.retry import Policy, Retry


def test_a_request_is_tried_no_longer_than_its_seconds() -> None:
    counts = Counts()

    async def fail() -> None:
        raise Unavailable("the server answered 503")

    async def scenario() -> None:
        with pytest.raises(Unavailable, match="503"):
            await Retry(Policy(attempts=10_000, seconds=0.5), counts).call(fail)

    asyncio.run(asyncio.wait_for(scenario(), 60))
    assert 0 < counts.retries["unavailable"] < 10_000


@pytest.mark.parametrize(("asked", "made"), [(None, 5), (3, 3), (9, 5)])
def test_a_caller_may_ask_for_fewer_attempts_but_not_for_more(
    asked: int | None, made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.graphql.sending.retry.BACKOFF", lambda _: 0.0)
    sent: list[int] = []

    async def fail() -> None:
        sent.append(1)
        raise Unavailable("the server answered 503")

    async def scenario() -> None:
        with pytest.raises(Unavailable):
            await Retry(Policy(attempts=5), Counts()).call(fail, attempts=asked)

    asyncio.run(scenario())
    assert len(sent) == made


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:10 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 10.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:10 GMT"}, 0.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_by_the_servers_own_clock(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds

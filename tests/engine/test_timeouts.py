"""A server that is too slow at any point of an answer: a timeout, at /graphql and at /auth/token."""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from functools import partial

import pytest

from resources.errors import ServerUnavailable
from resources.graphql.client import Client
from resources.graphql.query import Query
from resources.graphql_resource import GraphQLResource
from resources.targetdata import TargetDataResource
from tests.conftest import Connect
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_lookups, extract, lookups

PING = "{ __typename }"
EVERY_SECONDS = 0.05  # a byte
READ_SECONDS, REQUEST_SECONDS = 0.3, 0.8
SLACK_SECONDS = 10.0  # of a busy machine
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ANSWERS = {  # what is sent at once, and what is sent byte by byte for ever
    "nothing": (b"", b""),
    "half a head": (HEAD, b""),
    "no body": (HEAD + b"Content-Length: 100\r\n\r\n", b""),
    "half a body": (HEAD + b'Content-Length: 100\r\n\r\n{"data"', b""),
    "a head that trickles": (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
    "a body that trickles": (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "chunks that trickle": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "headers without end": (HEAD, b"X-More: 1\r\n"),
}


class SlowServer:
    """Serves each answer on a port of its own, in a thread."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self._ready = threading.Event()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> dict[str, int]:
        self._thread.start()
        assert self._ready.wait(SLACK_SECONDS)
        return self.ports

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with AsyncExitStack() as servers:
            for answer in ANSWERS:
                server = await asyncio.start_server(partial(self._serve, answer), "127.0.0.1", 0)
                await servers.enter_async_context(server)
                self.ports[answer] = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._stopping.wait()
            await asyncio.sleep(3 * EVERY_SECONDS)  # those under way see it

    async def _serve(self, answer: str, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at_once, for_ever = ANSWERS[answer]
        with suppress(ConnectionError):
            writer.write(at_once)
            while not self._stopping.is_set():
                writer.write(for_ever)
                await writer.drain()
                await asyncio.sleep(EVERY_SECONDS)
        writer.close()


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    with SlowServer() as found:
        yield found


def client_of(kind: str, port: int, *, scheme: str = "http") -> TargetDataResource | GraphQLResource:
    limits = {
        "connect_timeout_seconds": READ_SECONDS,
        "read_timeout_seconds": READ_SECONDS,
        "request_timeout_seconds": REQUEST_SECONDS,
        "max_attempts": 1,
    }
    url = f"{scheme}://127.0.0.1:{port}"
    if kind == "/graphql":
        return GraphQLResource(url=f"{url}/graphql", **limits)
    return TargetDataResource(base_url=url, refresh_token="offline", **limits)  # asks for a token first


def failed(client: Client) -> tuple[str, float]:
    started = time.monotonic()
    with pytest.raises(ServerUnavailable) as caught:
        client.ask(PING)
    return str(caught.value), time.monotonic() - started


@pytest.mark.parametrize("endpoint", ["/graphql", "/auth/token"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_does_not_come_to_its_end_is_a_timeout(
    answer: str, endpoint: str, ports: dict[str, int]
) -> None:
    resource = client_of(endpoint, ports[answer])
    try:
        said, seconds = failed(resource.client)
    finally:
        resource.close()
    limit = "request" if ANSWERS[answer][1] else "read"  # bytes for ever, or silence
    assert f"did not come in time. If it needs longer, raise {limit}_timeout_seconds" in said
    assert f"TARGETDATA_{limit.upper()}_TIMEOUT_SECONDS" in said
    assert re.search(r"Attempts: 1, over [0-9] s", said)
    assert seconds < REQUEST_SECONDS + SLACK_SECONDS


@pytest.mark.parametrize("endpoint", ["/graphql", "/auth/token"])
def test_a_tls_handshake_that_does_not_come_to_its_end_is_no_connection(
    endpoint: str, ports: dict[str, int]
) -> None:
    resource = client_of(endpoint, ports["nothing"], scheme="https")
    try:
        said, seconds = failed(resource.client)
    finally:
        resource.close()
    assert "cannot be reached: no connection to 127.0.0.1" in said
    assert seconds < REQUEST_SECONDS + SLACK_SECONDS


def test_a_batch_whose_answer_does_not_come_in_time_is_halved(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(last_days()[-1])[:60]
    sandbox.faults.max_aliases, sandbox.faults.alias_refusal = 2, "timeout"
    resource = connect(sandbox, read_timeout_seconds=0.5, request_timeout_seconds=2.0, max_in_flight=2)
    _, found, _ = extract(resource, profiles_query, umids)
    assert lookups(found) == expected_lookups(sandbox, umids)
    unanswered = [r.keys for r in sandbox.requests if r.status == 0 and r.keys]
    assert unanswered
    assert all(len(keys) > 2 for keys in unanswered)
    assert len({tuple(keys) for keys in unanswered}) == len(unanswered), "never asked for again as a whole"

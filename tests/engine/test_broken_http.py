"""A server that breaks HTTP itself: what it sent is quoted in no error, and in none behind it."""

import asyncio
import threading
import traceback
from collections.abc import Iterator

import pytest

from resources.errors import ServerUnavailable
from resources.graphql_resource import GraphQLResource

CANARY = "canary@example.com"
BODY = f'{{"data": {{"k0": {{"profileId": "{CANARY}"}}}}}}'
JSON = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ANSWERS = {
    "a length that is too short": f"{JSON}Content-Length: 5\r\n\r\n{BODY}",
    "a broken header": f"HTTP/1.1 200 OK\r\nX Bad {CANARY}\r\n\r\n",
    "no HTTP": f"{BODY}\r\n\r\n",
    "broken chunks": f"{JSON}Transfer-Encoding: chunked\r\n\r\n{BODY}\r\n",
    "JSON nested too deep": f"{JSON}Content-Length: 100000\r\n\r\n{'[' * 100_000}",
    "a number beyond all": f"{JSON}Content-Length: 39\r\n\r\n" + '{"data": {"a": 1e9999999999999999999}}\n',
    "no gzip": f"{JSON}Content-Encoding: gzip\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}",
}


@pytest.fixture
def url(answer: str) -> Iterator[str]:
    """Serve the answer's bytes to whoever sends a request."""
    loop = asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWERS[answer].encode())
        await writer.drain()
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()
    loop.close()


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_was_received_is_in_no_error(answer: str, url: str) -> None:
    resource = GraphQLResource(url=url, max_attempts=2)
    try:
        with pytest.raises(ServerUnavailable) as caught:
            for _ in range(2):  # too short: the rest is read as the next answer
                resource.client.ask("{ __typename }")
    finally:
        resource.close()
    assert CANARY not in "".join(traceback.format_exception(caught.value))

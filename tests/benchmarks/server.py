"""A loopback GraphQL server that costs next to nothing: `python -m tests.benchmarks.server --help`.

POST /graphql answers lookups by umid in any number of aliases, and the lists `profiles` (along a cursor) and
`profilesByOffset`. GET /counts gives what was answered, POST /reset sets the counts to zero.
"""

import argparse
import asyncio
import json
import signal
from dataclasses import fields
from typing import cast

import msgspec
import uvloop

from tests.benchmarks.answers import Answer, Answers
from tests.benchmarks.load import Behaviour, Bucket, Counts, Places
from tests.benchmarks.loopback import READY
from tests.benchmarks.rows import Rows

HEAD = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
OK, TOO_MANY, WRONG = b"200 OK", b"429 Too Many Requests", b"400 Bad Request"
REFUSAL = b'{"errors":[{"message":"too many requests","extensions":{"code":"THROTTLED"}}]}'


class Body(msgspec.Struct):
    """A request's body."""

    query: str
    variables: dict[str, object] | None = None


class Server:
    """What all connections share."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.counts = Counts()
        self._answers = Answers(Rows(behaviour.rows))
        self._decoder = msgspec.json.Decoder(Body)
        self._places = Places(behaviour)
        rate = behaviour.requests_per_second
        self._bucket = Bucket(rate, behaviour.burst) if rate else None

    def handle(self, path: bytes, body: bytes, connection: "Connection") -> None:
        """Answer a request, now or later."""
        if path == b"/graphql":
            self._graphql(body, connection)
            return
        if path == b"/reset":
            self.counts = Counts()
        connection.send(OK, json.dumps(self.counts.shown).encode())

    def _graphql(self, body: bytes, connection: "Connection") -> None:
        if self._bucket and not self._bucket.take():
            self.counts.throttled += 1
            after = self.behaviour.retry_after
            connection.send(TOO_MANY, REFUSAL, b"Retry-After: %g\r\n" % after if after else b"")
            return
        try:
            asked = self._decoder.decode(body)
        except msgspec.DecodeError as error:
            connection.send(WRONG, json.dumps({"errors": [{"message": str(error)}]}).encode())
            return
        answer = self._answers.answer(asked.query, asked.variables or {})
        self.counts.arrived(self._places.present + 1)
        self._places.serve(len(answer.keys) or answer.rows, lambda: self._send(answer, connection))

    def _send(self, answer: Answer, connection: "Connection") -> None:
        counts = self.counts
        counts.requests += 1
        counts.rows += answer.rows
        counts.bytes += len(answer.body)
        counts.keys += len(answer.keys)
        counts.asked.update(answer.keys)
        connection.send(OK, answer.body)
        counts.answered()


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as far as clients of GraphQL use it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Hand on each request that is whole."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head, start = self._received[:end], end + 4
            length = _length(head)
            if b"100-continue" in head and len(self._received) == start:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if len(self._received) < start + length:
                return
            body, self._received = self._received[start : start + length], self._received[start + length :]
            self._server.handle(head.split(b" ", 2)[1].split(b"?")[0], body, self)

    def send(self, status: bytes, body: bytes, headers: bytes = b"") -> None:
        """Write an answer, unless its reader has gone."""
        if not self._transport.is_closing():
            self._transport.writelines((HEAD % (status, headers, len(body)), body))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0


async def serve(behaviour: Behaviour, port: int) -> None:
    """Serve until the process is asked to end; the first line that is printed has the URL."""
    server, loop, stop = Server(behaviour), asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    listening = await loop.create_server(lambda: Connection(server), "127.0.0.1", port, backlog=512)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        print(f"{READY}http://127.0.0.1:{port}/graphql", flush=True)
        await stop.wait()


def main() -> None:
    """Read the options, each a field of the behaviour, and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.server", description=Behaviour.__doc__)
    for option in fields(Behaviour):
        default: object = option.default
        name = "--" + option.name.replace("_", "-")
        parser.add_argument(name, type=type(default), default=default, help=f"default {default}")
    parser.add_argument("--port", type=int, default=0, help="default: one that is free")
    options = vars(parser.parse_args())
    uvloop.run(serve(Behaviour(**{f.name: options[f.name] for f in fields(Behaviour)}), options["port"]))


if __name__ == "__main__":
    main()

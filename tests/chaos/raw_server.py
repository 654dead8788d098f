"""A server that answers bytes as they are, whatever HTTP or GraphQL say of them."""

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

READY_SECONDS = 10.0


@dataclass
class RawAnswer:
    """A status, headers and a body; without a length of its own the body ends with the connection."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def bytes(self) -> bytes:
        """What goes over the wire."""
        lines = [f"HTTP/1.1 {self.status} Answer", *(f"{k}: {v}" for k, v in self.headers.items())]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("utf-8", "replace") + self.body


class RawServer:
    """Answers each path with what `answers` holds for it, and closes the connection."""

    def __init__(self) -> None:
        self.answers: dict[str, RawAnswer] = {}
        self.requests = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(READY_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(READY_SECONDS)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512) as server:
            self._port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._stop.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if b"content-length" in line]
            length = int(lengths[0].split(b":")[1]) if lengths else 0  # as of a HEAD
            await reader.readexactly(length)
            self.requests += 1
            writer.write(self.answers[head.split(b" ")[1].decode()].bytes)
            await writer.drain()
        writer.close()

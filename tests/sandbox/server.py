"""The sandbox: an HTTP server in a thread of its own, and what a test may ask of it."""

import asyncio
import hashlib
import ssl
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.sandbox import answers, auth, feed
from tests.sandbox.auth import Tokens
from tests.sandbox.endpoint import Endpoint, ide
from tests.sandbox.faults import Faults, Turns
from tests.sandbox.graph import Graph
from tests.sandbox.people import Person, make_nobodies, make_people, umids
from tests.sandbox.record import Record, Request

MAX_REQUEST_BYTES = 64 * 1024 * 1024
Handler = Callable[[web.Request, Request], Awaitable[web.StreamResponse]]


class Sandbox:
    """A TargetData look-alike on a free port of loopback, in a `with`.

    `token_seconds` is the life of an access token, `claimed_seconds` what the server says of it. `variant` is
    targetdata, foreign (other fields inside the lists, no introspection, at most 5 aliases) or lists. `edits`
    change its schema: what is replaced in its text, and by what. `people` are so many, or those given.
    """

    def __init__(
        self,
        people: int | Sequence[Person] = 200,
        seed: int = 7,
        variant: str = "targetdata",
        *,
        token_seconds: float = 3600.0,
        claimed_seconds: float | None = None,
        faults: Faults | None = None,
        ssl_context: ssl.SSLContext | None = None,
        port: int = 0,
        max_page_size: int = 500,
        suggestions: bool = True,
        edits: Mapping[str, str] | None = None,
    ) -> None:
        self.people = make_people(people, seed) if isinstance(people, int) else list(people)
        self.faults = faults or Faults()
        self.refresh_token = "offline-" + hashlib.sha256(f"sandbox {seed}".encode()).hexdigest()
        self._graph = Graph(
            self.people, variant, max_page_size=max_page_size, suggestions=suggestions, edits=edits or {}
        )
        self._tokens = Tokens(self.refresh_token, token_seconds, claimed_seconds)
        self._umids = [u for p in self.people for u in umids(p)] + make_nobodies(len(self.people), seed)
        self._record = Record()
        self._seed = seed
        self._turns = Turns(seed)
        self._ssl = ssl_context
        self._port = port
        self._ready = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), daemon=True, name="sandbox"
        )

    def __enter__(self) -> Self:
        """Start the server."""
        self._thread.start()
        if not self._ready.wait(10):
            raise TimeoutError("the sandbox did not start within 10 seconds")
        if self._failure:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, with whatever is still open."""
        self._loop.call_soon_threadsafe(self._endpoint.stopped.set)
        self._thread.join(10)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"https://localhost:{self._port}" if self._ssl else f"http://127.0.0.1:{self._port}"

    @property
    def requests(self) -> list[Request]:
        """The requests since the start or `clear`, without those to the control path."""
        return self._record.requests

    @property
    def answers(self) -> Counter[str]:
        """How often each key was answered."""
        return self._record.answers

    @property
    def token_requests(self) -> int:
        """How many requests /auth/token got."""
        return sum(r.path == "/auth/token" for r in self.requests)

    @property
    def access_tokens(self) -> list[str]:
        """All access tokens made so far."""
        return self._tokens.made

    @property
    def in_flight_peak(self) -> int:
        """The most requests that were open at the same time."""
        return self._record.in_flight_peak

    def clear(self) -> None:
        """Forget the requests so far."""
        self._record.clear()

    def revoke(self) -> None:
        """Make all access tokens invalid at once."""
        self._tokens.revoke()

    def person_of(self, umid: str) -> Person | None:
        """Give the person that a lookup by umid answers."""
        return self._graph.person_of(umid)

    def umids_of(self, day: date) -> list[str]:
        """Give the distinct umids of a day's events, sorted."""
        return feed.umids_of(day, self._umids, self._seed)

    def write_feed(self, folder: Path, days: Sequence[date], suffix: str = ".jsonl.gz") -> list[Path]:
        """Write a file of events for each day: .jsonl, .csv, with .gz or without."""
        return [feed.write_day(Path(folder), day, self._umids, self._seed, suffix) for day in days]

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._endpoint = Endpoint(self._graph, self._tokens, self.faults, self._seed)
        runner = web.AppRunner(
            self._application(), access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await runner.setup()
        try:
            host = "localhost" if self._ssl else "127.0.0.1"
            site = web.TCPSite(runner, host, self._port, ssl_context=self._ssl, backlog=1024)
            await site.start()
            self._port = runner.addresses[0][1]
            self._ready.set()
            await self._endpoint.stopped.wait()
        except OSError as error:  # the port is taken
            self._failure = error
            self._ready.set()
        finally:
            await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_REQUEST_BYTES)
        application.add_routes(
            [
                web.get("/auth/offline-token", auth.login_form),
                web.post("/auth/offline-token", self._login),
                web.post("/auth/token", self._token_request),
                web.get("/graphql", ide),
                web.post("/graphql", self._graphql_request),
                web.post("/control", self._control),
                web.get("/control/requests", self._requests),
            ]
        )
        return application

    async def _login(self, http: web.Request) -> web.Response:
        return await auth.login(http, self._tokens)

    async def _token_request(self, http: web.Request) -> web.StreamResponse:
        return await self._recorded(http, self._token)

    async def _graphql_request(self, http: web.Request) -> web.StreamResponse:
        return await self._recorded(http, self._endpoint.answer)

    async def _recorded(self, http: web.Request, handler: Handler) -> web.StreamResponse:
        record = Request(at=time.monotonic(), method=http.method, path=http.path)
        self._record.start(record)
        try:
            response = await handler(http, record)
            record.status = response.status
            if isinstance(response, web.Response) and isinstance(response.body, bytes):
                record.bytes = len(response.body)
            return response
        finally:
            record.done_at = time.monotonic()
            self._record.in_flight -= 1

    async def _token(self, http: web.Request, record: Request) -> web.StreamResponse:
        if self.faults.redirect_token_to:
            return web.Response(status=307, headers={"Location": self.faults.redirect_token_to})
        good = await auth.token_answer(
            http,
            self._tokens,
            refuse=self.faults.refuse_refresh,
            expires_in=not self.faults.omit_expires_in,
            rotated=self.faults.rotated_refresh_token,
            telling=self.faults.telling,
        )
        kind = self._turns.kind(self.faults.token_every, 0.0, self.faults.token_kinds)
        if not kind:
            return good
        body = good.body if isinstance(good.body, bytes) else b""
        return await answers.fault(kind, body, http, record, self.faults.retry_after)

    async def _control(self, http: web.Request) -> web.Response:
        try:
            self.faults.change(await http.json())
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(asdict(self.faults))

    async def _requests(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(request) for request in self.requests])

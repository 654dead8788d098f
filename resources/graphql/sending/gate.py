"""Two aiohttp middlewares below gql: the bearer token and the status gate. They never send again."""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import cast
from urllib.parse import urlsplit

import aiohttp

from resources.errors import ConfigurationError, Refused, Throttled, Unauthorized, Unavailable
from resources.graphql.counts import Counts
from resources.graphql.raw import NULL, UNDECODABLE, decoded
from resources.graphql.sending.answer import error_code, error_list
from resources.graphql.sending.tokens import TokenSource

THROTTLE_CODES = frozenset({"THROTTLED", "RATE_LIMITED", "TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED"})
AUTH_CODES = frozenset({"UNAUTHENTICATED", "UNAUTHORIZED", "TOKEN_EXPIRED"})
TOO_LARGE = 413
SHAPE: ContextVar[type | None] = ContextVar("the type of the answer, for msgspec, where some of it stays raw")
SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")

Handler = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]


class JudgedResponse(aiohttp.ClientResponse):
    """A response whose body the gate has read and decoded."""

    answer: Mapping[str, object]

    async def json(self, **_: object) -> Mapping[str, object]:
        """Give gql what the gate decoded."""
        return self.answer


class Bearer:
    """Sets the header; a 401 invalidates the generation of the token that was sent, and no other."""

    def __init__(self, tokens: TokenSource) -> None:
        self._tokens = tokens

    async def __call__(self, request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        """Send with the current token."""
        token = await self._tokens.get()
        request.headers["Authorization"] = f"Bearer {token.value}"
        try:
            return await handler(request)
        except Unauthorized:
            self._tokens.invalidate(token.generation)
            raise


class Gate:
    """Reads the answer within its size limit and judges status, headers and codes."""

    def __init__(self, max_bytes: int, counts: Counts) -> None:
        self._max_bytes = max_bytes
        self._counts = counts

    async def __call__(self, request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        """Let a GraphQL answer pass; raise for all else."""
        response = cast(JudgedResponse, await handler(request))
        try:
            raise_for_headers(response)
            body = await read_bounded(response, self._max_bytes)
            self._counts.bytes += len(body)
            response.answer = graphql_answer(response, body)
            raise_for_codes(response.answer)
        except BaseException:
            response.release()  # nobody else sees it
            raise
        return response


def raise_for_headers(response: aiohttp.ClientResponse) -> None:
    """Judge what needs no body."""
    status, where = response.status, f"{response.method} {response.url.path}"
    if status == 401:
        raise Unauthorized(f"{where} answered 401")
    if status == 429 or (status == 503 and "Retry-After" in response.headers):
        raise Throttled(f"{where} answered {status}", after_seconds=retry_after(response.headers))
    if 300 <= status < 400:
        target = location(response.headers.get("Location", ""))
        raise ConfigurationError(
            f"{where} redirects ({status}) to {target}, which is not followed because it would carry "
            "the token along; is the base URL right?"
        )
    if status in (403, 404, 405, 410):
        raise ConfigurationError(
            f"{where} on {response.url.host} answered {status}; is the base URL right, "
            "and may this account use the API?"
        )
    if status == TOO_LARGE:
        raise Refused(f"{where} answered 413: the document is too large")
    if status >= 500 or status == 408:
        raise Unavailable(f"{where} answered {status}")


def location(text: str) -> str:
    """Write where a redirection leads, without the user, the password, the query and the rest behind it."""
    try:
        target = urlsplit(text)
        host = target.netloc.rpartition("@")[2]
    except ValueError:  # brackets that do not match
        return "an odd address"
    return f"{target.scheme}://{host}{target.path}" if host else target.path or "nowhere"


def graphql_answer(response: aiohttp.ClientResponse, body: bytes) -> Mapping[str, object]:
    """Decode a body that must be a GraphQL answer, into the shape that was asked for where it is of that.

    The error names its type, never its content.
    """
    where = f"{response.method} {response.url.path}"
    try:
        answer = decoded(body, SHAPE.get())
    except UNDECODABLE:
        answer = None
    if isinstance(answer, dict) and ("data" in answer or "errors" in answer):
        return answer
    what = f"{response.content_type}, {len(body)} bytes, status {response.status}"
    if 400 <= response.status < 500:
        raise Refused(f"{where} refused the document ({what})")
    raise Unavailable(f"{where} answered something that is not GraphQL ({what})")


def raise_for_codes(answer: Mapping[str, object]) -> None:
    """Find the errors that servers send as 200: throttling and authentication."""
    codes = {error_code(error) for error in error_list(answer)}
    if codes.isdisjoint(THROTTLE_CODES | AUTH_CODES) or _has_values(answer.get("data")):
        return  # where some are answered, the others are asked for again
    if codes & THROTTLE_CODES:
        raise Throttled("the server throttles (GraphQL error)")
    if codes & AUTH_CODES:
        raise Unauthorized("the server wants another token (GraphQL error)", in_answer=True)


def _has_values(data: object) -> bool:
    """Say whether some field of the data is not null."""
    return isinstance(data, dict) and any(value not in (None, NULL) for value in data.values())


async def read_bounded(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Read a body up to a limit of decompressed bytes; a broken connection is Unavailable."""
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > max_bytes:
                raise Refused(f"an answer of more than {max_bytes:,} bytes")
    except TimeoutError as error:
        raise late(error, response.url.host or "the server") from error
    except aiohttp.ClientError as error:  # its message may quote what was received
        raise Unavailable(f"the answer broke off ({type(error).__name__})") from None
    return b"".join(chunks)


def late(error: TimeoutError, host: str) -> Unavailable:
    """Say that an answer did not come in time, and which limit that was."""
    limit = "read" if isinstance(error, aiohttp.SocketTimeoutError) else "request"
    return Unavailable(
        f"the answer of {host} did not come in time. If it needs longer, raise {limit}_timeout_seconds "
        f"(TARGETDATA_{limit.upper()}_TIMEOUT_SECONDS)",
        timed_out=True,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After, seconds or a date, as seconds from now by the server's own clock."""
    text = headers.get("Retry-After", "").strip()
    if SECONDS.fullmatch(text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        now = parsedate_to_datetime(headers["Date"]) if "Date" in headers else datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None

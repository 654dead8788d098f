"""The exchange of the offline refresh token for an access token, and what the answer says of both.

Source: the vendor's authentication page. `POST /auth/token` takes a url-encoded form with the one field
`refresh_token`; an access token lives `expires_in` seconds; several may be valid at the same time.
"""

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
import msgspec

from resources.account.jwt import claims
from resources.errors import Attempt, TokenRefused, Unavailable
from resources.graphql.raw import UNDECODABLE
from resources.graphql.sending.circuit import Circuit
from resources.graphql.sending.gate import raise_for_headers, read_bounded
from resources.graphql.sending.retry import Retry, give_up
from resources.graphql.sending.settings import Settings
from resources.graphql.sending.transport import named, ssl_context, timeout

UNKNOWN_LIFETIME_SECONDS = 300.0
BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750: what may stand in the header
REFUSALS = frozenset({400, 401, 403})
MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What an answer of the server says of its tokens, in seconds, without them.

    `refresh_seconds`: how long the refresh token is good, 0 for ever, None if it does not say. `rotates`: an
    answer held another refresh token than was sent.
    """

    seconds: float
    refresh_seconds: float | None
    rotates: bool


@dataclass(frozen=True, slots=True)
class Exchanged:
    """An access token, and when it was asked for by the monotonic clock: from then on it may live."""

    value: str = field(repr=False)
    asked_at: float
    facts: TokenFacts


class Exchange:
    """Makes access tokens at one address; `refusal` says what a person should do about a refused token."""

    def __init__(self, url: str, *, settings: Settings, retry: Retry, refusal: str) -> None:
        self._url = url
        self._settings = settings
        self._retry = retry
        self._refusal = refusal
        self._circuit = Circuit(url)  # its own: what it counts says nothing of the API
        self._rotates = False
        self._dead: dict[str, TokenRefused] = {}

    async def make(self, refresh_token: str) -> Exchanged:
        """Make an access token; a refresh token that was refused is never sent again."""
        if refresh_token in self._dead:
            raise self._dead[refresh_token]

        async def attempt() -> Exchanged:
            asked_at = time.monotonic()
            answer = await self._circuit.send(lambda: self._post(refresh_token))
            return self._exchanged(answer, refresh_token, asked_at)

        try:
            async with self._circuit.closed():
                return await self._retry.call(attempt)
        except TokenRefused as error:
            self._dead[refresh_token] = error
            raise
        except Attempt as error:
            give_up(error, host=self._url, refusal=self._refusal)

    async def _post(self, refresh_token: str) -> Mapping[str, object]:
        settings = self._settings
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout(settings), trust_env=settings.trust_env) as session,
                session.post(
                    self._url,
                    data={"refresh_token": refresh_token},
                    ssl=ssl_context(settings.ca_file),
                    allow_redirects=False,
                ) as response,
            ):
                if response.status in REFUSALS:
                    raise self._refused(response.status)
                raise_for_headers(response)
                return _token_answer(response, await read_bounded(response, MAX_BYTES))
        except (aiohttp.ClientError, TimeoutError) as error:
            host = urlsplit(self._url).hostname or self._url
            raise named(error, host) from None  # its message may quote what was received

    def _refused(self, status: int) -> TokenRefused:
        hint = (
            " The server had sent another refresh token with the last answer: it seems to rotate them, "
            "which TargetData documents that it does not."
            if self._rotates
            else ""
        )
        return TokenRefused(
            f"the refresh token is refused ({status} from {self._url}); {self._refusal}.{hint}"
        )

    def _exchanged(self, answer: Mapping[str, object], sent: str, asked_at: float) -> Exchanged:
        value = str(answer["access_token"])
        lifetime = _lifetime(answer.get("expires_in")) or _jwt_lifetime(value) or UNKNOWN_LIFETIME_SECONDS
        self._rotates = self._rotates or answer.get("refresh_token") not in (None, "", sent)
        refresh_seconds = _refresh_seconds(answer.get("refresh_expires_in"))
        return Exchanged(value, asked_at, TokenFacts(lifetime, refresh_seconds, rotates=self._rotates))


def _token_answer(response: aiohttp.ClientResponse, body: bytes) -> Mapping[str, object]:
    try:
        answer = msgspec.json.decode(body)
    except UNDECODABLE:
        answer = None
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if isinstance(answer, dict) and isinstance(token, str) and BEARER.fullmatch(token):
        return answer
    raise Unavailable(
        f"{response.url.path} answered without an access token ({response.content_type}, "
        f"{len(body)} bytes); is the base URL right?"
    )


def _lifetime(seconds: object) -> float | None:
    """Read a number of seconds; some servers send it as text."""
    try:
        value = float(seconds) if isinstance(seconds, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return None
    return value if 0 < value < math.inf else None


def _refresh_seconds(seconds: object) -> float | None:
    """Read a number of seconds that may be 0."""
    return 0.0 if seconds in (0, "0") else _lifetime(seconds)


def _jwt_lifetime(token: str) -> float | None:
    """Read `exp - iat` of a JWT, in seconds."""
    said = claims(token)
    begins, ends = said.get("iat"), said.get("exp")
    if not isinstance(begins, int | float) or not isinstance(ends, int | float):
        return None
    return _lifetime(ends - begins)

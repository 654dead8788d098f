"""Access tokens of TargetData, made from the offline refresh token.

Source: the vendor's authentication page. `POST /auth/token` takes a url-encoded form with the one field
`refresh_token`; an access token lives `expires_in` seconds; several may be valid at the same time.
"""

import asyncio
import logging
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

import aiohttp
import msgspec

from resources.account.jwt import claims
from resources.errors import Attempt, ExtractionError, TokenRefused, Unavailable
from resources.graphql.counts import Counts
from resources.graphql.raw import UNDECODABLE
from resources.graphql.sending.circuit import Circuit
from resources.graphql.sending.gate import raise_for_headers, read_bounded
from resources.graphql.sending.retry import Retry, give_up
from resources.graphql.sending.settings import Settings
from resources.graphql.sending.tokens import Token
from resources.graphql.sending.transport import named, ssl_context, timeout

ADVISORY_SHARE, ADVISORY_SECONDS = 0.25, 300.0  # of the lifetime left: renew, but go on with the old one
MANDATORY_SHARE, MANDATORY_SECONDS = 0.10, 60.0  # of the lifetime left: wait for the new one
UNKNOWN_LIFETIME_SECONDS = 300.0
ADVISORY_PAUSE_SECONDS = 30.0  # after a renewal that failed while the old token was still good
BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750: what may stand in the header
REFUSALS = frozenset({400, 401, 403})
MAX_BYTES = 1024 * 1024

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What an answer of the server says of its tokens, in seconds, without them.

    `refresh_seconds`: how long the refresh token is good, 0 for ever, None if it does not say. `rotates`: an
    answer held another refresh token than was sent.
    """

    seconds: float
    refresh_seconds: float | None
    rotates: bool


class State(Enum):
    """What may be done with a token."""

    FRESH = auto()
    STALE = auto()
    INVALID = auto()


class AccessTokens:
    """Renews access tokens: one renewal in flight, whoever asks.

    `read_refresh_token` is called before each renewal; `login_url` is where a person gets a new one.
    `facts` are those of the last answer; that tokens rotate stays said once an answer has shown it.
    """

    def __init__(
        self,
        token_url: str,
        *,
        login_url: str,
        read_refresh_token: Callable[[], str],
        settings: Settings,
        retry: Retry,
        counts: Counts,
    ) -> None:
        self._url = token_url
        self._login_url = login_url
        self._read_refresh_token = read_refresh_token
        self._settings = settings
        self._retry = retry
        self._counts = counts
        self._token: Token | None = None
        self._generation = 0
        self._stale_at = self._invalid_at = 0.0
        self._renewal: asyncio.Task[None] | None = None
        self._circuit = Circuit(token_url)  # its own: what it counts says nothing of the API
        self.facts = TokenFacts(0.0, None, rotates=False)
        self._dead: dict[str, TokenRefused] = {}

    async def get(self) -> Token:
        """Give a token; wait for a renewal only when there is none that may still be used."""
        state = self._state()
        if state is not State.FRESH:
            renewal = self._renew_once()
            if state is State.INVALID:
                await asyncio.shield(renewal)
        if self._token is None:
            return await self.get()  # it was refused while others waited for it
        return self._token

    def invalidate(self, generation: int) -> None:
        """Drop the token of that generation; a newer one stays."""
        if self._token and self._token.generation == generation:
            self._token = None

    def refusal(self) -> str:
        """Say what a person should do."""
        return (
            f"make a new offline refresh token at {self._login_url} and put it in place of the old one "
            "(targetdata login)"
        )

    async def close(self) -> None:
        """End a renewal that is under way."""
        if self._renewal:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    def _state(self) -> State:
        now = time.monotonic()
        if self._token is None or now >= self._invalid_at:
            return State.INVALID
        return State.STALE if now >= self._stale_at else State.FRESH

    def _renew_once(self) -> asyncio.Task[None]:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew())
            self._renewal.add_done_callback(self._note_failure)
        return self._renewal

    def _note_failure(self, renewal: "asyncio.Task[None]") -> None:
        """Take note of a failure that nobody waited for: while the old token is good it is harmless."""
        if (
            not renewal.cancelled()
            and isinstance(error := renewal.exception(), ExtractionError)
            and self._token
        ):
            log.warning("an access token could not be renewed yet: %s", error)

    async def _renew(self) -> None:
        self._stale_at = time.monotonic() + ADVISORY_PAUSE_SECONDS  # if this fails, not again at once
        refresh_token = self._read_refresh_token()
        try:
            answer, asked_at = await self._exchange(refresh_token)
        except TokenRefused:
            again = self._read_refresh_token()  # a vault may have rotated the file
            if again == refresh_token:
                raise
            refresh_token = again
            answer, asked_at = await self._exchange(refresh_token)
        rotates = self.facts.rotates or answer.get("refresh_token") not in (None, "", refresh_token)
        self._keep(answer, asked_at, rotates=rotates)
        self._counts.renewals += 1

    async def _exchange(self, refresh_token: str) -> tuple[Mapping[str, object], float]:
        """Make an access token; give the answer and the monotonic time before the request.

        A refresh token that was refused is never sent again.
        """
        if refresh_token in self._dead:
            raise self._dead[refresh_token]

        async def attempt() -> tuple[Mapping[str, object], float]:
            asked_at = time.monotonic()
            return await self._circuit.send(lambda: self._post(refresh_token)), asked_at

        try:
            async with self._circuit.closed():
                return await self._retry.call(attempt)
        except TokenRefused as error:
            self._dead[refresh_token] = error
            raise
        except Attempt as error:
            give_up(error, host=self._url, refusal=self.refusal())

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
            if self.facts.rotates
            else ""
        )
        return TokenRefused(
            f"the refresh token is refused ({status} from {self._url}); {self.refusal()}.{hint}"
        )

    def _keep(self, answer: Mapping[str, object], asked_at: float, *, rotates: bool) -> None:
        value = str(answer["access_token"])
        lifetime = _lifetime(answer.get("expires_in")) or _jwt_lifetime(value) or UNKNOWN_LIFETIME_SECONDS
        self.facts = TokenFacts(lifetime, _refresh_seconds(answer.get("refresh_expires_in")), rotates=rotates)
        self._generation += 1
        self._token = Token(value, self._generation)
        self._stale_at = asked_at + lifetime - min(ADVISORY_SECONDS, ADVISORY_SHARE * lifetime)
        self._invalid_at = asked_at + lifetime - min(MANDATORY_SECONDS, MANDATORY_SHARE * lifetime)


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

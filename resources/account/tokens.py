"""Access tokens of TargetData: when they are renewed, and that it is once, whoever asks."""

import asyncio
import logging
import time
from collections.abc import Callable
from enum import Enum, auto

from resources.account.exchange import Exchange, Exchanged, TokenFacts
from resources.errors import ExtractionError, TokenRefused
from resources.graphql.counts import Counts
from resources.graphql.sending.retry import Retry
from resources.graphql.sending.settings import Settings
from resources.graphql.sending.tokens import Token

ADVISORY_SHARE, ADVISORY_SECONDS = 0.25, 300.0  # of the lifetime left: renew, but go on with the old one
MANDATORY_SHARE, MANDATORY_SECONDS = 0.10, 60.0  # of the lifetime left: wait for the new one
ADVISORY_PAUSE_SECONDS = 30.0  # after a renewal that failed while the old token was still good

log = logging.getLogger(__name__)


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
        self._login_url = login_url
        self._read_refresh_token = read_refresh_token
        self._exchange = Exchange(token_url, settings=settings, retry=retry, refusal=self.refusal())
        self._counts = counts
        self._token: Token | None = None
        self._generation = 0
        self._stale_at = self._invalid_at = 0.0
        self._renewal: asyncio.Task[None] | None = None
        self.facts = TokenFacts(0.0, None, rotates=False)

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
            made = await self._exchange.make(refresh_token)
        except TokenRefused:
            again = self._read_refresh_token()  # a vault may have rotated the file
            if again == refresh_token:
                raise
            made = await self._exchange.make(again)
        self._keep(made)
        self._counts.renewals += 1

    def _keep(self, made: Exchanged) -> None:
        self.facts, lifetime = made.facts, made.facts.seconds
        self._generation += 1
        self._token = Token(made.value, self._generation)
        self._stale_at = made.asked_at + lifetime - min(ADVISORY_SECONDS, ADVISORY_SHARE * lifetime)
        self._invalid_at = made.asked_at + lifetime - min(MANDATORY_SECONDS, MANDATORY_SHARE * lifetime)

"""The proof that a refresh token is good: an access token is made of it."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from anyio.from_thread import start_blocking_portal

from resources.account.exchange import TokenFacts
from resources.account.tokens import AccessTokens
from resources.errors import ServerUnavailable
from resources.graphql.counts import Counts
from resources.graphql.sending.retry import LATER_SECONDS, Policy, Retry
from resources.graphql.sending.settings import Settings

ATTEMPTS, SECONDS = 3, 60.0  # in all: a person waits for it

Tokens = Callable[[Settings, Retry, Counts], AccessTokens]


def prove(settings: Settings, tokens: Tokens) -> TokenFacts:
    """Make an access token and forget it; raises what a run would."""
    with start_blocking_portal("asyncio") as portal:  # if it is interrupted, it cancels what runs in it
        return portal.call(_prove, settings, tokens)


async def _prove(settings: Settings, tokens: Tokens) -> TokenFacts:
    counts = Counts()
    policy = Policy(min(ATTEMPTS, settings.max_attempts), settings.max_retry_seconds)
    source = tokens(settings, Retry(policy, counts), counts)
    try:
        async with asyncio.timeout(SECONDS):
            await source.get()
    except TimeoutError:
        raise ServerUnavailable(
            f"{urlsplit(settings.url).hostname} has not made an access token within {SECONDS:,.0f} s",
            after_seconds=LATER_SECONDS,
        ) from None
    finally:
        await source.close()
    return source.facts

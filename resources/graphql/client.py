"""The client: a plain iterator of pages before an event loop in a thread of its own."""

import asyncio
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from resources.errors import ConfigurationError, OverBudget, Unavailable
from resources.graphql.counts import Counts
from resources.graphql.page import Page
from resources.graphql.paging.batches import Batches
from resources.graphql.paging.chain import Chain
from resources.graphql.paging.identities import Identities
from resources.graphql.paging.keyed import KeyedPages
from resources.graphql.paging.keys import Asked, asked_keys
from resources.graphql.paging.lists import ListPages
from resources.graphql.paging.lookup import Key, Lookup
from resources.graphql.paging.resume import Resume, digest_of, left_to_ask
from resources.graphql.plan import Keyed, Listed, check_variables
from resources.graphql.query import Query
from resources.graphql.sending.batch_size import BatchSize
from resources.graphql.sending.retry import Policy, Retry
from resources.graphql.sending.sender import Sender
from resources.graphql.sending.settings import OVER_BUDGET, Settings
from resources.graphql.sending.throttle import Throttle
from resources.graphql.sending.tokens import TokenSource
from resources.graphql.sending.transport import PreparedRequest, Transport

T = TypeVar("T")
Tokens = Callable[[Settings, Retry, Counts], TokenSource]


class Client:
    """Extracts from one GraphQL endpoint, over one HTTP session; to be used from one thread.

    `tokens` is called in the event loop with the settings, the retry policy and the counts, so that the
    source of tokens keeps the same limits. Close it, or use it in a `with`.
    """

    def __init__(self, settings: Settings, tokens: Tokens | None = None) -> None:
        self.settings = settings
        self.counts = Counts()
        self._portal_context: AbstractContextManager[BlockingPortal] = start_blocking_portal("asyncio")
        self._portal = self._portal_context.__enter__()
        try:
            self._sender = self._portal.call(self._open, tokens)
        except BaseException:
            self._portal_context.__exit__(None, None, None)
            raise
        self._finalizer = weakref.finalize(self, _shut, self._portal, self._portal_context, self._sender)

    async def _open(self, tokens: Tokens | None) -> Sender:
        settings = self.settings
        retry = Retry(Policy(settings.max_attempts, settings.max_retry_seconds), self.counts)
        source = tokens(settings, retry, self.counts) if tokens else None
        throttle = Throttle(
            max_in_flight=settings.max_in_flight, requests_per_second=settings.requests_per_second
        )
        transport = Transport(settings, source, self.counts)
        await transport.open()
        return Sender(transport, retry, throttle, source)

    def __enter__(self) -> Self:
        """Give the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the session and end the thread; a second call does nothing."""
        self._finalizer()

    def pages(
        self,
        query: Query,
        *,
        keys: object = None,
        variables: Mapping[str, object] | None = None,
        resume: Resume | None = None,
    ) -> Iterator[Page]:
        """Iterate over pages of Arrow tables: of lookups of `keys`, or of a list.

        `keys` is a table or frame with the key columns, or a sequence for a single one; they are asked in
        sorted order, each once, without duplicates and nulls; `GroupedKeys` hold them by partition.
        `variables` are the document's other ones. With `resume` what an earlier extraction of the same has
        left is not asked again: keys that were answered, or a list along its cursor.
        """
        source = _Source(self._begun(query, keys, variables or {}, resume))
        earlier = self.counts.copy()
        try:
            while (page := self._call(source.next)) is not None:
                page.counts.add(self.counts.since(earlier))
                earlier = self.counts.copy()
                yield page
        finally:
            if self._finalizer.alive:
                self._call(source.close)

    def ask(self, document: str, variables: Mapping[str, object] | None = None) -> Mapping[str, object]:
        """Send one document as it is; give the decoded answer with its `data` and `errors`."""
        try:
            return self._call(self._sender.send, PreparedRequest(document, variables))
        except Unavailable as error:
            self._sender.give_up(error)

    def _call(self, function: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Wait for the event loop; if the waiting is interrupted (Ctrl-C), end what runs there too."""
        future = self._portal.start_task_soon(function, *arguments)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _begun(
        self, query: Query, keys: object, variables: Mapping[str, object], resume: Resume | None
    ) -> AsyncGenerator[Page]:
        """Check what is wanted, take what an earlier extraction has left, and give the pages of the rest."""
        check_variables(query.name, query.plan, variables)
        match query.plan:
            case Keyed() as plan:
                if keys is None:
                    raise ConfigurationError(f"{query.name} looks up by key: give it keys=")
                asked, identities, good = asked_keys(keys, plan), Identities(), None
                if resume:
                    resume.begin(digest_of(query, self.settings.url, variables, asked))
                    asked, identities, good = left_to_ask(asked, query, plan, resume)
                self._require_budget(query, asked)
                return self._lookups(query, plan, variables, asked, identities, good)
            case Listed() as plan:
                if keys is not None:
                    raise ConfigurationError(f"{query.name} reads a list: it takes no keys")
                if resume:
                    resume.begin(digest_of(query, self.settings.url, variables))
                size = self.settings.page_size
                return ListPages(query, plan, self._sender, variables, size, resume).pages()

    def _require_budget(self, query: Query, asked: Asked) -> None:
        """Refuse to begin where more keys are left to ask than the budget allows."""
        budget, lookups = self.settings.budget_lookups, asked.keys.num_rows
        if budget is not None and lookups > budget:
            raise OverBudget(
                f"{query.name} would look up {lookups:,} keys, {lookups - budget:,} more than the budget of "
                f"{budget:,} (BUDGET_LOOKUPS); nothing was asked. Ask for less at once, raise the budget, or "
                f'let this run pass it, in Dagster by the tag {OVER_BUDGET} = "true"'
            )

    def _lookups(
        self,
        query: Query,
        plan: Keyed,
        variables: Mapping[str, object],
        asked: Asked,
        identities: Identities,
        good: Key | None,
    ) -> AsyncGenerator[Page]:
        batch = BatchSize(self.settings.max_batch)
        lookup = Lookup(plan, self._sender, batch, variables, good=good)
        batches = Batches(Chain(plan, lookup) if plan.kinds else lookup, batch, self._sender.throttle)
        return KeyedPages(query, plan, batches, self.settings.digest_key, identities).pages(asked)


def _shut(portal: BlockingPortal, context: AbstractContextManager[BlockingPortal], sender: Sender) -> None:
    """Close the session, then the event loop: by hand, or when nobody holds the client any more."""
    try:
        portal.call(sender.close)
    finally:
        context.__exit__(None, None, None)


class _Source:
    """Pages in the event loop; closing waits until a step that was cancelled has ended."""

    def __init__(self, pages: AsyncGenerator[Page]) -> None:
        self._pages = pages
        self._step = asyncio.Lock()

    async def next(self) -> Page | None:
        async with self._step:
            return await anext(self._pages, None)

    async def close(self) -> None:
        async with self._step:
            await self._pages.aclose()

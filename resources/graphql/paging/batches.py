"""Batches of keys asked for, several at once; their outcomes in the order of the keys."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing

import pyarrow as pa

from resources.errors import ExtractionError
from resources.graphql.paging.chain import Chain
from resources.graphql.paging.lookup import Key, Lookup, Outcome
from resources.graphql.sending.batch_size import BatchSize
from resources.graphql.sending.throttle import Throttle

PAGE_KEYS = 500  # outcomes gathered before they are decoded together
PAGE_SECONDS = 5.0  # or what came in that time, so that a slow server shows progress
READY = 2  # batches that wait for a place while all are taken


class Batches:
    """Asks for sorted, distinct keys; at most a few batches beyond those in flight are held."""

    def __init__(self, lookup: Lookup | Chain, batch: BatchSize, throttle: Throttle) -> None:
        self._lookup = lookup
        self._batch = batch
        self._throttle = throttle

    async def stretches(self, keys: pa.Table) -> AsyncGenerator[list[Outcome]]:
        """Yield at least PAGE_KEYS outcomes, or what came in PAGE_SECONDS; the last time fewer.

        What came before a failure is given before it is raised; where there are no keys, a stretch of none.
        """
        gathered: list[Outcome] = []
        since, failure, is_first = time.monotonic(), None, True
        async with aclosing(self._each(keys)) as batches:
            ahead = asyncio.create_task(_next(batches))
            try:
                while True:
                    left = max(0.0, since + PAGE_SECONDS - time.monotonic())
                    came, _ = await asyncio.wait([ahead], timeout=left if gathered else None)
                    if came:
                        outcomes = ahead.result()
                        if outcomes is None:
                            break
                        gathered += outcomes
                        ahead = asyncio.create_task(_next(batches))
                    late = time.monotonic() - since >= PAGE_SECONDS
                    if len(gathered) >= PAGE_KEYS or (gathered and late):
                        yield gathered
                        gathered, since, is_first = [], time.monotonic(), False
            except ExtractionError as error:
                failure = error
            finally:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
        if gathered or (is_first and not failure):
            yield gathered
        if failure:
            raise failure

    async def _each(self, keys: pa.Table) -> AsyncGenerator[list[Outcome]]:
        """Keep requests in flight and yield their outcomes in order."""
        source = _Slices(keys)
        pending: deque[asyncio.Task[list[Outcome]]] = deque()
        try:
            while True:
                while self._room(pending) and (some := source.take(self._batch.size)):
                    pending.append(asyncio.create_task(self._lookup.ask(some)))
                if not pending:
                    return
                if pending[0].done():
                    yield pending.popleft().result()
                else:
                    waiting = [task for task in pending if not task.done()]
                    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    def _room(self, pending: Collection[asyncio.Task[list[Outcome]]]) -> bool:
        """Say whether to ask for more; a batch's size is fixed when it is asked for, so not too early."""
        under_way = sum(not task.done() for task in pending)
        return under_way < self._throttle.in_flight + READY and len(pending) < self._throttle.window


async def _next(batches: AsyncGenerator[list[Outcome]]) -> list[Outcome] | None:
    return await anext(batches, None)


class _Slices:
    """Takes keys off a table from its front, a batch at a time."""

    def __init__(self, keys: pa.Table) -> None:
        self._keys = keys
        self._next = 0

    def take(self, size: int) -> list[Key]:
        part = self._keys.slice(self._next, size)
        self._next += part.num_rows
        return list(zip(*(column.to_pylist() for column in part.columns), strict=True))

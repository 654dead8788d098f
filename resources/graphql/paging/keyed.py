"""Pages of lookups by key, in the sorted order of the keys."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from hashlib import blake2b
from typing import TypedDict

import pyarrow as pa

from resources.errors import ExtractionError, ValueMisfit
from resources.graphql import arrow
from resources.graphql.page import Page
from resources.graphql.paging.chain import Chain
from resources.graphql.paging.keys import Asked
from resources.graphql.paging.lookup import Key, Lookup, Outcome
from resources.graphql.paging.rows import Identities, stamped
from resources.graphql.plan import Keyed
from resources.graphql.query import Query
from resources.graphql.tables import LOOKUPS
from resources.graphql.throttle import Batch, Throttle

PAGE_KEYS = 500  # outcomes gathered before they are decoded together
PAGE_SECONDS = 5.0  # or what came in that time, so that a slow server shows progress
READY = 2  # batches that wait for a place while all are taken
DIGEST_BYTES = 8


class KeyedPages:
    """Asks for sorted, distinct keys; at most a few batches beyond those in flight are held."""

    def __init__(
        self,
        query: Query,
        plan: Keyed,
        lookup: Lookup | Chain,
        batch: Batch,
        throttle: Throttle,
        digest_key: bytes,
        identities: Identities,
    ) -> None:
        self._query = query
        self._plan = plan
        self._lookup = lookup
        self._batch = batch
        self._throttle = throttle
        self._digest_key = digest_key
        self._identities = identities

    async def pages(self, asked: Asked) -> AsyncGenerator[Page]:
        """Yield pages of at least PAGE_KEYS keys, or of what came in PAGE_SECONDS; the last one of fewer.

        Where there are groups, such a stretch of keys gives a page for each group that has some of them. What
        came before a failure is given before it is raised.
        """
        done = 0
        async with aclosing(self._stretches(asked.keys)) as stretches:
            async for outcomes in stretches:
                for page in await asyncio.to_thread(self._pages, outcomes, asked, done):
                    yield page
                done += len(outcomes)

    async def _stretches(self, keys: pa.Table) -> AsyncGenerator[list[Outcome]]:
        """Gather the outcomes of batches; where there are no keys, give the one stretch of none."""
        gathered: list[Outcome] = []
        since, failure, is_first = time.monotonic(), None, True
        async with aclosing(self._batches(keys)) as batches:
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

    async def _batches(self, keys: pa.Table) -> AsyncGenerator[list[Outcome]]:
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

    def _pages(self, outcomes: list[Outcome], asked: Asked, start: int) -> list[Page]:
        """Decode a stretch of the keys once, and share it out among the groups."""
        members = asked.members_of(start, len(outcomes))
        rows_of = [self._rows_of(group, outcomes, members[group]) for group in range(len(members))]
        wanted = sorted({index for indices in rows_of for index in indices})
        rows = self._rows([outcomes[index] for index in wanted])
        lookups = self._lookups(outcomes)
        place = {index: row for row, index in enumerate(wanted)}
        shown = [group for group, indices in enumerate(members) if indices or not start]
        pages = [
            Page(
                tables={
                    self._query.name: _taken(rows, [place[index] for index in rows_of[group]]),
                    self._query.name + LOOKUPS: _taken(lookups, indices),
                },
                **_figures([outcomes[index] for index in indices]),
                total=asked.sizes[group],
                group=asked.groups[group],
                is_last_of_keys=group == shown[-1],
            )
            for group, indices in ((group, members[group]) for group in shown)
        ]
        pages[0].counts.lookups = len(outcomes)
        return pages

    def _rows_of(self, group: int, outcomes: list[Outcome], indices: Sequence[int]) -> list[int]:
        """Choose what makes a row in a group: one per identity, that of its first key, or one per key."""
        found = [index for index in indices if outcomes[index].row is not None]
        if not self._query.identity:
            return found
        return [i for i in found if self._identities.is_new(self._identity(outcomes[i]), group)]

    def _rows(self, found: list[Outcome]) -> pa.Table:
        schema = self._query.tables[self._query.name]
        try:
            table = arrow.table([o.row or {} for o in found], self._query.columns)
        except arrow.Misfit as misfit:
            key = found[misfit.row].key
            raise ValueMisfit(
                f"{self._query.name}: column {misfit.path}: {misfit.reason} (key digest {self.digest(key)})"
            ) from misfit
        if not self._query.identity:
            for position, column in enumerate(self._key_columns(found)):
                table = table.add_column(position, self._plan.key_fields[position], column)
        return stamped(table, [o.fetched_at for o in found], schema)

    def _lookups(self, outcomes: list[Outcome]) -> pa.Table:
        schema = self._query.tables[self._query.name + LOOKUPS]
        errors = [o.error for o in outcomes]
        answered_by = [pa.array([o.answered_by for o in outcomes], pa.string())] if self._plan.kinds else []
        columns = [
            *self._key_columns(outcomes),
            pa.array([o.status for o in outcomes], pa.string()),
            pa.array([self._identity(o) for o in outcomes], pa.string()),
            *answered_by,
            pa.array([e.code if e else None for e in errors], pa.string()),
            pa.array([_message(o) for o in outcomes], pa.string()),
            pa.array([o.attempts for o in outcomes], pa.int64()),
            pa.array([o.fetched_at for o in outcomes], schema.field("fetched_at").type),
        ]
        return pa.Table.from_arrays(columns, schema=schema)

    def _identity(self, outcome: Outcome) -> str | None:
        if outcome.row is None or not self._query.identity:
            return None
        value = outcome.row.get(self._query.identity)
        return None if value is None else str(value)

    def _key_columns(self, outcomes: list[Outcome]) -> list[pa.Array]:
        fields = self._plan.key_fields
        return [pa.array([o.key[i] for o in outcomes], field.type) for i, field in enumerate(fields)]

    def digest(self, key: Key) -> str:
        """Name a key without showing it."""
        text = "\x1f".join(str(part) for part in key)
        return blake2b(text.encode(), key=self._digest_key, digest_size=DIGEST_BYTES).hexdigest()


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


class Figures(TypedDict):
    """What a page counts of its keys."""

    asked: int
    found: int
    not_found: int
    failures: Counter[str]


def _figures(outcomes: list[Outcome]) -> Figures:
    found = sum(outcome.row is not None for outcome in outcomes)
    failures = Counter(o.error.plain_code for o in outcomes if o.error)
    not_found = len(outcomes) - found - failures.total()
    return Figures(asked=len(outcomes), found=found, not_found=not_found, failures=failures)


def _taken(table: pa.Table, indices: Sequence[int]) -> pa.Table:
    """Take some rows in their order; all of them are the table itself."""
    return table if len(indices) == table.num_rows else table.take(pa.array(indices, pa.int64()))


def _message(outcome: Outcome) -> str | None:
    if outcome.error is None:
        return None
    path = ".".join(str(step) for step in outcome.error.path[1:])
    return f"{path}: {outcome.error.message}" if path else outcome.error.message

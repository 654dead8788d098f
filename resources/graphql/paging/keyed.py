"""Pages of lookups by key, in the sorted order of the keys."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from contextlib import aclosing
from hashlib import blake2b

import pyarrow as pa
import pyarrow.compute as pc

from resources.errors import ConfigurationError, ValueMisfit
from resources.graphql import arrow
from resources.graphql.page import Page
from resources.graphql.paging.lookup import Key, Lookup, Outcome
from resources.graphql.paging.rows import Identities, stamped
from resources.graphql.plan import Keyed
from resources.graphql.query import LOOKUPS, Query
from resources.graphql.throttle import Batch, Throttle

PAGE_KEYS = 500  # outcomes gathered before they are decoded together
PAGE_SECONDS = 5.0  # or what came in that time, so that a slow server shows progress
READY = 2  # batches that wait for a place while all are taken
DIGEST_BYTES = 8


class KeyedPages:
    """Asks for sorted, distinct keys; at most a few batches beyond those in flight are held."""

    def __init__(
        self, query: Query, plan: Keyed, lookup: Lookup, batch: Batch, throttle: Throttle, digest_key: bytes
    ) -> None:
        self._query = query
        self._plan = plan
        self._lookup = lookup
        self._batch = batch
        self._throttle = throttle
        self._digest_key = digest_key
        self._identities = Identities()

    async def pages(self, keys: pa.Table) -> AsyncGenerator[Page]:
        """Yield pages of at least PAGE_KEYS keys, or of what came in PAGE_SECONDS; the last one of fewer."""
        gathered: list[Outcome] = []
        since = time.monotonic()
        async with aclosing(self._batches(keys)) as batches:
            async for outcomes in batches:
                gathered += outcomes
                if len(gathered) >= PAGE_KEYS or time.monotonic() - since >= PAGE_SECONDS:
                    yield await asyncio.to_thread(self._page, gathered, keys.num_rows)
                    gathered, since = [], time.monotonic()
        if gathered or not keys.num_rows:
            yield await asyncio.to_thread(self._page, gathered, keys.num_rows)

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

    def _page(self, outcomes: list[Outcome], total: int) -> Page:
        found = [o for o in outcomes if o.row is not None]
        failures = Counter(o.error.plain_code for o in outcomes if o.error)
        return Page(
            tables={
                self._query.name: self._rows(found),
                self._query.name + LOOKUPS: self._lookups(outcomes),
            },
            asked=len(outcomes),
            found=len(found),
            failures=failures,
            not_found=len(outcomes) - len(found) - failures.total(),
            total=total,
        )

    def _rows(self, found: list[Outcome]) -> pa.Table:
        """Decode rows: one per identity, that of its first key, or one per key."""
        schema = self._query.tables[self._query.name]
        if self._query.identity:
            found = [o for o in found if self._identities.is_new(self._identity(o))]
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
        columns = [
            *self._key_columns(outcomes),
            pa.array([o.status for o in outcomes], pa.string()),
            pa.array([self._identity(o) for o in outcomes], pa.string()),
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


class _Slices:
    """Takes keys off a table from its front, a batch at a time."""

    def __init__(self, keys: pa.Table) -> None:
        self._keys = keys
        self._next = 0

    def take(self, size: int) -> list[Key]:
        part = self._keys.slice(self._next, size)
        self._next += part.num_rows
        return list(zip(*(column.to_pylist() for column in part.columns), strict=True))


def _message(outcome: Outcome) -> str | None:
    if outcome.error is None:
        return None
    path = ".".join(str(step) for step in outcome.error.path[1:])
    return f"{path}: {outcome.error.message}" if path else outcome.error.message


def sorted_keys(keys: object, plan: Keyed) -> pa.Table:
    """Make a table of the plan's key columns: distinct, sorted, without nulls.

    Takes a table or frame with columns of these names, or, for a single key column, any sequence.
    """
    names = [field.name for field in plan.key_fields]
    table = _as_table(keys, names)
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise ConfigurationError(
            f"the keys have no column {', '.join(missing)}; there are: {', '.join(table.column_names)}"
        )
    try:
        table = table.select(names).cast(pa.schema(plan.key_fields))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # their message holds a key
        raise ConfigurationError(f"the keys do not fit the query's variables {', '.join(names)}") from None
    if len(names) == 1 and _ascending(table[names[0]]):
        return table  # as the keys of a partition are: no copy of millions of keys
    for name in names:
        table = table.filter(pc.is_valid(table[name]))
    return table.group_by(names).aggregate([]).sort_by([(name, "ascending") for name in names])


def _ascending(column: pa.ChunkedArray) -> bool:
    """Say whether values are sorted, distinct and not null."""
    if column.null_count:
        return False
    return bool(pc.all(pc.less(column[:-1], column[1:]), min_count=0).as_py())


def _as_table(keys: object, names: list[str]) -> pa.Table:
    match keys:
        case pa.Table():
            return keys
        case pa.Array() | pa.ChunkedArray():
            return pa.table({names[0]: keys})
        case _ if hasattr(keys, "__dataframe__") or hasattr(keys, "__arrow_c_stream__"):
            return pa.table(keys) if hasattr(keys, "__arrow_c_stream__") else pa.Table.from_pandas(keys)
        case Mapping():
            return pa.table(dict(keys))
        case Iterator() | list() | tuple() | set():
            values = list(keys)
            return pa.table({names[0]: pa.array(values)}) if len(names) == 1 else pa.Table.from_pylist(values)
    raise ConfigurationError(f"keys are a table, a frame or a list, not {type(keys).__name__}")

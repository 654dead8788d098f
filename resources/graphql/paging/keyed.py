"""Pages of lookups by key, in the sorted order of the keys."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from hashlib import blake2b
from itertools import compress
from typing import TypedDict

import pyarrow as pa

from resources.errors import ValueMisfit
from resources.graphql.decoding.arrow import Misfit
from resources.graphql.decoding.decoder import Decoder
from resources.graphql.page import Page
from resources.graphql.paging.batches import Batches
from resources.graphql.paging.identities import Identities, in_group
from resources.graphql.paging.keys import Asked
from resources.graphql.paging.lookup import Key, Outcome
from resources.graphql.paging.rows import stamped
from resources.graphql.plan import Keyed
from resources.graphql.query import Query
from resources.graphql.tables import FETCHED_AT, LOOKUPS

DIGEST_BYTES = 8


class KeyedPages:
    """Makes pages of the outcomes of keys, each decoded once."""

    def __init__(
        self,
        query: Query,
        plan: Keyed,
        batches: Batches,
        digest_key: bytes,
        identities: Identities,
    ) -> None:
        self._query = query
        self._plan = plan
        self._batches = batches
        self._digest_key = digest_key
        self._identities = identities
        self._decoder = Decoder(query.columns)

    async def pages(self, asked: Asked) -> AsyncGenerator[Page]:
        """Yield a page for each stretch of keys; where there are groups, for each that has some of them."""
        done = 0
        async with aclosing(self._batches.stretches(asked.keys)) as stretches:
            async for outcomes in stretches:
                for page in await asyncio.to_thread(self._pages, outcomes, asked, done):
                    yield page
                done += len(outcomes)

    def _pages(self, outcomes: list[Outcome], asked: Asked, start: int) -> list[Page]:
        """Decode a stretch of the keys once, and share it out among the groups."""
        members = asked.members_of(start, len(outcomes))
        identities = [self._identity(outcome) for outcome in outcomes]
        found = [outcome.row is not None for outcome in outcomes]
        rows_of = self._rows_of([[i for i in indices if found[i]] for indices in members], identities)
        wanted = sorted({index for indices in rows_of for index in indices})
        rows = self._rows([outcomes[index] for index in wanted])
        lookups = self._lookups(outcomes, identities)
        place = {index: row for row, index in enumerate(wanted)}
        shown = [group for group, indices in enumerate(members) if indices or not start]
        pages = [
            Page(
                tables={
                    **self._query.exploded(_taken(rows, [place[index] for index in rows_of[group]])),
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

    def _rows_of(self, found: list[list[int]], identities: Sequence[str | None]) -> list[list[int]]:
        """Choose what makes a row in each group: one per identity, that of its first key, or one per key."""
        if not self._query.identity:
            return found
        fresh = iter(
            self._identities.fresh(
                in_group(identities[index], group) for group, indices in enumerate(found) for index in indices
            )
        )
        return [list(compress(indices, fresh)) for indices in found]

    def _rows(self, found: list[Outcome]) -> pa.Table:
        schema = self._query.rows
        try:
            table = self._decoder.table([o.row or {} for o in found])
        except Misfit as misfit:
            key = found[misfit.row].key
            raise ValueMisfit(
                f"{self._query.name}: column {misfit.path}: {misfit.reason} (key digest {self.digest(key)})"
            ) from misfit
        if not self._query.identity:
            for position, column in enumerate(self._key_columns(found)):
                table = table.add_column(position, self._plan.key_fields[position], column)
        return stamped(table, [o.fetched_at for o in found], schema)

    def _lookups(self, outcomes: list[Outcome], identities: list[str | None]) -> pa.Table:
        schema = self._query.tables[self._query.name + LOOKUPS]
        errors = [o.error for o in outcomes]
        answered_by = [pa.array([o.answered_by for o in outcomes], pa.string())] if self._plan.kinds else []
        columns = [
            *self._key_columns(outcomes),
            pa.array([o.status for o in outcomes], pa.string()),
            pa.array(identities, pa.string()),
            *answered_by,
            pa.array([e.code if e else None for e in errors], pa.string()),
            pa.array([_message(o) for o in outcomes], pa.string()),
            pa.array([o.attempts for o in outcomes], pa.int64()),
            pa.array([o.fetched_at for o in outcomes], FETCHED_AT.type),
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

"""Going on where an earlier extraction of the same was ended: what is staged is not asked again."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, Self

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from resources.graphql.columns import column_name
from resources.graphql.decoding.values import ENCODER
from resources.graphql.paging.identities import Identities, in_group
from resources.graphql.paging.keys import Asked
from resources.graphql.plan import Keyed, Listed
from resources.graphql.query import Query
from resources.graphql.tables import ANSWERED_BY, LOOKUPS
from resources.graphql.texts import joined

if TYPE_CHECKING:  # brings the network's libraries
    from resources.graphql.paging.lookup import Key


class Resume(Protocol):
    """What is kept of an extraction while it runs, for one that goes on with it."""

    def begin(self, digest: str) -> None:
        """Find what an extraction with the same digest has left; called before anything is asked."""

    def staged(self, table: str) -> Iterator[tuple[str, pa.Table]]:
        """Give the rows that it has left, by group of keys; without groups it is the empty text."""

    @property
    def reached(self) -> bytes | None:
        """Give what the last page that it has left said of how to go on."""

    def restart(self) -> None:
        """Forget what it has left."""


class Reached(msgspec.Struct, kw_only=True):
    """How far a list was read along its cursor, and what had been counted."""

    cursor: object
    ended: bool
    received: int
    said: list[int]
    again: int
    repeated: int
    dropped: int
    nulled: int

    @classmethod
    def of(cls, text: bytes) -> Self:
        """Read what `bytes` has written; numbers keep their digits."""
        return msgspec.json.Decoder(cls, float_hook=Decimal).decode(text)

    def __bytes__(self) -> bytes:
        """Write it as JSON."""
        return ENCODER.encode(self)


def digest_of(query: Query, url: str, variables: Mapping[str, object], asked: Asked | None = None) -> str:
    """Name an extraction by all that its rows depend on: API, query, columns, variables and keys."""
    plan = query.plan
    how = (plan.strategy, plan.errors, plan.null_rows) if isinstance(plan, Listed) else plan.kinds
    named = sorted(variables.items())
    said = [url, query.name, query.hash, query.identity, how, named, asked.digest if asked else None]
    return hashlib.sha256(ENCODER.encode(said)).hexdigest()[:32]


def left_to_ask(
    asked: Asked, query: Query, plan: Keyed, resume: Resume
) -> "tuple[Asked, Identities, Key | None]":
    """Leave out the keys that are staged; give the identities found for them, and a key that was answered."""
    identities, names = Identities(), plan.key_names
    good: Key | None = None
    places = {group or "": place for place, group in enumerate(asked.groups)}
    answered: list[pa.ChunkedArray] = []
    for group, lookups in resume.staged(query.name + LOOKUPS):
        answered.append(joined(lookups.select(names)))
        good = good or answered_key(plan, lookups)
        found = lookups["identity"].drop_null().to_pylist()
        identities.fresh(in_group(identity, places[group]) for identity in found)
    if not answered:
        return asked, identities, None
    done = pa.chunked_array([chunk for column in answered for chunk in column.chunks], pa.string())
    left = pc.invert(pc.is_in(joined(asked.keys), value_set=done.unique()))
    members = None if asked.members is None else asked.members.filter(left)
    return replace(asked, keys=asked.keys.filter(left), members=members), identities, good


def answered_key(plan: Keyed, lookups: pa.Table) -> "Key | None":
    """Give a key that the server has answered, as it was asked; of several kinds, the one that was found."""
    if not plan.kinds:
        row = next(iter(lookups.slice(0, 1).to_pylist()), None)
        return None if row is None else tuple(row[name] for name in plan.key_names)
    found = lookups.filter(lookups[ANSWERED_BY].is_valid()).slice(0, 1).to_pylist()
    return next(((row[ANSWERED_BY], row[column_name(row[ANSWERED_BY])]) for row in found), None)

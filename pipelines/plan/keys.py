"""Where the keys of an extract's partitions come from, and what they are now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import dagster as dg
import pyarrow as pa

from pipelines.connections import key_source
from pipelines.feed_keys import source_name
from pipelines.plan.chosen import ChosenKeys
from pipelines.plan.extracts import FEED_KEYS, Extract, PlannedPartition
from pipelines.privacy import suppression_of
from resources.errors import ConfigurationError, FeedError, FeedMissing, LakeError, PartitionMissing
from resources.feed import KeySource
from resources.graphql.paging.keys import sorted_keys
from resources.graphql.plan import Keyed
from resources.graphql.tables import LOOKUPS
from resources.lake import Lake
from resources.privacy.keys import without_suppressed


class Origin(StrEnum):
    """Where a partition's keys were read."""

    LAKE = "lake"
    FEED = "feed"
    CHOSEN = "chosen"  # by the asset's own code


@dataclass(frozen=True, slots=True)
class FoundKeys:
    """A partition's keys, distinct and sorted; without them `why` they are unknown."""

    partition: PlannedPartition
    keys: pa.Table | None = field(default=None, repr=False)
    origin: Origin | None = None
    why: str = ""


class KeyPlan(Protocol):
    """Says what keys partitions have."""

    @property
    def says(self) -> str:
        """Say where they come from."""

    def of(self, partitions: Sequence[PlannedPartition]) -> Iterator[FoundKeys]:
        """Give the keys of each partition, one after another."""


@dataclass(frozen=True, slots=True)
class OfTable:
    """The keys are those of a table of the lake; of the feed where a partition of it is not yet there."""

    extract: Extract
    plan: Keyed
    lake: Lake
    table: str
    feed: KeySource | None

    @property
    def says(self) -> str:
        """Say where they come from."""
        return self.table

    def of(self, partitions: Sequence[PlannedPartition]) -> Iterator[FoundKeys]:
        """Read them."""
        for partition in partitions:
            try:
                yield self._found(partition)
            except (LakeError, FeedError, FeedMissing) as error:
                yield FoundKeys(partition, why=str(error))

    def _found(self, partition: PlannedPartition) -> FoundKeys:
        try:
            keys = _asked(self.lake.read(self.table, partition.folder), self.plan, self.lake)
        except PartitionMissing:
            if self.feed is None or partition.window is None:
                raise
            start, end = partition.window
            keys = _asked(self.feed.read(start=start, end=end).keys, self.plan, self.lake)
            return FoundKeys(partition, keys, Origin.FEED)
        return FoundKeys(partition, keys, Origin.LAKE)


@dataclass(frozen=True, slots=True)
class OfAsset:
    """The keys are those that the asset's own code chooses."""

    plan: Keyed
    lake: Lake
    chosen: ChosenKeys

    @property
    def says(self) -> str:
        """Say where they come from."""
        return "as the extract chooses them now"

    def of(self, partitions: Sequence[PlannedPartition]) -> Iterator[FoundKeys]:
        """Let it choose for all partitions together: what one asks another need not."""
        found = self.chosen.choose(self.lake, {p.key or "": p for p in partitions})
        for partition in partitions:
            keys = _asked(found[partition.key or ""], self.plan, self.lake)
            yield FoundKeys(partition, keys, Origin.CHOSEN)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody says which keys are asked, and `says` what to do about it."""

    says: str

    def of(self, partitions: Sequence[PlannedPartition]) -> Iterator[FoundKeys]:
        """Know of none."""
        return (FoundKeys(partition, why=self.says) for partition in partitions)


def _asked(keys: pa.Table, plan: Keyed, lake: Lake) -> pa.Table:
    """Make keys distinct and sorted, without those of people who were erased."""
    return without_suppressed(suppression_of(lake.root), sorted_keys(keys, plan), plan)


def key_plan(extract: Extract, plan: Keyed, lake: Lake) -> KeyPlan:
    """Find where the keys come from: what the module says, else the one table before it that has them.

    That an extract asks all keys of that table is what its last run must have done too.
    """
    if extract.chosen:
        return OfAsset(plan, lake, extract.chosen)
    names = set(plan.key_names)
    tables = [table for table in extract.upstream if names <= _columns(extract, table, lake)]
    how = f"say it in the module of {extract.name} with ChosenKeys: see docs/plan.md"
    if len(tables) != 1:
        where = f"several assets before it have {_listed(names)}" if tables else _none(extract, names)
        return Unknown(f"{where}; {how}")
    found = OfTable(extract, plan, lake, tables[0], _feed(extract, tables[0]))
    differs = _differs(found)
    return Unknown(f"{differs}; {how}") if differs else found


def _none(extract: Extract, names: set[str]) -> str:
    if not extract.upstream:
        return "no asset gives it its keys"
    return f"no asset before it has {_listed(names)} in the same partitions, or none of them is published"


def _listed(names: set[str]) -> str:
    return f"the column{'s' if len(names) > 1 else ''} {', '.join(sorted(names))}"


def _columns(extract: Extract, table: str, lake: Lake) -> set[str]:
    """Give the columns of a table with the same partitions, as it was published or as the feed has them."""
    if extract.upstream[table].partitions_def != extract.partitions:
        return set()
    published = lake.manifests(table)
    if published:
        return set(published[-1].columns)
    feed = _feed(extract, table)
    return set(feed.schema.names) if feed else set()


def _feed(extract: Extract, table: str) -> KeySource | None:
    """Give what the table of keys is read from, where it has all keys of that."""
    source = extract.resources.get(source_name(table))
    if not isinstance(source, KeySource):
        return key_source() if table == FEED_KEYS else None
    try:
        opened: KeySource = source.process_config_and_initialize()
    except dg.DagsterInvalidConfigError as error:
        variable = f"set the environment variable that {table} names"
        raise ConfigurationError(f"what {table} reads cannot be opened: {variable}") from error
    return opened


def _differs(of_table: OfTable) -> str:
    """Say where the newest partition that was asked had other keys than the table has for it."""
    lake, name, table = of_table.lake, of_table.extract.name, of_table.table
    before = {found.partition: found for found in lake.manifests(table)}
    for asked in reversed(lake.manifests(name + LOOKUPS)):
        keys = before.get(asked.partition)
        if keys is None or keys.observed_at > asked.observed_at:
            continue
        rows = sorted_keys(lake.read(table, asked.partition), of_table.plan).num_rows
        if rows == asked.rows or (rows > asked.rows and len(suppression_of(lake.root))):
            return ""  # who is suppressed has no lookup
        where = asked.partition or "the last run"
        return f"{name} has asked {asked.rows:,} keys in {where}, where {table} has {rows:,}"
    return ""

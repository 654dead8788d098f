"""The extracts of the code location: their queries, their APIs, and the partitions that are asked for."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from pipelines.api import Api
from pipelines.environment import environment
from pipelines.plan.chosen import ChosenKeys
from resources.errors import ConfigurationError
from resources.graphql.query import Query
from resources.lake.place import folder_of, table_of, window_of

FEED_KEYS = "profile_keys"  # the asset that has the keys of the feed, all of them


@dataclass(frozen=True, slots=True)
class Extract:
    """An extract of the code location; `upstream` are the assets before it, by their tables.

    `resources` are those of the code location, as they are configured.
    """

    name: str
    key: dg.AssetKey
    asset: dg.AssetsDefinition
    api: Api
    upstream: Mapping[str, dg.AssetsDefinition]
    resources: Mapping[str, object]

    @property
    def partitions(self) -> dg.PartitionsDefinition | None:
        """How it is partitioned."""
        return self.asset.partitions_def

    @property
    def pool(self) -> str | None:
        """The pool that its runs share."""
        pool: str | None = getattr(self.asset.node_def, "pool", None)
        return pool

    @property
    def partitions_per_run(self) -> int | None:
        """So many partitions a backfill puts into one run; None for all of them."""
        policy = self.asset.backfill_policy
        return policy.max_partitions_per_run if policy else 1

    @property
    def query(self) -> Query:
        """Its query, which has its name."""
        return query_of(self.asset, self.name)

    @property
    def chosen(self) -> ChosenKeys | None:
        """What its module says of the keys that it chooses by itself."""
        found = [value for value in _known_to(self.asset) if isinstance(value, ChosenKeys)]
        return next((keys for keys in found if keys.query.name == self.name), None)


def query_of(asset: dg.AssetsDefinition, name: str) -> Query:
    """Find the query of an extract's asset by its name: in its module, or in the function that made it."""
    for value in _known_to(asset):
        if isinstance(value, Query) and value.name == name:
            return value
    raise ConfigurationError(
        f"what {name} asks is not known: there is no query of this name in its module. Load it at "
        f"the module's top, as in {name.upper()} = Query.load(..., name={name!r})"
    )


def _known_to(asset: dg.AssetsDefinition) -> Iterator[object]:
    """Give what an asset's function sees: the variables of its module, and of a function around it."""
    function = getattr(getattr(asset.node_def, "compute_fn", None), "decorated_fn", None)
    if inspect.isfunction(function):
        yield from inspect.getclosurevars(function).nonlocals.values()
        yield from function.__globals__.values()


@dataclass(frozen=True, slots=True)
class PlannedPartition:
    """A partition that a backfill would make; `key` is None for an asset without partitions."""

    key: str | None
    folder: str = ""
    window: tuple[datetime, datetime] | None = None

    @property
    def end(self) -> datetime:
        """The end of its time window; now, where it has none."""
        return self.window[1] if self.window else datetime.now(UTC)


def find_extract(definitions: dg.Definitions, name: str) -> Extract:
    """Find an extract by its name, which is its table's."""
    prefix = environment().key_prefix
    graph = definitions.resolve_asset_graph()
    nodes = {table_of(key, prefix): graph.get(key) for key in graph.materializable_asset_keys}
    needed = {table: node.assets_def.required_resource_keys for table, node in nodes.items()}
    apis = {table: api for table, keys in needed.items() for api in Api if api in keys}
    if name not in apis:
        there = "it asks no API, so it costs no requests" if name in nodes else "there is no such extract"
        raise ConfigurationError(f"{name}: {there}; the extracts are {', '.join(sorted(apis))}")
    node = nodes[name]
    upstream = {table: other.assets_def for table, other in nodes.items() if other.key in node.parent_keys}
    return Extract(name, node.key, node.assets_def, apis[name], upstream, definitions.resources or {})


def planned_partitions(
    extract: Extract, first: str | None, last: str | None, instance: dg.DagsterInstance
) -> list[PlannedPartition]:
    """Give the partitions from one key to another, both included, in order.

    Without both it is the newest, without the last up to the newest, without the first from the oldest.
    """
    partitions = extract.partitions
    if partitions is None:
        if first or last:
            raise ConfigurationError(f"{extract.name} has no partitions: leave --from and --to out")
        return [PlannedPartition(None)]
    keys = partitions.get_partition_keys(dynamic_partitions_store=instance)
    if not keys:
        raise ConfigurationError(f"{extract.name} has no partition yet; does it start later than now?")
    chosen = _between(extract.name, keys, first or (keys[0] if last else keys[-1]), last or keys[-1])
    return [_planned(key, partitions) for key in chosen]


def _between(name: str, keys: Sequence[str], first: str, last: str) -> Sequence[str]:
    for option, key in (("--from", first), ("--to", last)):
        if key not in keys:
            raise ConfigurationError(
                f"{option} {key} is no partition of {name}: they go from {keys[0]} to {keys[-1]}"
            )
    if keys.index(first) > keys.index(last):
        raise ConfigurationError(f"--from {first} is later than --to {last}")
    return keys[keys.index(first) : keys.index(last) + 1]


def _planned(key: str, partitions: dg.PartitionsDefinition) -> PlannedPartition:
    window = window_of(key, partitions)
    return PlannedPartition(key, folder_of(key, window), window)

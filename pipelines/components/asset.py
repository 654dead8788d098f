"""An extract's asset, made of its query and of where its keys are, for who writes no body of their own."""

from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

import dagster as dg

from pipelines.api import APIS, Api
from pipelines.defs.daily import BACKFILL, DAILY, POOL
from pipelines.extraction import Extraction
from pipelines.lineage import extract_metadata
from pipelines.plan.chosen import ChosenKeys
from resources.errors import ConfigurationError
from resources.graphql.page import MaxFailed
from resources.graphql.plan import Keyed
from resources.graphql.query import Query
from resources.graphql_resource import ApiResource
from resources.lake import Lake
from resources.privacy import Privacy
from resources.schema_changes import SchemaChanges

POOLS = {Api.TARGETDATA: POOL, Api.GRAPHQL: "graphql"}


class Presented(TypedDict, total=False):
    """How Dagster presents an asset; `group_name` is by default its API."""

    description: str | None
    owners: Sequence[str] | None
    group_name: str
    tags: Mapping[str, str] | None
    metadata: Mapping[str, object]


class Policies(TypedDict, total=False):
    """What an extraction lets pass; by default what the settings of its API say, and no rule of privacy."""

    max_failed: MaxFailed
    schema_changes: SchemaChanges
    privacy: Privacy


def extract_asset(
    query: Query,
    *,
    api: Api = Api.TARGETDATA,
    keys: str | ChosenKeys | None = None,
    daily: bool,
    policies: Policies | None = None,
    **presented: Unpack[Presented],
) -> dg.AssetsDefinition:
    """Define the asset of an extract: its pages come in, its partitions are published.

    `keys` names the asset whose table has the keys of the same partitions, or chooses them.
    """
    require_keys(query, keys)
    policies = {**_of_settings(query, api), **(policies or {})}
    table, chosen = (keys, None) if isinstance(keys, str) else (None, keys)

    @dg.asset(
        name=query.name,
        deps=[*([table] if table else []), APIS[api]],
        partitions_def=DAILY if daily else None,
        backfill_policy=BACKFILL if daily else None,
        pool=POOLS[api],
        code_version=policies["privacy"].hash,
        kinds={"graphql", "parquet"},
        required_resource_keys={str(api), "lake"},
        group_name=presented.get("group_name", str(api)),
        metadata={**extract_metadata(query, api=api, keys=table), **presented.get("metadata", {})},
        description=presented.get("description"),
        owners=presented.get("owners"),
        tags=presented.get("tags"),
    )
    def extract(context: dg.AssetExecutionContext) -> None:
        connection: ApiResource = getattr(context.resources, api)
        lake: Lake = context.resources.lake
        extraction = Extraction(context, lake, query, **policies)
        if table and query.window is None:
            _extract_range(extraction, connection, query, table)
        else:
            _extract_each(extraction, connection, query, lake, chosen or _of_table(query, table))

    return extract


def require_keys(query: Query, keys: str | ChosenKeys | None) -> None:
    """Refuse a lookup without keys, and a list with them."""
    if isinstance(query.plan, Keyed) and not keys:
        names = ", ".join(query.plan.key_names)
        raise ConfigurationError(f"{query.name} looks up by {names}: say where its keys are")
    if keys and not isinstance(query.plan, Keyed):
        raise ConfigurationError(f"{query.name} reads a list: it takes no keys")


def _of_settings(query: Query, api: Api) -> Policies:
    settings = api.settings
    return {
        "max_failed": settings.max_failed if isinstance(query.plan, Keyed) else 0,
        "schema_changes": settings.schema_changes,
        "privacy": Privacy.of(query),
    }


def _extract_range(extraction: Extraction, connection: ApiResource, query: Query, table: str) -> None:
    """Ask the keys of all partitions, each distinct key once."""
    with extraction.range() as days:
        for page in connection.pages(query, keys=days.keys(table), resume=days.resume):
            days.write(page)


def _extract_each(
    extraction: Extraction, connection: ApiResource, query: Query, lake: Lake, keys: ChosenKeys | None
) -> None:
    """Read one partition after another, each with its own window."""
    for key in extraction.keys:
        with extraction.partition(key) as partition:
            found = keys.choose(lake, {key or "": partition})[key or ""] if keys else None
            asked = None if found is None else partition.keys(found)
            pages = connection.pages(
                query, keys=asked, variables=partition.variables, resume=partition.resume
            )
            for page in pages:
                partition.write(page)


def _of_table(query: Query, table: str | None) -> ChosenKeys | None:
    """Choose the keys that a table of the lake has for the same partition."""
    if table is None:
        return None
    return ChosenKeys(
        query, lambda lake, days: {key: lake.read(table, day.folder) for key, day in days.items()}
    )

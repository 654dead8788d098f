"""What the assets are made of that is not made here: the feed, and the APIs."""

from pathlib import PurePosixPath

import dagster as dg

from pipelines.api import APIS, Api
from pipelines.defs.profiles.assets import PROFILES
from pipelines.defs.profiles_refresh.assets import REFRESH
from pipelines.environment import Environment, environment
from pipelines.lineage import FEED
from pipelines.other_api import graphql_environment
from resources.graphql.lineage import field_types
from resources.graphql.query import load_schema
from resources.lake.declared import COLUMN_SCHEMA

FORMATS = ("jsonl", "ndjson", "json", "csv", "tsv", "parquet")


def of_feed(settings: Environment) -> set[str]:
    """Say what the feed is: a database, or files of a format; of a URI its scheme alone, as it is secret."""
    scheme, there, _ = (settings.keys_uri or settings.feed).partition("://")
    place = {scheme.lower().partition("+")[0]} if there else {"file"}
    if settings.keys_uri:
        return place
    suffixes = [suffix.lstrip(".").lower() for suffix in PurePosixPath(settings.feed).suffixes]
    return place | {suffix for suffix in suffixes if suffix in FORMATS}


def _feed(settings: Environment) -> dg.AssetSpec:
    row = "row of the query in TARGETDATA_KEYS_QUERY" if settings.keys_uri else "event in a day's files"
    columns = [dg.TableColumn(column, "string") for column in dict.fromkeys(settings.key_columns.values())]
    return dg.AssetSpec(
        FEED,
        description=f"One row per {row}: the columns that hold keys are read, and nothing else.",
        kinds=of_feed(settings),
        group_name="targetdata",
        metadata={COLUMN_SCHEMA: dg.TableSchema(columns)},
    )


def _api(settings: Environment) -> dg.AssetSpec:
    schema = load_schema(settings.schema_file)
    fields = {
        path: type_ for query in (PROFILES, REFRESH) for path, type_ in field_types(query, schema).items()
    }
    return dg.AssetSpec(
        APIS[Api.TARGETDATA],
        description="One answer per key that is asked for: the person as TargetData knows them right now. "
        "The columns are the fields that the queries of `profiles` and `profiles_refresh` select.",
        kinds={"graphql"},
        group_name="targetdata",
        metadata={
            COLUMN_SCHEMA: dg.TableSchema([dg.TableColumn(path, type_) for path, type_ in fields.items()])
        },
    )


@dg.definitions
def upstream() -> dg.Definitions:
    """Name the feed and the account's API; another API if the settings name one."""
    settings = environment()
    other = dg.AssetSpec(
        APIS[Api.GRAPHQL],
        description="One answer per request: another GraphQL API, which GRAPHQL_URL names.",
        kinds={"graphql"},
        group_name="graphql",
    )
    return dg.Definitions(
        assets=[_feed(settings), _api(settings), *([other] if graphql_environment().url else [])]
    )

"""The Dagster resources that the settings name. Of a secret Dagster gets the variable's name only."""

import dagster as dg

from pipelines.environment import account, environment
from pipelines.other_api import graphql_environment
from pipelines.variables import GRAPHQL, PREFIX, api_limits, value, variables
from resources.feed import Feed, KeySource, SqlKeys
from resources.graphql_resource import GraphQLResource
from resources.targetdata import TargetDataResource
from resources.warehouse.resource import Warehouse


def targetdata() -> TargetDataResource:
    """Make the account's resource."""
    return TargetDataResource(**account(secret_name("refresh_token", PREFIX) or ""))


def graphql() -> GraphQLResource:
    """Make the other API's resource."""
    return GraphQLResource(
        url=graphql_environment().url,
        bearer_token=secret_name("bearer_token", GRAPHQL) or "",
        headers_json=secret_name("headers", GRAPHQL) or "",
        **api_limits(GRAPHQL),
    )


def key_source(*, named: bool = False) -> KeySource:
    """Make what gives the keys: the query where a database is named, else the feed.

    A URI may hold a password or credentials. `named`: it is given by its variable's name, which only a run
    of Dagster can read.
    """
    settings = environment()
    columns = settings.key_columns
    if settings.keys_uri:
        uri = secret_name("keys_uri", PREFIX) if named else None
        return SqlKeys(uri=uri or settings.keys_uri, query=settings.keys_query, columns=columns)
    in_store = named and "://" in settings.feed
    pattern = secret_name("feed", PREFIX) if in_store else None
    return Feed(pattern=pattern or settings.feed, columns=columns, late_seconds=settings.feed_late_seconds)


def warehouse(*, named: bool = False) -> Warehouse:
    """Make the warehouse. `named`: a URI that may hold a password is given by its variable's name."""
    settings = environment()
    is_file = settings.warehouse.startswith("duckdb:")
    uri = secret_name("warehouse", PREFIX) if named and not is_file else None
    return Warehouse(
        uri=uri or settings.warehouse,
        namespace=settings.namespace,
        wait_seconds=settings.warehouse_wait_seconds,
    )


def secret_name(name: str, prefix: str) -> str | None:
    """Give a secret's *name* to Dagster, or nothing where it is not set; its value stays where it is."""
    return dg.EnvVar(variables(name, prefix)[0]) if value(name, prefix) else None

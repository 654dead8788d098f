"""A Dagster code location of one asset, the list along a cursor in the lake, run in the process itself."""

import os

import dagster as dg

from pipelines.extraction import Extraction
from resources.graphql.query import Query
from resources.graphql_resource import GraphQLResource
from resources.lake import Lake
from tests.benchmarks.documents import BY_CURSOR, PAGE_ROWS, SCHEMA

QUERY = Query.load(BY_CURSOR, schema=SCHEMA)


@dg.asset
def by_cursor(context: dg.AssetExecutionContext, graphql: GraphQLResource, lake: Lake) -> None:
    """One row per profile of the list."""
    with Extraction(context, lake, QUERY).partition(None) as partition:
        for page in graphql.pages(QUERY, resume=partition.resume):
            partition.write(page)


defs = dg.Definitions(
    assets=[by_cursor],
    resources={
        "graphql": GraphQLResource(url=os.environ["BENCHMARK_URL"], page_size=PAGE_ROWS),
        "lake": Lake(path=os.environ["BENCHMARK_LAKE"]),
    },
    executor=dg.in_process_executor,
)

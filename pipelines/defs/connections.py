"""The resources of this code location, from the environment."""

import dagster as dg

from pipelines.environment import (
    environment,
    feed_uri,
    key_source,
    keys_uri,
    refresh_token,
    targetdata_resource,
)
from pipelines.other_api import graphql_connection
from resources.lake import Lake, LakeIOManager


@dg.definitions
def connections() -> dg.Definitions:
    """Name the account, another API, the feed, the lake, and the executor (a run is one process)."""
    settings = environment()
    path = str(settings.lake)
    return dg.Definitions(
        resources={
            "targetdata": targetdata_resource(refresh_token()),
            "graphql": graphql_connection(),
            "feed": key_source(keys_uri(), feed_uri()),
            "lake": Lake(path=path),
            # The default: what an asset returns goes into the lake.
            "io_manager": LakeIOManager(path=path, key_prefix=settings.key_prefix),
        },
        executor=dg.in_process_executor,
    )

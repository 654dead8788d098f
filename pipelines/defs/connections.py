"""The resources of this code location, from the environment."""

import dagster as dg

from pipelines.connections import graphql, key_source, targetdata, warehouse
from pipelines.environment import environment
from resources.lake import Lake, LakeIOManager


@dg.definitions
def connections() -> dg.Definitions:
    """Name the account, another API, the feed, the lake and the warehouse; a run is one process."""
    settings = environment()
    path = str(settings.lake)
    return dg.Definitions(
        resources={
            "targetdata": targetdata(),
            "graphql": graphql(),
            "feed": key_source(named=True),
            "lake": Lake(path=path),
            "warehouse": warehouse(named=True),
            # The default: what an asset returns goes into the lake.
            "io_manager": LakeIOManager(path=path, key_prefix=settings.key_prefix),
        },
        executor=dg.in_process_executor,
    )

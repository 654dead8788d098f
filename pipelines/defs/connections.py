"""The resources of this code location, from the environment."""

import dagster as dg

from pipelines.environment import environment, graphql_connection, refresh_token, targetdata_resource
from resources.lake import Lake


@dg.definitions
def connections() -> dg.Definitions:
    """Name the account, another API, the lake, and the executor: a run is one process."""
    settings = environment()
    return dg.Definitions(
        resources={
            "targetdata": targetdata_resource(refresh_token()),
            "graphql": graphql_connection(),
            "lake": Lake(path=str(settings.lake)),
        },
        executor=dg.in_process_executor,
    )

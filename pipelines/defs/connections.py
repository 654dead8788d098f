"""The resources of this code location, from the environment."""

import dagster as dg

from pipelines.environment import environment, key_source, keys_uri, refresh_token, targetdata_resource
from resources.lake import Lake


@dg.definitions
def connections() -> dg.Definitions:
    """Name the account, the feed, the lake, and the executor (one process: a run's work is on the wire)."""
    settings = environment()
    return dg.Definitions(
        resources={
            "targetdata": targetdata_resource(refresh_token()),
            "feed": key_source(keys_uri()),
            "lake": Lake(path=str(settings.lake)),
        },
        executor=dg.in_process_executor,
    )

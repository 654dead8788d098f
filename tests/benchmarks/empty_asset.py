"""The code location with one asset more, which is empty: what a run costs of whatever asset it is."""

import dagster as dg

from pipelines import definitions
from pipelines.defs.daily import BACKFILL, DAILY, POOL


@dg.asset(partitions_def=DAILY, backfill_policy=BACKFILL, pool=POOL)
def empty() -> None:
    """Nothing."""


defs = dg.Definitions.merge(definitions.defs(), dg.Definitions(assets=[empty]))

"""The sensor that starts a day when its feed has arrived, and again when it was delivered anew."""

import dagster as dg

from pipelines.defs.daily import DAILY, profiles_daily
from pipelines.environment import environment
from pipelines.feed_watch import Line, watch
from resources.feed import KeySource


@dg.sensor(
    job=profiles_daily,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Starts a day when its files have arrived, and again when they were delivered anew.",
)
def feed_arrived(context: dg.SensorEvaluationContext, feed: KeySource) -> dg.SensorResult:
    """Starts a day when its files have arrived, and again when they were delivered with other content."""
    settings = environment()
    keys = dg.AssetKey([*settings.key_prefix, "profile_keys"])
    line = Line(context.instance, keys, profiles_daily.name, DAILY)
    return watch(context, feed, line, days=settings.feed_days)

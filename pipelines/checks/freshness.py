"""Whether a partition was observed in time, and whether the newest that should be there is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from pipelines.checks.finding import Figure, Finding
from pipelines.checks.published import PublishedExtract
from pipelines.publication import OBSERVED_LATE
from resources.lake.place import place_of

A_RUN_TAKES = timedelta(hours=2)  # after its schedule, before its partition is missed
LEAST_DAY = timedelta(hours=23)  # shorter partitions have no hour of the day
HOUR = timedelta(hours=1)


def observed_late(extract: PublishedExtract, folder: str, end: datetime) -> Finding:
    """Compare when the rows were fetched with the partition's end."""
    fetched = extract.fetched(folder)
    if fetched is None:
        return Finding(passed=True, says="the partition has no rows")
    after = fetched[1] - end
    figures = {"observed_hours_after_end": round(after / HOUR, 1)}
    if after <= OBSERVED_LATE:
        return Finding(passed=True, figures=figures)
    says = (
        f"observed {after / timedelta(days=1):.1f} days after its end: the API shows the present only, so "
        "these rows are the state at fetched_at. Nothing can bring that day's state back: do not read them "
        "as that"
    )
    return Finding(passed=False, says=says, figures=figures)


def newest_partition(
    extract: PublishedExtract,
    partitions: dg.TimeWindowPartitionsDefinition,
    *,
    now: datetime,
    scheduled_after: timedelta,
) -> Finding:
    """Look whether the last partition whose schedule has passed is in the lake."""
    expected = due(partitions, now, scheduled_after)
    if not expected:
        return Finding(passed=True, says="no partition is due yet")
    published = set(extract.folders)
    there = (place_of(key, partitions).folder in published for key in reversed(expected))
    behind = next((number for number, found in enumerate(there) if found), len(expected))
    figures: dict[str, Figure] = {"expected": expected[-1], "partitions_behind": behind}
    if not behind:
        return Finding(passed=True, figures=figures)
    newest = extract.folders[-1] if extract.folders else "none"
    says = (
        f"{extract.table} has no {expected[-1]}, whose time has come; its newest is {newest}. Is the "
        "schedule or the sensor on, and what does the last run of that partition say? Run it again"
    )
    return Finding(passed=False, says=says, figures=figures)


def due(
    partitions: dg.TimeWindowPartitionsDefinition, now: datetime, scheduled_after: timedelta
) -> Sequence[str]:
    """Give the partitions that should have been published, the newest last."""
    local = now.astimezone(ZoneInfo(partitions.timezone)) - A_RUN_TAKES
    first = partitions.get_first_partition_window()
    if first and first.end - first.start >= LEAST_DAY:
        local -= scheduled_after
    return partitions.get_partition_keys(current_time=local)

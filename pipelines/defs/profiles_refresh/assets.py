"""Profiles that had no event for long: asked again, so that no change of theirs is missed for ever."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.checks import extract_checks
from pipelines.checks.drift import drift_check
from pipelines.defs.daily import BACKFILL, DAILY, POOL, RETENTION
from pipelines.defs.profiles_refresh.staleness import AT, ID, LOOKUPS, last_asked, overdue, stale
from pipelines.environment import environment
from pipelines.extraction import Extraction
from pipelines.lineage import extract_metadata
from pipelines.plan.chosen import ChosenKeys, Day
from pipelines.privacy import privacy_of, suppression_of
from resources.graphql.query import Query
from resources.lake import Lake
from resources.privacy.keys import left_to_ask
from resources.targetdata import TargetDataResource

REFRESH = Query.load(
    Path(__file__).parent.parent / "profiles" / "profiles.graphql",
    schema=environment().schema_file,
    name="profiles_refresh",
    root="personTargetDataByProfileId",
    identity="profileId",
    scalars=environment().scalars,
)
PRIVACY = privacy_of(REFRESH)
KEY = REFRESH.tables[LOOKUPS].names[0]  # as the root field's argument is named
GRACE = timedelta(days=2)  # between being due and being asked: the day's end, and the morning after


@dg.asset(
    deps=["profiles", "targetdata_api"],
    partitions_def=DAILY,
    backfill_policy=BACKFILL,
    pool=POOL,
    code_version=PRIVACY.hash,
    kinds={"graphql", "parquet"},
    group_name="targetdata",
    metadata={**extract_metadata(REFRESH), **RETENTION},
)
def profiles_refresh(context: dg.AssetExecutionContext, targetdata: TargetDataResource, lake: Lake) -> None:
    """One row per profile that nobody had asked for in `TARGETDATA_REFRESH_DAYS` days, as the API shows it.

    The oldest come first, at most `TARGETDATA_REFRESH_SHARE` of all profiles a day. A profile that is not
    there any more is `not_found` in `profiles_refresh__lookups`.
    """
    settings = environment()
    extraction = Extraction(
        context,
        lake,
        REFRESH,
        max_failed=settings.max_failed,
        schema_changes=settings.schema_changes,
        privacy=PRIVACY,
    )
    with extraction.range() as days:
        for page in targetdata.pages(
            REFRESH, keys=days.grouped(due(lake, days.partitions)), resume=days.resume
        ):
            days.write(page)


checks = extract_checks(profiles_refresh, REFRESH)


def due(lake: Lake, days: Mapping[str, Day]) -> dict[str, pa.Table]:
    """Choose the profiles of each day; what a day of the run has chosen is asked for, so no other day's.

    A day that is run again asks at least what it asked before: its rows are replaced.
    """
    settings = environment()
    asked = last_asked(lake, without={day.folder for day in days.values()})
    asked = left_to_ask(suppression_of(lake.root), asked, kinds=[ID])
    keys: dict[str, pa.Table] = {}
    for key, day in days.items():
        before = day.end - timedelta(days=settings.refresh_days)
        keys[key] = stale(asked, before=before, share=settings.refresh_share)
        asked = asked.filter(pc.invert(pc.is_in(asked[ID], keys[key][ID])))
        keys[key] = pa.concat_tables([keys[key].rename_columns([KEY]), asked_before(lake, day.folder)])
    return keys


planned = ChosenKeys(REFRESH, due)


def asked_before(lake: Lake, folder: str) -> pa.Table:
    """Give the keys that a day asked when it was run before."""
    if lake.manifest(LOOKUPS, folder) is None:
        return REFRESH.tables[LOOKUPS].empty_table().select([KEY])
    return lake.read(LOOKUPS, folder, columns=[KEY])


@dg.asset_check(asset=profiles_refresh)
def oldest_profile(lake: Lake) -> dg.AssetCheckResult:
    """Say how long ago the profile was asked for that has waited longest."""
    settings, now = environment(), datetime.now(UTC)
    asked = left_to_ask(suppression_of(lake.root), last_asked(lake), kinds=[ID])
    limit = timedelta(days=settings.refresh_days) + GRACE
    late = overdue(asked, now - limit).num_rows
    oldest = pc.min(asked[AT]).as_py() or now
    return dg.AssetCheckResult(
        passed=not late,
        severity=dg.AssetCheckSeverity.WARN,
        description=_advice(late, asked.num_rows, settings.refresh_share) if late else None,
        metadata={
            "oldest_age_days": (now - oldest) / timedelta(days=1),
            "profiles": asked.num_rows,
            "profiles_overdue": late,
        },
    )


schema_drift = drift_check(
    profiles_refresh, REFRESH, schema_file=environment().schema_file, resource="targetdata"
)


def _advice(late: int, known: int, share: float) -> str:
    return (
        f"{late:,} of {known:,} profiles are overdue; at {share:.1%} of all a day it takes "
        f"{late / (known * share):,.0f} days to ask for them. Is the schedule on? If so, raise "
        "TARGETDATA_REFRESH_SHARE"
    )

"""Profiles of the people who had an event on a day."""

from pathlib import Path

import dagster as dg

from pipelines.checks import extract_checks
from pipelines.checks.drift import drift_check
from pipelines.defs.daily import BACKFILL, DAILY, POOL, RETENTION
from pipelines.environment import environment
from pipelines.extraction import Extraction
from pipelines.lineage import extract_metadata
from pipelines.privacy import privacy_of
from resources.graphql.query import Query
from resources.lake import Lake
from resources.targetdata import TargetDataResource

PROFILES = Query.load(
    Path(__file__).with_name("profiles.graphql"),
    schema=environment().schema_file,
    identity="profileId",
    scalars=environment().scalars,
)
PRIVACY = privacy_of(PROFILES)


@dg.asset(
    deps=["profile_keys", "targetdata_api"],
    partitions_def=DAILY,
    backfill_policy=BACKFILL,
    pool=POOL,
    code_version=PRIVACY.hash,
    kinds={"graphql", "parquet"},
    group_name="targetdata",
    metadata={**extract_metadata(PROFILES, keys="profile_keys"), **RETENTION},
)
def profiles(context: dg.AssetExecutionContext, targetdata: TargetDataResource, lake: Lake) -> None:
    """One row per profile of a person who had an event on the day, as the API showed it at `fetched_at`.

    The table `profiles__lookups` beside it has one row per umid asked, and what became of it.
    """
    settings = environment()
    extraction = Extraction(
        context,
        lake,
        PROFILES,
        max_failed=settings.max_failed,
        schema_changes=settings.schema_changes,
        privacy=PRIVACY,
    )
    with extraction.range() as days:
        for page in targetdata.pages(PROFILES, keys=days.keys("profile_keys"), resume=days.resume):
            days.write(page)


checks = extract_checks(profiles, PROFILES)
schema_drift = drift_check(profiles, PROFILES, schema_file=environment().schema_file, resource="targetdata")

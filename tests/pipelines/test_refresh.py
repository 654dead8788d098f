"""Profiles without events for long are asked again, the oldest first, a bounded share a day."""

import shutil
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from resources.graphql.query import Query
from resources.lake import Lake
from tests.conftest import PROFILES_QUERY, SCHEMA
from tests.dagster_runs import Location
from tests.local import last_days
from tests.sandbox import Sandbox

pytestmark = pytest.mark.journey  # each runs days of the line

DAYS = last_days(2)
DAY = DAYS[-1]
END = datetime.combine(DAY, time(), UTC) + timedelta(days=1)
OLD_DAY = "date=2026-01-02"


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    sandbox.write_feed(tmp_path / "feed", DAYS)
    share = {"TARGETDATA_REFRESH_SHARE": "1", "TARGETDATA_PARTITIONS_PER_RUN": "0"}
    return Location(sandbox, tmp_path, settings=share)


@pytest.fixture
def ids(sandbox: Sandbox) -> list[str]:
    return [person["profileId"] for person in sandbox.people]


def publish(lake: Lake, ages: dict[str, float], folder: str = OLD_DAY, query: Query | None = None) -> None:
    """Put profiles into the lake that were fetched so many days before the day's end."""
    schema = (query or Query.load(PROFILES_QUERY, schema=SCHEMA, identity="profileId")).tables["profiles"]
    times = [END - timedelta(days=age) for age in ages.values()]
    known = {"profile_id": list(ages), "fetched_at": times}
    columns = [pa.array(known.get(f.name, [None] * len(ages)), f.type) for f in schema]
    with lake.write(folder, {"profiles": schema}, run="test") as writer:
        writer.write({"profiles": pa.Table.from_arrays(columns, schema=schema)})


def refresh(location: Location, *days: object) -> list[str]:
    """Run the refresh; give the ids that were asked, in the days' order."""
    location.sandbox.clear()
    days = days or (DAY,)
    location.materialize(*map(str, days), select="profiles_refresh")
    tables = [location.lake.read("profiles_refresh__lookups", f"date={day}") for day in days]
    asked: list[str] = pa.concat_tables(tables)["profile_id"].to_pylist()
    assert location.sandbox.answers == dict.fromkeys(asked, 1)
    return asked


def check(location: Location) -> dg.AssetCheckEvaluation:
    with location.instance() as instance:
        key = dg.AssetCheckKey(dg.AssetKey("profiles_refresh"), "oldest_profile")
        (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event
    found = record.event.get_dagster_event().event_specific_data
    assert isinstance(found, dg.AssetCheckEvaluation)
    return found


def test_what_nobody_asked_for_in_thirty_days_is_asked_again_with_the_same_columns(
    location: Location, ids: list[str]
) -> None:
    publish(location.lake, {ids[0]: 30.5, ids[1]: 29.5, ids[2]: 300})
    publish(location.lake, {ids[2]: 1}, folder="date=2026-01-03")
    assert refresh(location) == [ids[0]]
    row = location.lake.read("profiles_refresh", f"date={DAY}")
    assert row["profile_id"].to_pylist() == [ids[0]]
    assert row.schema.equals(location.lake.read("profiles", OLD_DAY).schema)
    assert pc.min(row["fetched_at"]).as_py() > END, "as it is now"


def test_the_oldest_come_first_and_no_more_than_the_share(location: Location, ids: list[str]) -> None:
    publish(location.lake, {id_: 35 + age for age, id_ in enumerate(ids[:40])})
    location.settings["TARGETDATA_REFRESH_SHARE"] = "0.05"
    assert refresh(location) == sorted(ids[38:40])
    assert not check(location).passed
    assert "38 of 40 profiles are overdue; at 5.0% of all a day it takes 19 days" in (
        check(location).description or ""
    )


def test_a_day_that_is_run_again_asks_the_same_profiles(location: Location, ids: list[str]) -> None:
    publish(location.lake, {ids[0]: 40, ids[1]: 40, ids[2]: 2})
    assert refresh(location) == refresh(location) == sorted(ids[:2])


def test_a_day_that_is_run_again_with_a_smaller_share_loses_no_row(
    location: Location, ids: list[str]
) -> None:
    publish(location.lake, dict.fromkeys(ids[:10], 40))
    first = refresh(location)
    location.settings["TARGETDATA_REFRESH_SHARE"] = "0.1"
    publish(location.lake, dict.fromkeys(ids[10:20], 50), folder="date=2026-01-04")
    assert set(refresh(location)) > set(first) == set(ids[:10])


def test_lookups_of_a_run_that_was_killed_before_its_rows_were_in_place_do_not_count(
    location: Location, ids: list[str]
) -> None:
    publish(location.lake, {ids[0]: 40})
    refresh(location, DAYS[0])
    shutil.rmtree(location.lake.root / "profiles_refresh" / f"date={DAYS[0]}")
    assert refresh(location, DAY) == [ids[0]]


def test_a_profile_that_is_gone_was_asked_for_and_one_that_failed_was_not(
    location: Location, ids: list[str]
) -> None:
    publish(location.lake, {"gone": 40, ids[0]: 40, ids[1]: 40})
    location.settings["TARGETDATA_MAX_FAILED"] = "1"
    location.sandbox.faults.alias_errors = {ids[0]: -1}
    location.materialize(str(DAYS[0]), select="profiles_refresh")
    lookups = location.lake.read("profiles_refresh__lookups", f"date={DAYS[0]}").to_pylist()
    statuses = {row["profile_id"]: row["status"] for row in lookups}
    assert statuses == {"gone": "not_found", ids[0]: "failed", ids[1]: "found"}
    location.sandbox.faults.alias_errors = {}
    assert refresh(location, DAY) == [ids[0]]


def test_in_a_range_a_profile_is_due_on_one_day_only(location: Location, ids: list[str]) -> None:
    publish(location.lake, {ids[0]: 50, ids[1]: 30.5, ids[2]: 29})
    assert refresh(location, *DAYS) == ids[:2]
    first = location.lake.read("profiles_refresh", f"date={DAYS[0]}")
    assert first["profile_id"].to_pylist() == [ids[0]]


def test_the_daily_job_refreshes_and_the_check_says_the_oldest_age(
    location: Location, ids: list[str]
) -> None:
    publish(location.lake, {ids[0]: 40, ids[1]: 20})
    location.materialize(str(DAY), select="*profiles_refresh")
    found = check(location)
    assert found.passed
    assert 20 <= found.metadata["oldest_age_days"].value < 22
    assert found.metadata["profiles_overdue"].value == 0
    assert found.metadata["profiles"].value >= 2


def test_what_the_refresh_found_is_in_the_wide_table_of_the_day(location: Location, ids: list[str]) -> None:
    location.materialize(str(DAY), select="*profiles")
    day = location.lake.read("profiles", f"date={DAY}")["profile_id"].to_pylist()
    without_events = next(id_ for id_ in ids if id_ not in day)
    publish(location.lake, {without_events: 40})
    location.materialize(str(DAY), select="profiles_refresh,profiles_wide")
    wide = location.lake.read("profiles_wide", f"date={DAY}")
    assert wide["profile_id"].to_pylist() == [*day, without_events]
    (row,) = location.lake.read("profiles_refresh", f"date={DAY}").to_pylist()
    assert wide.to_pylist()[-1]["fetched_at"] == row["fetched_at"]

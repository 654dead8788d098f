"""What holds of a run over several partitions, whatever its asset does."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from pipelines.extraction import Extraction
from pipelines.extraction.partition import ExtractRange
from resources.errors import ConfigurationError
from resources.graphql.query import Query, load_schema
from resources.lake import Lake
from resources.lake.place import folder_of
from resources.targetdata import TargetDataResource
from tests.conftest import PROFILES_QUERY, SCHEMA, Connect
from tests.local import last_days
from tests.sandbox import Sandbox

DAYS = [str(day) for day in last_days(2)]
DAILY = dg.DailyPartitionsDefinition(start_date=DAYS[0])
RANGE = {"dagster/asset_partition_range_start": DAYS[0], "dagster/asset_partition_range_end": DAYS[1]}
Body = Callable[[TargetDataResource, ExtractRange], None]


@pytest.fixture
def published() -> list[str]:
    """The partitions that a failed run has published all the same."""
    return []


@pytest.fixture
def run(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, published: list[str], tmp_path: Path
) -> Callable[[Body], str]:
    """Run an asset over two days in one run; give the failure's own words."""
    lake, api = Lake(path=str(tmp_path / "lake")), connect(sandbox)
    query = profiles_query

    def failed(body: Body) -> str:
        @dg.asset(partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run())
        def profiles(context: dg.AssetExecutionContext) -> None:
            with Extraction(context, lake, query).range() as days:
                body(api, days)

        done = dg.materialize([profiles], tags=RANGE, raise_on_error=False)
        assert not done.success
        published.extend(found.partition for found in lake.manifests("profiles"))
        (event,) = [e for e in done.all_events if e.is_step_failure]
        return str(event.step_failure_data.error)

    return failed


def some(sandbox: Sandbox) -> dict[str, pa.Table]:
    days = zip(DAYS, last_days(2), strict=True)
    return {key: pa.table({"umid": sandbox.umids_of(day)}) for key, day in days}


@pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")
def test_keys_that_were_not_asked_are_no_empty_partition(
    run: Callable[[Body], str], published: list[str], sandbox: Sandbox, profiles_query: Query
) -> None:
    assert f"profiles {DAYS[0]}: no page was written" in run(
        lambda _, days: _none(days.grouped(some(sandbox)))
    )
    assert published == []

    def first_page_only(api: TargetDataResource, days: ExtractRange) -> None:
        days.write(next(iter(api.pages(profiles_query, keys=days.grouped(some(sandbox))))))

    assert "the loop over pages() was left in the middle of some keys" in run(first_page_only)
    assert published == []


def _none(_: object) -> None:
    """Drop what is not needed."""


@pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")
def test_keys_that_are_not_by_partition_are_refused_with_what_to_write(
    run: Callable[[Body], str], published: list[str], sandbox: Sandbox, profiles_query: Query
) -> None:
    def ungrouped(api: TargetDataResource, days: ExtractRange) -> None:
        for page in api.pages(profiles_query, keys=some(sandbox)[DAYS[0]]):
            days.write(page)

    assert "keys=days.keys(table)" in run(ungrouped)
    other = {DAYS[0]: pa.table({"umid": ["a"]}), "2020-01-01": pa.table({"umid": ["b"]})}
    assert f"see 2020-01-01, {DAYS[1]}" in run(lambda _, days: _none(days.grouped(other)))
    assert published == []


def test_partitions_shorter_than_an_hour_are_refused() -> None:
    half_hours = dg.TimeWindowPartitionsDefinition(
        cron_schedule="*/30 * * * *", start="2026-11-22-00:00", fmt="%Y-%m-%d-%H:%M"
    )
    window = half_hours.time_window_for_partition_key("2026-11-22-00:30")
    with pytest.raises(ConfigurationError, match="shorter than an hour"):
        folder_of("2026-11-22-00:30", (window.start, window.end))


@pytest.fixture
def materialize(sandbox: Sandbox, connect: Connect, tmp_path: Path) -> Callable[[Query], str]:
    """Extract two days in one run; give the metadata of its failure as text, nothing if all went well."""
    lake, api = Lake(path=str(tmp_path / "lake")), connect(sandbox)

    def ran(query: Query) -> str:
        @dg.asset(partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run())
        def profiles(context: dg.AssetExecutionContext) -> None:
            with Extraction(context, lake, query).range() as days:
                for page in api.pages(query, keys=days.grouped(some(sandbox)), resume=days.resume):
                    days.write(page)

        done = dg.materialize([profiles], tags=RANGE, raise_on_error=False)
        failures = [event.step_failure_data for event in done.all_events if event.is_step_failure]
        return " ".join(f"{f.user_failure_data.description} {f.user_failure_data.metadata}" for f in failures)

    return ran


def generations(folder: Path) -> list[int]:
    lake = Lake(path=str(folder / "lake"))
    found = [lake.manifest("profiles", f"date={day}") for day in DAYS]
    return [manifest.generation if manifest else 0 for manifest in found]


def own_keys(sandbox: Sandbox) -> list[str]:
    """Give a key of each day that the other day has not, and that leads to somebody."""
    first, second = (set(sandbox.umids_of(day)) for day in last_days(2))
    return [min(filter(sandbox.person_of, own)) for own in (first - second, second - first)]


@pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")
def test_where_columns_change_a_day_that_fails_keeps_all_as_they_were(
    materialize: Callable[[Query], str], sandbox: Sandbox, profiles_query: Query, tmp_path: Path
) -> None:
    assert materialize(profiles_query) == ""
    text = PROFILES_QUERY.read_text().replace("    owner\n", "")
    other = Query.parse(
        text, schema=load_schema(SCHEMA), path="profiles.graphql", name="profiles", identity="profileId"
    )
    assert other.tables["profiles"].names != profiles_query.tables["profiles"].names
    sandbox.faults.alias_errors = {own_keys(sandbox)[1]: -1}
    assert "1 of" in materialize(other)
    assert generations(tmp_path) == [1, 1], "not one day with other columns than the other"
    sandbox.faults.alias_errors = {}
    assert materialize(other) == ""
    assert len(set(generations(tmp_path))) == 1
    assert generations(tmp_path) > [1, 1]


@pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")
def test_all_days_that_failed_are_named(
    materialize: Callable[[Query], str], sandbox: Sandbox, profiles_query: Query
) -> None:
    sandbox.faults.alias_errors = dict.fromkeys(own_keys(sandbox), -1)
    said = materialize(profiles_query)
    for day in DAYS:
        assert f"profiles {day}: 1 of" in said
        assert f"failed-date={day}.parquet has these keys" in said

"""What holds of a run over several partitions, whatever its asset does."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from pipelines.extraction import Extraction
from pipelines.partition import ExtractRange
from resources.errors import ConfigurationError
from resources.graphql.query import Query
from resources.lake import Lake
from resources.lake.resource import folder_of
from resources.targetdata import TargetDataResource
from tests.conftest import Connect
from tests.local import last_days
from tests.sandbox import Sandbox

DAYS = [str(day) for day in last_days(2)]
DAILY = dg.DailyPartitionsDefinition(start_date=DAYS[0])
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

        tags = {"dagster/asset_partition_range_start": DAYS[0], "dagster/asset_partition_range_end": DAYS[1]}
        done = dg.materialize([profiles], tags=tags, raise_on_error=False)
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

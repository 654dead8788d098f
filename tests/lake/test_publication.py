"""Partitions of a run that are each tried by themselves: what is said when several of them fail."""

from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from pipelines.publication import Publication
from resources.errors import ExtractionError, FeedError, FeedMissing
from resources.lake import Lake

DAYS = ("early", "late", "whole", "wrong")
LATE = FeedMissing("no file of the late day", after_seconds=0.0)
WRONG = FeedError("the wrong day has a broken line")


def run(
    lake: Lake, instance: dg.DagsterInstance, failures: dict[str, ExtractionError]
) -> dg.ExecuteInProcessResult:
    """Publish each of the days, but for those that fail."""

    @dg.asset(
        partitions_def=dg.StaticPartitionsDefinition(list(DAYS)),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def days(context: dg.AssetExecutionContext) -> None:
        publication = Publication(context, lake)
        with publication.apart() as attempt:
            for key in publication.keys:
                with attempt(key, {"days": pa.schema([("place", pa.int64())])}):
                    if key in failures:
                        raise failures[key]

    tags = {"dagster/asset_partition_range_start": DAYS[0], "dagster/asset_partition_range_end": DAYS[-1]}
    return dg.materialize([days], instance=instance, tags=tags, raise_on_error=False)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(path=str(tmp_path))


def test_a_failure_that_needs_a_person_is_raised_before_one_that_waits_and_names_all_others(
    lake: Lake,
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(lake, instance, {"late": LATE, "wrong": WRONG})
        (failed,) = result.get_step_failure_events()
        failure = failed.step_failure_data.user_failure_data
        assert failure is not None
        assert failure.description == str(WRONG)
        assert failure.metadata["also_failed"].value == [str(LATE)]
        assert not [event for event in result.all_events if event.is_step_up_for_retry]
    assert len(lake.manifests("days")) == 2


def test_each_failure_is_in_the_runs_log_with_its_partition(lake: Lake) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(lake, instance, {"early": FeedError("the early day has no column"), "wrong": WRONG})
        said = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert "early: the early day has no column" in said
    assert "wrong: the wrong day has a broken line" in said

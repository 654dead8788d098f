"""Errors in a run: for a person, or for a retry and when; each kind of the tree, none forgotten."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from resources import errors
from resources.errors import ExtractionError, ServerUnavailable, Throttled, TooManyFailed, TryLater
from resources.failures import named_failures

PERSON = None
NAMED_SECONDS = 7.0
LATER_SECONDS = 300.0
EXPECTED = {
    "ExtractionError": PERSON,
    "PersonNeeded": PERSON,
    "ConfigurationError": PERSON,
    "TokenRefused": PERSON,
    "QueryError": PERSON,
    "ValueMisfit": PERSON,
    "FeedError": PERSON,
    "ColumnMissing": PERSON,
    "LakeError": PERSON,
    "PartitionMissing": PERSON,
    "SchemaChanged": PERSON,
    "Fenced": PERSON,
    "OverBudget": PERSON,
    "WarehouseError": PERSON,
    "TooManyFailed": PERSON,
    "AccountingError": PERSON,
    "TryLater": NAMED_SECONDS,
    "FeedMissing": NAMED_SECONDS,
    "LakeBusy": NAMED_SECONDS,
    "WarehouseBusy": NAMED_SECONDS,
    "ErasedMeanwhile": NAMED_SECONDS,
    "ServerUnavailable": NAMED_SECONDS,
    "Attempt": PERSON,
    "Unauthorized": PERSON,
    "Throttled": LATER_SECONDS,
    "Unavailable": LATER_SECONDS,
    "Refused": PERSON,
}


def tree(kind: type[ExtractionError] = ExtractionError) -> Iterator[type[ExtractionError]]:
    """Give a kind of error and all below it that the project defines."""
    if kind.__module__ == errors.__name__:
        yield kind
        for below in kind.__subclasses__():
            yield from tree(below)


def made(kind: type[ExtractionError]) -> ExtractionError:
    return kind("words", after_seconds=NAMED_SECONDS) if issubclass(kind, TryLater) else kind("words")


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def run_of(instance: dg.DagsterInstance, error: BaseException) -> dg.ExecuteInProcessResult:
    """Run an asset that raises."""

    @dg.asset
    def failing(context: dg.AssetExecutionContext) -> None:
        with named_failures(context.instance, context.run.run_id):
            raise error

    return dg.materialize([failing], instance=instance, raise_on_error=False)


def tags_of(instance: dg.DagsterInstance, run_id: str) -> dict[str, str]:
    run = instance.get_run_by_id(run_id)
    assert run
    return dict(run.tags)


def test_the_table_has_every_error_of_the_tree() -> None:
    assert sorted(kind.__name__ for kind in tree()) == sorted(EXPECTED)


@pytest.mark.parametrize("kind", list(tree()), ids=lambda kind: kind.__name__)
def test_each_error_is_for_a_person_or_for_a_retry_at_its_time(
    kind: type[ExtractionError], instance: dg.DagsterInstance
) -> None:
    run_id = dg.materialize([_nothing], instance=instance).run_id
    seconds = EXPECTED[kind.__name__]
    with pytest.raises((dg.Failure, dg.RetryRequested)) as caught, named_failures(instance, run_id):
        raise made(kind)
    stopped = tags_of(instance, run_id).get("dagster/retry_on_asset_or_op_failure")
    if seconds is PERSON:
        assert isinstance(caught.value, dg.Failure)
        assert (caught.value.allow_retries, caught.value.description, stopped) == (False, "words", "false")
    else:
        assert isinstance(caught.value, dg.RetryRequested)
        assert (caught.value.seconds_to_wait, stopped) == (seconds, None)


@dg.asset
def _nothing() -> None: ...


def test_the_servers_own_word_is_waited_for_but_not_longer_than_an_hour(instance: dg.DagsterInstance) -> None:
    waits = []
    for seconds in (20.0, 90_000.0):
        with pytest.raises(dg.RetryRequested) as caught, named_failures(instance, ""):
            raise Throttled("words", after_seconds=seconds)
        waits.append(caught.value.seconds_to_wait)
    assert waits == [20.0, 3600.0]


def test_an_error_that_is_not_of_the_tree_stays_what_it_is(instance: dg.DagsterInstance) -> None:
    result = run_of(instance, ZeroDivisionError("a bug"))
    (event,) = [e for e in result.all_events if e.is_step_failure]
    assert event.step_failure_data.error.cause.cls_name == "ZeroDivisionError"
    assert "dagster/retry_on_asset_or_op_failure" not in tags_of(instance, result.run_id)


def test_the_details_of_an_error_are_metadata(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    details = {
        "keys_failed": 3,
        "codes": {"INTERNAL": 2},
        "file": tmp_path,
        "share": 0.5,
        "columns": ["a"],
        "nothing": None,
        "is_late": True,
        "table": "profiles",
    }
    result = run_of(instance, TooManyFailed("words", details=details))
    (event,) = [e for e in result.all_events if e.is_step_failure]
    metadata = event.step_failure_data.user_failure_data.metadata
    assert {name: type(value) for name, value in metadata.items()} == {
        "keys_failed": dg.IntMetadataValue,
        "codes": dg.JsonMetadataValue,
        "file": dg.PathMetadataValue,
        "share": dg.FloatMetadataValue,
        "columns": dg.JsonMetadataValue,
        "nothing": dg.NullMetadataValue,
        "is_late": dg.BoolMetadataValue,
        "table": dg.TextMetadataValue,
        "error": dg.TextMetadataValue,
    }
    assert {name: value.value for name, value in metadata.items()} == {
        **details,
        "file": str(tmp_path),
        "error": "TooManyFailed",
    }


def test_a_step_that_waits_says_why_and_how_long_and_at_last_fails_with_what_to_do(
    instance: dg.DagsterInstance,
) -> None:
    error = ServerUnavailable("the server is away", after_seconds=0.001, details={"failures": 12})
    result = run_of(instance, error)
    waits = [e for e in result.all_events if e.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY]
    assert len(waits) == 12
    assert "has requested a retry in 0.001 seconds" in waits[0].message
    assert "the server is away" in waits[0].step_retry_data.error.to_string()
    (event,) = [e for e in result.all_events if e.is_step_failure]
    failed = event.step_failure_data.user_failure_data
    assert failed.description.startswith("the server is away. The step waits")
    assert failed.description.endswith("if it fails then, run it again when the cause is gone")
    assert failed.metadata["failures"].value == 12
    assert "dagster/retry_on_asset_or_op_failure" not in tags_of(instance, result.run_id), "run_retries may"

"""Which error is for a person, which for a retry and when; mapped to Dagster in this one place."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePath

import dagster as dg

from resources.errors import ExtractionError, PersonNeeded, Throttled, TryLater, Unavailable
from resources.graphql.sending.retry import LATER_SECONDS, LONGEST_LATER_SECONDS

LATER_RETRIES = 12  # of a step that may succeed later; with the feed's half hour, six hours
NEVER_AGAIN = {"dagster/retry_on_asset_or_op_failure": "false"}


@contextmanager
def named_failures(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Turn our errors into Dagster's, within a run; any other exception is a bug and stays what it is.

    What needs a person fails without a retry, of the step and of the run: `run_retries` and automation
    look at the run's tag only. What may come later asks for a retry after the time that the error names;
    when those are used up the step fails with the same words, and `run_retries` may go on.
    """
    try:
        yield
    except ExtractionError as error:
        seconds = seconds_until_later(error)
        if seconds is None:
            instance.add_run_tags(run_id, NEVER_AGAIN)
            raise failure(error, str(error)) from error
        said = str(error).rstrip(".")
        waiting = failure(
            error,
            f"{said}. The step waits {seconds:,.0f} s and is tried again, {LATER_RETRIES} times at most; if "
            "it fails then, run it again when the cause is gone",
        )
        waiting.__cause__ = error
        raise dg.RetryRequested(LATER_RETRIES, seconds_to_wait=seconds) from waiting.with_traceback(
            error.__traceback__
        )


def seconds_until_later(error: ExtractionError) -> float | None:
    """Say when the same run may succeed; None if a person is needed first.

    Attempts come here if an asset sends a document by itself: one that is refused needs another document.
    """
    match error:
        case TryLater():
            return error.after_seconds
        case Throttled(after_seconds=float(seconds)):
            return min(seconds, LONGEST_LATER_SECONDS)
        case Throttled() | Unavailable():
            return LATER_SECONDS
        case _:
            return None


def raise_worst(failures: Sequence[ExtractionError]) -> None:
    """Raise one of several failures, if there is any: a person's before others, as no retry helps it.

    It names the others in its details.
    """
    if not failures:
        return
    worst = next((failure for failure in failures if isinstance(failure, PersonNeeded)), failures[0])
    also = [str(failure) for failure in failures if failure is not worst]
    worst.details |= {"also_failed": also} if also else {}
    raise worst


def failure(error: ExtractionError, description: str) -> dg.Failure:
    """Make Dagster's failure of an error, with its kind and details as metadata."""
    details = {name: metadata_value(value) for name, value in error.details.items()}
    return dg.Failure(
        description,
        metadata={**details, "error": dg.MetadataValue.text(type(error).__name__)},
        allow_retries=False,
    )


def metadata_value(value: object) -> dg.MetadataValue:
    """Give a detail of an error the form that the UI shows best."""
    match value:
        case bool():
            return dg.MetadataValue.bool(value)
        case int():
            return dg.MetadataValue.int(value)
        case float():
            return dg.MetadataValue.float(value)
        case PurePath():
            return dg.MetadataValue.path(str(value))
        case Mapping():
            return dg.MetadataValue.json(dict(value))
        case list() | tuple():
            return dg.MetadataValue.json(list(value))
        case None:
            return dg.MetadataValue.null()
        case _:
            return dg.MetadataValue.text(str(value))

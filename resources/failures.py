"""Which error is for a person, which for a retry and when; mapped to Dagster in this one place."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from resources.errors import Attempt, ExtractionError, TryLater

LATER_RETRIES = 12  # of a step that may succeed later; with the feed's half hour, six hours
NEVER_AGAIN = {"dagster/retry_on_asset_or_op_failure": "false"}


@contextmanager
def named_failures(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Turn our errors into Dagster's, within a run.

    What needs a person fails without a retry, of the step and of the run: `run_retries` and automation
    look at the run's tag only. What may come later asks for a retry after the time that the error names.
    """
    try:
        yield
    except TryLater as error:
        raise dg.RetryRequested(LATER_RETRIES, seconds_to_wait=error.after_seconds) from error
    except Attempt as error:
        raise dg.Failure(str(error)) from error
    except ExtractionError as error:
        instance.add_run_tags(run_id, NEVER_AGAIN)
        raise dg.Failure(str(error), metadata={"error": type(error).__name__}, allow_retries=False) from error

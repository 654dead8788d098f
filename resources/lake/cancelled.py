"""Whether a run was cancelled, as Dagster's instance has it."""

from collections.abc import Callable

import dagster as dg

ENDED = {dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.FAILURE}


def cancelled_in(instance: dg.DagsterInstance, run_id: str) -> Callable[[], bool]:
    """Give what asks whether a run was cancelled or given up: its process may go on all the same."""

    def is_cancelled() -> bool:
        run = instance.get_run_by_id(run_id)
        return run is not None and run.status in ENDED

    return is_cancelled

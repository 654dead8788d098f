"""A refused refresh token where Dagster tries failed runs again: one run, and one request for a token."""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import pytest
from dagster._cli.job import _create_run
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import PythonFileTarget
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import (
    consume_new_runs_for_automatic_reexecution,
)

from tests.chaos.figures import show
from tests.conftest import ROOT
from tests.local import dagster_home
from tests.sandbox import Sandbox

pytestmark = pytest.mark.chaos  # its short form, by the tags, is in tests/pipelines/test_pipelines.py
RETRIES = 2
PATIENCE_SECONDS = 60.0
AT_ONCE = """
run_coordinator:
  module: dagster.core.run_coordinator
  class: DefaultRunCoordinator  # else runs wait for the daemon's process
"""
LOCATION = Path(__file__).with_name("token_location.py")


@pytest.fixture
def daemon(
    sandbox: Sandbox, tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WorkspaceProcessContext]:
    """A real instance that tries failed runs again, with what Dagster's daemon works with."""
    monkeypatch.setenv("CHAOS_URL", sandbox.url)
    monkeypatch.setenv("CHAOS_REFRESH_TOKEN", sandbox.refresh_token)
    home = dagster_home(tmp_path)
    config = home / "dagster.yaml"
    config.write_text(config.read_text().replace("max_retries: 0", f"max_retries: {RETRIES}") + AT_ONCE)
    instance = stack.enter_context(dg.DagsterInstance.from_config(str(home)))
    target = PythonFileTarget(
        python_file=str(LOCATION), attribute=None, working_directory=str(ROOT), location_name="tokens"
    )
    with create_test_daemon_workspace_context(target, instance) as context:
        yield context


def launched(daemon: WorkspaceProcessContext, job: str) -> list[dg.DagsterRun]:
    """Launch a job, let the daemon do its work as often as it likes, and give all runs."""
    workspace = daemon.create_request_context()
    location = workspace.get_code_location("tokens")
    (repository,) = location.get_repositories().values()
    run = _create_run(
        instance=daemon.instance,
        code_location=location,
        remote_repo=repository,
        remote_job=repository.get_full_job(job),
        run_config={},
        tags={},
        op_selection=None,
        run_id=None,
    )
    daemon.instance.submit_run(run.run_id, workspace)
    seen = 0
    while seen < len(runs := finished(daemon.instance, job)):
        seen = len(runs)
        records = daemon.instance.get_run_records(dg.RunsFilter(job_name=job))
        list(consume_new_runs_for_automatic_reexecution(daemon, records, logging.getLogger("daemon")))
    return runs


def finished(instance: dg.DagsterInstance, job: str) -> list[dg.DagsterRun]:
    """Wait for all runs of a job to end."""
    patience = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.1)):
        runs = list(instance.get_runs(dg.RunsFilter(job_name=job)))
        if all(run.is_finished for run in runs):
            return runs
        patience.wait(0.1)
    raise TimeoutError(f"runs of {job} do not end")


def test_a_refused_refresh_token_is_one_run_and_one_token_request(
    daemon: WorkspaceProcessContext, sandbox: Sandbox
) -> None:
    sandbox.faults.refuse_refresh = 400
    runs = launched(daemon, "with_names")
    requests = sandbox.token_requests
    sandbox.clear()
    bare = launched(daemon, "without_names")
    show(
        "a refused refresh token, run_retries on",
        runs=len(runs),
        token_requests=requests,
        runs_without_the_tag=len(bare),
        token_requests_without_the_tag=sandbox.token_requests,
    )
    assert (len(runs), requests) == (1, 1)
    assert [run.status for run in runs] == [dg.DagsterRunStatus.FAILURE]
    assert (len(bare), sandbox.token_requests) == (1 + RETRIES, 1 + RETRIES), "Dagster would have tried again"

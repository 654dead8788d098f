"""Backfills started by clicking in a real Chromium, from a job's page and an asset's, and by a command."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from playwright.sync_api import Page, sync_playwright

from tests.conftest import ROOT
from tests.dagster_runs import BIN, Location
from tests.dev import is_taken
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_profiles, plain

DAYS = last_days(7)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
START_SECONDS, BACKFILL_SECONDS = 60, 420


def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine; CI installs it and runs this")
    assert found, f"CI needs one of {', '.join(BROWSERS)}"
    return found


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def dagster_dev(location: Location) -> Iterator[str]:
    """Run what `make dev` runs; give its address."""
    port = free_port()
    command, environment = [BIN / "python", "-m", "tests.dev"], location.environment | {"PORT": str(port)}
    with (location.folder / "dev.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_until_up(f"http://127.0.0.1:{port}/server_info", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)
    assert not is_taken(port)


def wait_until_up(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("Dagster's web server did not come up")


def launch(page: Page, button: str, partitions: str) -> None:
    """Click through the dialog that launches a backfill of some partitions."""
    page.get_by_role("button", name=button).first.click()
    page.get_by_role("button", name="Custom", exact=True).click()
    chosen = page.get_by_role("dialog").get_by_role("textbox").first
    chosen.fill(partitions)
    chosen.press("Tab")
    page.get_by_role("button", name="Launch backfill").click()
    page.get_by_text("Launch backfill").wait_for(state="detached")


def wait_for_backfills(location: Location, number: int) -> list[BulkActionStatus]:
    """Wait until so many backfills and all runs have ended; the daemon looks at them every half minute."""
    deadline = time.monotonic() + BACKFILL_SECONDS
    with location.instance() as instance:
        while True:
            found = [backfill.status for backfill in instance.get_backfills()]
            running = instance.get_runs_count(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES))
            ended = len(found) == number and BulkActionStatus.REQUESTED not in found and not running
            if ended:
                return found
            assert time.monotonic() < deadline, f"{found}, {running} runs going on\n{ends_of_log(location)}"
            time.sleep(0.5)


def ends_of_log(location: Location) -> str:
    """What Dagster said, for a backfill that does not end on a machine that nobody can look at."""
    return (location.folder / "dev.log").read_text()[-20_000:]


@pytest.mark.journey
def test_backfills_by_clicking_and_by_a_command_turn_green(sandbox: Sandbox, tmp_path: Path) -> None:
    executable = browser()
    sandbox.write_feed(tmp_path / "feed", DAYS)
    location = Location(sandbox, tmp_path, settings={"TARGETDATA_START_DATE": str(DAYS[0])})
    with dagster_dev(location) as url, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{url}/locations/targetdata/jobs/profiles_daily")
        launch(page, "Materialize all", f"[{DAYS[0]}...{DAYS[2]}]")
        page.goto(f"{url}/assets/profile_keys")
        launch(page, "Materialize", f"[{DAYS[3]}...{DAYS[5]}]")
        command = ["job", "backfill", "-j", "profiles_daily", "--partitions", str(DAYS[6]), "--noprompt"]
        location.run("dagster", *command)
        by_command, *by_clicking = wait_for_backfills(location, 3)  # the latest is first
        assert by_clicking == [BulkActionStatus.COMPLETED_SUCCESS] * 2
        assert by_command is BulkActionStatus.COMPLETED  # the command has launched its runs by itself
        page.goto(f"{url}/runs?view=backfills")
        page.get_by_text("Success").nth(1).wait_for()
        assert page.get_by_text("Failed", exact=True).count() <= 1  # the tab of that name
        page.goto(f"{url}/assets/profiles?view=partitions")
        page.get_by_text(str(DAYS[0])).first.wait_for()
        chromium.close()
    for day in [*DAYS[:3], DAYS[6]]:
        umids = sandbox.umids_of(day)
        assert plain(location.lake.read("profiles", f"date={day}")) == expected_profiles(sandbox, umids)
    for day in DAYS[3:6]:
        assert location.lake.read("profile_keys", f"date={day}")["umid"].to_pylist() == sandbox.umids_of(day)

"""The seat of a person at Dagster's UI: pages to open, buttons to press, runs to wait for."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import dagster as dg
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from playwright.sync_api import Locator, Page, ViewportSize

from tests.dagster_runs import Location

RUN_SECONDS = 120
JOB = "locations/targetdata/jobs/profiles_daily"
GRAPH_SIZE = ViewportSize(width=2200, height=800)
LAUNCH = re.compile("Launch (backfill|1 run)")
BY_ITSELF = {"dagster/from_automation_condition", "dagster/sensor_name", "dagster/schedule_name"}

T = TypeVar("T")


@dataclass
class Seat:
    """A page of the browser, the address of the server, and the location that it serves."""

    page: Page
    url: str
    location: Location

    def open(self, path: str) -> None:
        """Go to a page of the UI."""
        self.page.goto(f"{self.url}/{path}")

    def text(self, text: str | re.Pattern[str], *, exact: bool = True) -> Locator:
        """Find the first text like this that is shown."""
        return self.page.get_by_text(text, exact=exact).locator("visible=true").first

    def reads(self, *texts: str) -> None:
        """Wait until each of the texts stands on the page, as a part of its own."""
        for text in texts:
            self.text(text).wait_for()

    def open_graph(self) -> None:
        """Go to the graph of all assets, wide enough that each of the line tells what it is."""
        self.page.set_viewport_size(GRAPH_SIZE)
        self.open("asset-groups?expanded=global%40global%3Atargetdata")
        self.reads("feed", "profiles_wide", "GraphQL", "pandas")

    def choose(self, path: str, partitions: str) -> None:
        """Open the dialog of an asset's page, or a job's, that launches runs, and choose partitions."""
        self.open(path)
        button = re.compile("Materialize( all)?…")
        self.page.get_by_role("button", name=button).first.click()
        self.page.get_by_role("button", name="Custom", exact=True).click()
        chosen = self.page.get_by_role("dialog").get_by_role("textbox").first
        chosen.fill(partitions)
        chosen.press("Tab")

    def launch(self, path: str, partitions: str) -> None:
        """Launch a run of one partition, or a backfill of several."""
        self.choose(path, partitions)
        button = self.page.get_by_role("button", name=LAUNCH)
        button.click()
        button.wait_for(state="detached")

    def launch_run(self, partition: str, path: str = JOB) -> str:
        """Launch a run of one partition and go to its page; give its id."""
        self.launch(path, partition)
        self.text("View").click()
        self.page.wait_for_url("**/runs/*")
        return self.run_id

    @property
    def run_id(self) -> str:
        """The run whose page is open."""
        return self.page.url.rsplit("/", 1)[-1].partition("?")[0]

    def wait_for(self, say: Callable[[dg.DagsterInstance], T | None], seconds: float = RUN_SECONDS) -> T:
        """Wait until the instance holds what is looked for."""
        deadline = time.monotonic() + seconds
        with self.location.instance() as instance:
            while (found := say(instance)) is None:
                assert time.monotonic() < deadline, "it did not come about in time"
                self.page.wait_for_timeout(250)  # the page goes on meanwhile
        return found

    def ended(self, run_id: str) -> dg.DagsterRunStatus:
        """Wait until a run has ended; give how."""

        def status(instance: dg.DagsterInstance) -> dg.DagsterRunStatus | None:
            run = instance.get_run_by_id(run_id)
            return run.status if run and run.is_finished else None

        return self.wait_for(status)

    def ended_backfills(self, number: int, seconds: float = RUN_SECONDS) -> Sequence[PartitionBackfill]:
        """Wait until so many backfills of a person's have ended, and all runs; the latest is first."""

        def ended(instance: dg.DagsterInstance) -> Sequence[PartitionBackfill] | None:
            found = [each for each in instance.get_backfills() if not BY_ITSELF & each.tags.keys()]
            running = instance.get_runs_count(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES))
            over = len(found) >= number and not any(each.status.value == "REQUESTED" for each in found)
            return found if over and not running else None

        return self.wait_for(ended, seconds)

    def steps_of(self, run_id: str) -> set[str]:
        """Name the steps that a run has started."""
        with self.location.instance() as instance:
            events = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_START).records
        return {str(event.event_log_entry.step_key) for event in events}

"""The pictures of the docs, taken from Dagster's UI with the sandbox: make screenshots.

Everything else is in a temporary folder that is gone afterwards; what a picture shows is not of this machine.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from playwright.sync_api import FloatRect

from tests.browser.picture import save
from tests.browser.seat import JOB, Seat
from tests.browser.server import chromium, dagster_dev, executable
from tests.dagster_runs import Location
from tests.local import ROOT, last_days
from tests.sandbox import Sandbox

IMAGES = ROOT / "docs" / "images"
PORT = 8080  # of the sandbox, as its address stands in messages
DAYS = last_days(7)
WEEK = f"[{DAYS[0]}...{DAYS[-1]}]"
GRAPH = FloatRect(x=590, y=125, width=1560, height=565)  # without the margins of its page
SETTLED_MILLISECONDS = 1500  # of moving parts: plots, dialogs
BACKFILL_SECONDS = 600
ELSEWHERE = "/opt/targetdata-pipelines"
RENAME = """names => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode())
        for (const [name, other] of Object.entries(names))
            walker.currentNode.data = walker.currentNode.data.replaceAll(name, other);
}"""


def launch_backfill(seat: Seat) -> None:
    seat.choose(JOB, WEEK)
    seat.reads("7 partitions")
    seat.page.get_by_text("Loading").first.wait_for(state="hidden")


def asset_graph(seat: Seat) -> None:
    make_a_week(seat)
    seat.open_graph()
    seat.reads("19", "7 partitions")


def asset_page(seat: Seat) -> None:
    seat.open(f"assets/profiles?view=partitions&partition={DAYS[-2]}")
    seat.reads("Materialized", "keys_asked", "retries")


def plots(seat: Seat) -> None:
    seat.open("assets/profiles")
    seat.reads("Plots", "keys_asked")
    seat.text("Plots").click()
    seat.text("keys_found").wait_for()
    seat.text("keys_asked").evaluate("found => found.scrollIntoView({block: 'start'})")


def checks(seat: Seat) -> None:
    seat.open("assets/profiles?view=checks&checkDetail=observed_late")
    seat.reads("About")
    seat.page.get_by_text("Partitions", exact=True).last.click()
    seat.page.get_by_text(str(DAYS[1]), exact=True).locator("visible=true").click()
    seat.reads("Latest execution", "Target materialization")


def backfill(seat: Seat) -> None:
    (done,) = seat.ended_backfills(1)
    seat.open(f"runs/b/{done.backfill_id}")
    seat.reads("Succeeded", "100% completed")


def run(seat: Seat) -> None:
    with seat.location.instance() as instance:
        newest, *_ = instance.get_runs(dg.RunsFilter(job_name="profiles_daily"))
    seat.open(f"runs/{newest.run_id}")
    seat.reads("Success", "RUN_SUCCESS")


def automation(seat: Seat) -> None:
    seat.open("locations/targetdata/schedules/profiles_every_morning")
    seat.page.get_by_role("checkbox").first.press("Space")
    seat.reads("Next tick")
    seat.open("automation")
    seat.reads("feed_arrived", "loads_follow_extracts", "profiles_every_morning", "retention_every_morning")


def failed_run(seat: Seat) -> None:
    seat.location.sandbox.faults.refuse_refresh = 400
    failed = seat.launch_run(str(DAYS[-1]))
    seat.ended(failed)
    seat.open(f"runs/{failed}")
    seat.reads("Failure", "RUN_FAILURE")


PICTURES: dict[str, Callable[[Seat], None]] = {  # in the order in which they come about
    "launch-backfill.png": launch_backfill,
    "asset-graph.png": asset_graph,
    "asset-page.png": asset_page,
    "plots.png": plots,
    "checks.png": checks,
    "backfill.png": backfill,
    "run.png": run,
    "automation.png": automation,
    "failed-run.png": failed_run,
}


def main(folder: Path = IMAGES) -> int:
    """Take all pictures; the exit code is 1 without a Chromium."""
    path = executable()
    if path is None:
        print("The pictures need a Chromium, for example: apt-get install chromium", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with account() as location, dagster_dev(location) as url:
        for name, show in PICTURES.items():
            with chromium(path) as page:
                take(Seat(page, url, location), show, folder / name)
    return 0


@contextmanager
def account() -> Iterator[Location]:
    """Run the sandbox with a week of events, in a folder whose name may be shown."""
    folder = Path(tempfile.gettempdir()) / "targetdata"
    folder.mkdir()
    try:
        with Sandbox(people=2000, seed=7, port=PORT) as sandbox:
            sandbox.write_feed(folder / "feed", DAYS)
            yield Location(sandbox, folder, settings={"TARGETDATA_START_DATE": str(DAYS[0])})
    finally:
        shutil.rmtree(folder)


def make_a_week(seat: Seat) -> None:
    """Run a backfill of all days, and wait until the warehouse has them too."""
    seat.launch(JOB, WEEK)

    def loaded(instance: dg.DagsterInstance) -> bool | None:
        last = dg.AssetKey(["warehouse", "profiles_wide"])
        return len(instance.get_materialized_partitions(last)) == len(DAYS) or None

    seat.wait_for(loaded, BACKFILL_SECONDS)
    seat.ended_backfills(1)


def take(seat: Seat, show: Callable[[Seat], None], file: Path) -> None:
    """Take one picture, when the page stands still."""
    show(seat)
    seat.page.mouse.move(0, 0)
    seat.page.wait_for_timeout(SETTLED_MILLISECONDS)
    seat.page.evaluate(RENAME, {sys.prefix: f"{ELSEWHERE}/.venv", str(ROOT): ELSEWHERE})
    clip = GRAPH if show is asset_graph else None
    picture = seat.page.screenshot(clip=clip, animations="disabled", caret="hide")
    save(seat.page.context.new_page(), picture, file)
    print(f"{file.name}  {file.stat().st_size // 1000} kB", flush=True)


if __name__ == "__main__":
    sys.exit(main())

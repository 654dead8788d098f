"""What the pages of the line and of one asset tell whoever reads them."""

import re

import dagster as dg
import pyarrow as pa
import pytest
from playwright.sync_api import Locator

from tests.browser.conftest import DAYS
from tests.browser.seat import Seat
from tests.sandbox import Sandbox

DAY = DAYS[6]  # it ended two days ago, and what is asked about it now is no longer that day's state
LINE = ("feed", "profile_keys", "profiles", "profiles_refresh", "profiles_wide", "warehouse")
KINDS = {"jsonl": 1, "Parquet": 4, "GraphQL": 3, "pandas": 1}


def left_edge(found: Locator) -> float:
    box = found.bounding_box()
    assert box
    return box["x"]


@pytest.mark.journey
def test_the_graph_shows_the_line_from_feed_and_api_to_the_warehouse(seat: Seat) -> None:
    seat.open_graph()
    graph = seat.page.locator("svg").filter(has=seat.page.get_by_text("profiles_wide")).last
    places = [left_edge(graph.get_by_text(name, exact=True).last) for name in LINE]
    assert places == sorted(places)
    assert left_edge(graph.get_by_text("targetdata_api", exact=True)) < places[2]
    assert {kind: graph.get_by_text(kind, exact=True).count() for kind in KINDS} == KINDS
    seat.open("assets/profiles")
    seat.reads("Upstream assets", "Downstream assets", "targetdata", "GraphQL", "Parquet")
    linked = [link.get_attribute("href") for link in seat.page.get_by_role("link").all()]
    there = [
        f"/assets/{name}" for name in ("profile_keys", "targetdata_api", "profiles_refresh", "profiles_wide")
    ]
    assert [href for href in linked if href in there] == there
    assert linked.count("/assets/warehouse/profiles") == 2  # downstream, and as the table's name
    seat.text("One row per profile of a person who had an event on the day", exact=False).wait_for()
    seat.reads("from targetdata_api.personTargetDataByUmid.profileId")


def metadata(seat: Seat) -> dict[str, str]:
    """Read the table of a partition's metadata."""
    seat.reads("Materialized", "keys_asked")
    rows = [row.get_by_role("cell").all_inner_texts() for row in seat.page.get_by_role("row").all()]
    return {cells[0].strip(): cells[1].strip() for cells in rows if len(cells) > 1}


@pytest.mark.journey
def test_an_assets_page_tells_a_days_figures_and_what_its_checks_found(seat: Seat) -> None:
    sandbox = seat.location.sandbox
    run = seat.launch_run(str(DAY))
    assert seat.ended(run) is dg.DagsterRunStatus.SUCCESS
    found = seat.location.lake.read("profiles__lookups", f"date={DAY}")
    seat.open(f"assets/profiles?view=partitions&partition={DAY}")
    told = metadata(seat)
    assert {name: told[name] for name in figures(sandbox, found)} == figures(sandbox, found)
    assert int(told["rows"]) == seat.location.lake.read("profiles", f"date={DAY}").num_rows
    assert told["dagster/column_schema"] == "[Show Table Schema]"
    seat.page.get_by_text("[Show Table Schema]").click()
    seat.reads("profile_id", "timestamp[us, tz=UTC]")
    open_check(seat, "accounting")
    seat.reads("Passed", "keys_not_found", str(found.num_rows))
    open_check(seat, "observed_late")
    seat.text(re.compile(r"^observed [23]\.\d days after its end")).wait_for()
    seat.text("the API shows the present only", exact=False).wait_for()


def open_check(seat: Seat, name: str) -> None:
    """Open what a check has found for the day."""
    seat.open(f"assets/profiles?view=checks&checkDetail={name}")
    seat.reads("About")
    seat.page.get_by_text("Partitions", exact=True).last.click()
    seat.text(str(DAY)).click()
    seat.reads("Latest execution", "Target materialization")


def figures(sandbox: Sandbox, lookups: pa.Table) -> dict[str, str]:
    """Count what a day's keys should have come to."""
    umids = sandbox.umids_of(DAY)
    people = sum(sandbox.person_of(umid) is not None for umid in umids)
    assert lookups.num_rows == len(umids)
    return {
        "keys_asked": str(len(umids)),
        "keys_found": str(people),
        "keys_not_found": str(len(umids) - people),
        "keys_failed": "0",
    }

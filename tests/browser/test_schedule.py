"""The schedule turned on by its switch, and the run that its tick makes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from tests.browser.conftest import seated
from tests.browser.seat import Seat
from tests.browser.server import dagster_dev, required_executable
from tests.dagster_runs import Location
from tests.sandbox import Sandbox
from tests.truth import expected_profiles, plain

NAME = "profiles_every_morning"
START = timedelta(seconds=75)  # until the server is up, the page is open and the switch is pressed
TICK_SECONDS = 240


@pytest.fixture
def tick() -> datetime:
    """The next whole minute that leaves time to turn the schedule on."""
    return (datetime.now(UTC) + START + timedelta(minutes=1)).replace(second=0, microsecond=0)


@pytest.fixture
def early_seat(
    sandbox: Sandbox, tick: datetime, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Seat]:
    """A person before a UI whose schedule comes at the tick."""
    required_executable()
    day = (tick - timedelta(days=1)).date()
    sandbox.write_feed(tmp_path / "feed", [day])
    settings = {
        "TARGETDATA_START_DATE": str(day),
        "TARGETDATA_SCHEDULE_HOUR": str(tick.hour),
        "TARGETDATA_SCHEDULE_MINUTE": str(tick.minute),
    }
    location = Location(sandbox, tmp_path, settings=settings)
    with dagster_dev(location) as url:
        yield from seated(url, location, request, tmp_path)


@pytest.mark.journey
def test_the_schedule_turned_on_by_its_switch_runs_yesterdays_partition(
    early_seat: Seat, tick: datetime
) -> None:
    seat, location, sandbox = early_seat, early_seat.location, early_seat.location.sandbox
    seat.open("automation")
    seat.reads("feed_arrived", "loads_follow_extracts", NAME)
    seat.open(f"locations/targetdata/schedules/{NAME}")
    seat.reads("Yesterday's partition, in the partitions' time zone.", "Schedule has never run")
    seat.page.get_by_text(f"({tick.minute} {tick.hour} * * *)").wait_for()
    switch = seat.page.get_by_role("checkbox").first
    assert not switch.is_checked()
    switch.press("Space")
    seat.page.get_by_text("Next tick").wait_for()
    assert switch.is_checked()
    assert datetime.now(UTC) < tick, "the machine was too slow to turn it on before its minute"

    def run_of_tick(instance: dg.DagsterInstance) -> dg.DagsterRun | None:
        return next(iter(instance.get_runs(dg.RunsFilter(tags={"dagster/schedule_name": NAME}))), None)

    run = seat.wait_for(run_of_tick, TICK_SECONDS)
    day = (tick - timedelta(days=1)).date()
    assert run.tags["dagster/partition"] == str(day)
    assert seat.ended(run.run_id) is dg.DagsterRunStatus.SUCCESS
    seat.page.reload()
    seat.text("1 run requested", exact=False).wait_for()
    seat.open(f"runs/{run.run_id}")
    seat.reads("Success", f"partition: {day}", NAME)
    assert plain(location.lake.read("profiles", f"date={day}")) == expected_profiles(
        sandbox, sandbox.umids_of(day)
    )

"""Backfills started by clicking, from a job's page and an asset's, and by a command."""

import pytest
from dagster._core.execution.backfill import BulkActionStatus

from tests.browser.conftest import DAYS
from tests.browser.seat import JOB, Seat
from tests.truth import expected_profiles, plain

BACKFILL_SECONDS = 420  # the daemon looks at them every half minute


@pytest.mark.journey
def test_backfills_by_clicking_and_by_a_command_turn_green(seat: Seat) -> None:
    location, sandbox = seat.location, seat.location.sandbox
    seat.launch(JOB, f"[{DAYS[0]}...{DAYS[1]}]")
    seat.launch("assets/profile_keys", f"[{DAYS[2]}...{DAYS[3]}]")
    command = ["job", "backfill", "-j", "profiles_daily", "--partitions", str(DAYS[4]), "--noprompt"]
    location.run("dagster", *command)
    by_command, *by_clicking = [each.status for each in seat.ended_backfills(3, BACKFILL_SECONDS)]
    assert by_clicking == [BulkActionStatus.COMPLETED_SUCCESS] * 2
    assert by_command is BulkActionStatus.COMPLETED  # the command has launched its runs by itself
    seat.open("runs?view=backfills")
    seat.page.get_by_text("Success").nth(1).wait_for()
    assert seat.page.get_by_text("Failed", exact=True).count() <= 1  # the tab of that name
    for day in [*DAYS[:2], DAYS[4]]:
        umids = sandbox.umids_of(day)
        assert plain(location.lake.read("profiles", f"date={day}")) == expected_profiles(sandbox, umids)
    for day in DAYS[2:4]:
        assert location.lake.read("profile_keys", f"date={day}")["umid"].to_pylist() == sandbox.umids_of(day)
        assert location.lake.manifest("profiles", f"date={day}") is None, "an asset's page makes that asset"
    seat.open("assets/profiles?view=partitions")
    seat.reads(str(DAYS[0]), str(DAYS[-1]))

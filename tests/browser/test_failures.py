"""A token that is refused, and a run that is cancelled: what is said, and how it goes on."""

import dagster as dg
import pytest

from tests.browser.conftest import DAYS
from tests.browser.seat import Seat
from tests.sandbox import Sandbox
from tests.truth import expected_profiles, plain

TOKEN_DAY, CANCEL_DAY = DAYS[7], DAYS[8]
REFUSED = "offline-of-somebody-who-has-left"
ENOUGH = 600  # answers, of which the first page has been staged


def is_whole(seat: Seat, day: object) -> bool:
    sandbox = seat.location.sandbox
    found = plain(seat.location.lake.read("profiles", f"date={day}"))
    return found == expected_profiles(sandbox, sandbox.umids_of(day))


@pytest.mark.journey
def test_a_refused_token_says_what_to_do_and_the_run_goes_on_from_its_failure(seat: Seat) -> None:
    token = seat.location.folder / "token"
    good = token.read_text()
    token.write_text(REFUSED)
    try:
        failed = seat.launch_run(str(TOKEN_DAY))
        assert seat.ended(failed) is dg.DagsterRunStatus.FAILURE
        seat.reads("Failure", f"partition: {TOKEN_DAY}")
        url = seat.location.sandbox.url
        said = f"make a new offline refresh token at {url}/auth/offline-token"
        seat.text(said, exact=False).wait_for()
        seat.text("TokenRefused", exact=False).wait_for()
        assert REFUSED not in seat.page.content()  # what the run had, and might have told
    finally:
        token.write_text(good)
    assert seat.location.lake.manifest("profiles", f"date={TOKEN_DAY}") is None
    keys = seat.location.lake.manifest("profile_keys", f"date={TOKEN_DAY}")
    again = re_executed_from_failure(seat)
    assert again != failed
    assert seat.ended(again) is dg.DagsterRunStatus.SUCCESS
    seat.reads("Success", f"partition: {TOKEN_DAY}")
    assert "profile_keys" in seat.steps_of(failed)
    assert {"profiles", "profiles_wide"} <= seat.steps_of(again)
    assert "profile_keys" not in seat.steps_of(again)
    assert seat.location.lake.manifest("profile_keys", f"date={TOKEN_DAY}") == keys, (
        "they were not made again"
    )
    assert is_whole(seat, TOKEN_DAY)


def re_executed_from_failure(seat: Seat) -> str:
    before = seat.run_id
    seat.page.locator("button:has-text('Re-execute all') ~ *").get_by_role("button").or_(
        seat.page.locator("button:has-text('Re-execute all') ~ button")
    ).first.click()
    seat.page.get_by_role("menuitem", name="From failure").click()
    seat.page.wait_for_url(lambda url: "/runs/" in url and before not in url)
    return seat.run_id


def wait_for_answers(seat: Seat, sandbox: Sandbox, number: int) -> None:
    def enough(_: dg.DagsterInstance) -> bool | None:
        return len(sandbox.answers) >= number or None

    seat.wait_for(enough)


@pytest.mark.journey
def test_a_cancelled_run_publishes_nothing_and_the_next_goes_on_where_it_was(seat: Seat) -> None:
    sandbox, lake = seat.location.sandbox, seat.location.lake
    umids = sandbox.umids_of(CANCEL_DAY)
    sandbox.clear()
    sandbox.faults.latency = 0.5
    run = seat.launch_run(str(CANCEL_DAY))
    wait_for_answers(seat, sandbox, ENOUGH)
    sandbox.faults.latency = 60.0  # so that it does not end before the button is pressed
    seat.page.get_by_role("button", name="Terminate").click()
    seat.page.get_by_role("dialog").get_by_role("button", name="Terminate").click()
    assert seat.ended(run) is dg.DagsterRunStatus.CANCELED
    seat.page.keyboard.press("Escape")
    seat.reads("Canceled")
    assert lake.manifest("profiles", f"date={CANCEL_DAY}") is None
    assert not (lake.root / "profiles" / f"date={CANCEL_DAY}" / "part-00000.parquet").exists()
    sandbox.faults.latency = 0.0
    sandbox.clear()
    again = seat.launch_run(str(CANCEL_DAY))
    assert seat.ended(again) is dg.DagsterRunStatus.SUCCESS
    asked = {key for request in sandbox.requests for key in request.keys if key in set(umids)}
    assert len(asked) < len(umids), "what was staged is not asked again"
    assert is_whole(seat, CANCEL_DAY)
    seat.open(f"assets/profiles?view=partitions&partition={CANCEL_DAY}")
    seat.reads("keys_resumed", str(len(umids) - len(asked)))

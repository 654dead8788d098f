"""A server for all journeys of a process, a browser for each, and what is left of one that failed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.seat import Seat
from tests.browser.server import chromium, dagster_dev, log_of, required_executable
from tests.dagster_runs import Location
from tests.local import last_days
from tests.sandbox import Sandbox

DAYS = last_days(9)
FAILED = pytest.StashKey[bool]()
LOG_CHARACTERS = 20_000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: "pytest.CallInfo[None]") -> Iterator[None]:
    """Remember that a test has failed, for what comes after it."""
    report: Any = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Location]]:
    """The server and its location; each test takes days of its own."""
    required_executable()
    folder = tmp_path_factory.mktemp("targetdata")
    with Sandbox(people=2000, seed=7) as sandbox:
        sandbox.write_feed(folder / "feed", DAYS)
        token = folder / "token"
        token.write_text(sandbox.refresh_token)
        settings = {
            "TARGETDATA_START_DATE": str(DAYS[0]),
            "TARGETDATA_REFRESH_TOKEN": "",
            "TARGETDATA_REFRESH_TOKEN_FILE": str(token),
            "TARGETDATA_MAX_BATCH": "25",  # so many requests that a run can be met half-way
            "TARGETDATA_MAX_IN_FLIGHT": "4",
        }
        location = Location(sandbox, folder, settings=settings)
        with dagster_dev(location) as url:
            yield url, location


@pytest.fixture
def seat(served: tuple[str, Location], request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Seat]:
    """A person before the UI."""
    url, location = served
    yield from seated(url, location, request, tmp_path)


def seated(url: str, location: Location, request: pytest.FixtureRequest, folder: Path) -> Iterator[Seat]:
    """Open a browser; if the test fails, keep a picture and show what the server has said at last."""
    with chromium(required_executable()) as page:
        yield Seat(page, url, location)
        if request.node.stash.get(FAILED, False):
            page.screenshot(path=folder / "failed.png")
            print(f"{page.url}, a picture of it: {folder / 'failed.png'}")
            print(log_of(location).read_text()[-LOG_CHARACTERS:])
    location.sandbox.faults.change({"latency": 0.0, "refuse_refresh": None})

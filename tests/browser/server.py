"""`make dev` as the journeys run it, and the Chromium that they click in."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.dagster_runs import BIN, Location
from tests.dev import is_taken
from tests.local import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WIDTH, HEIGHT = 1400, 900
START_SECONDS = 60
PAGE_SECONDS = 30.0  # for one thing to appear on a page, on two cores that others use too


def executable() -> str | None:
    """Find a Chromium."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def required_executable() -> str:
    """Find a Chromium; without one a test is skipped, but not where all tests have to run."""
    found = executable()
    if found is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine; CI installs it and runs this")
    assert found, f"CI needs one of {', '.join(BROWSERS)}"
    return found


@contextmanager
def chromium(path: str) -> Iterator[Page]:
    """Open a page in a Chromium of its own, in light colours and with the clock in UTC."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        context = browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT},
            device_scale_factor=1,
            color_scheme="light",
            locale="en-US",
            timezone_id="UTC",
        )
        page = context.new_page()
        page.set_default_timeout(PAGE_SECONDS * 1000)
        yield page
        browser.close()


@contextmanager
def dagster_dev(location: Location) -> Iterator[str]:
    """Run what `make dev` runs; give its address."""
    port = free_port()
    command, environment = [BIN / "python", "-m", "tests.dev"], location.environment | {"PORT": str(port)}
    with log_of(location).open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_until_up(f"http://127.0.0.1:{port}/server_info", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)
    assert not is_taken(port)


def log_of(location: Location) -> Path:
    """Name the file of what the server says."""
    return location.folder / "dev.log"


def free_port() -> int:
    """Give a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until_up(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the web server answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("Dagster's web server did not come up")

"""docs/operating.md is executed: its processes run, its settings are taken, its alert is sent."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import dagster as dg
import pytest

from tests.conftest import ROOT
from tests.dagster_runs import BIN, Location, copied_checkout
from tests.documents import blocks
from tests.local import last_days
from tests.sandbox import Sandbox

PAGE = ROOT / "docs" / "operating.md"
DAY = last_days()[-1]
SECONDS = 400  # on a machine with much else to do
pytestmark = pytest.mark.journey  # processes that come up, and runs


def commands(word: str) -> list[list[str]]:
    lines = [line for text in blocks(PAGE, "sh") for line in text.splitlines() if ".venv/bin/" in line]
    return [shlex.split(line.removeprefix(".venv/bin/")) for line in lines if word in line]


@contextmanager
def service(command: list[str], location: Location) -> Iterator[None]:
    """Run a service of the page until the end of the `with`."""
    with (location.folder / f"{command[0]}.log").open("w") as log:
        environment = location.environment | {"PYTHONPATH": str(location.root)}
        running = subprocess.Popen(
            [BIN / command[0], *command[1:]], cwd=location.root, env=environment, stdout=log, stderr=log
        )
        try:
            yield
        finally:
            running.terminate()
            running.wait(60)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except OSError:
        return False
    return True


@contextmanager
def chat() -> Iterator[tuple[str, list[str]]]:
    """Run something that is told; give its address and what it was told."""
    told: list[str] = []

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(204)
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Chat)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def test_its_services_run_and_a_failure_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    location = Location(sandbox, tmp_path, copied_checkout(tmp_path / "clone"))
    sandbox.write_feed(tmp_path / "feed", [DAY])
    (alert,) = blocks(PAGE, "python")
    (location.root / "pipelines" / "defs" / "alerts").mkdir()
    (location.root / "pipelines" / "defs" / "alerts" / "sensor.py").write_text(alert)
    (daemon,), (webserver,), (liveness,) = map(commands, ("dagster-daemon run", "webserver", "liveness"))
    port = free_port()
    webserver[webserver.index("--port") + 1] = port
    with ExitStack() as stack:
        url, told = stack.enter_context(chat())
        location.settings["ALERT_URL"] = url
        with location.instance() as instance:  # of two that begin at once, each would make the databases
            assert not instance.get_runs()
            assert not instance.all_instigator_state()
        stack.enter_context(service(daemon, location))
        lives = [str(BIN / liveness[0]), *liveness[1:]]
        environment = os.environ | location.environment
        wait_until(
            lambda: subprocess.run(lives, env=environment, capture_output=True).returncode == 0, "the daemon"
        )
        stack.enter_context(service(webserver, location))
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/server_info"), "the UI")
        with location.instance() as instance:
            wait_until(lambda: has_ticked(instance, "tell_failures"), "the sensor")
        sandbox.faults.refuse_refresh = 401
        location.run(
            "dagster", "job", "backfill", "-j", "profiles_daily", "--partitions", str(DAY), "--noprompt"
        )
        wait_until(lambda: bool(told), "nobody was told")
    assert told[0].startswith(f"profiles_daily {DAY} failed: the refresh token is refused (401 from ")
    assert sandbox.refresh_token not in told[0]


def has_ticked(instance: dg.DagsterInstance, name: str) -> bool:
    found = [state for state in instance.all_instigator_state() if state.name == name]
    return any(instance.get_ticks(s.instigator_origin_id, s.selector_id) for s in found)


def test_its_settings_of_dagster_are_taken(tmp_path: Path) -> None:
    shipped = (ROOT / ".dagster" / "dagster.yaml").read_text()
    (tmp_path / "dagster.yaml").write_text("\n".join([shipped, *blocks(PAGE, "yaml")]))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert (instance.python_log_level, list(instance.managed_python_loggers)) == ("DEBUG", ["root"])
        ticks = instance.get_tick_retention_settings(dg._core.definitions.run_request.InstigatorType.SENSOR)
        assert sorted(ticks.values()) == [-1, 7, 30, 90]
        limits = instance.get_concurrency_config()
        assert limits.pool_config.default_pool_limit == 1
        assert limits.run_queue_config
        assert limits.run_queue_config.max_concurrent_runs == 10


def test_its_commands_work_and_a_lake_may_be_moved(sandbox: Sandbox, tmp_path: Path) -> None:
    location = Location(sandbox, tmp_path)
    sandbox.write_feed(tmp_path / "feed", [DAY])
    location.materialize(str(DAY))
    for command in commands("targetdata gc"):
        assert "removed in all: 0 folders" in location.run(*command).stdout
    for command in commands("concurrency"):
        said = location.run(*command).stdout
    assert '"targetdata": 0 / 2 slots' in said
    shutil.move(tmp_path / "lake", tmp_path / "moved")
    stored = [path for path in (tmp_path / "moved").rglob("*") if path.is_file()]
    assert [path for path in stored if str(tmp_path).encode() in path.read_bytes()] == []
    location.settings["TARGETDATA_LAKE"] = str(tmp_path / "moved")
    location.materialize(str(DAY), select="profiles,profiles_wide")
    (command,) = commands("warehouse_daily")
    location.run(*(word.replace("2026-11-21", str(DAY)).replace("2026-11-22", str(DAY)) for word in command))

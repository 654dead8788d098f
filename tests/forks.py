"""Processes that are forked after the slow imports: a command of the installation starts in no time.

A command gets the project's own modules from the checkout that is run, with the environment that it is run
with, whatever children of other tests need imported before.
"""

import io
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

LIBRARIES = [
    *("dagster", "dagster._cli", "dagster_webserver", "dagster._daemon.controller"),
    *("dagster._core.instance.factory", "dagster._core.execution.execute_in_process"),
    *("dagster._core.executor.in_process", "dagster._core.launcher.sync_in_memory_run_launcher"),
    *(f"dagster._core.storage.{name}" for name in ("event_log", "runs", "schedules", "root")),
    *("alembic.command", "sqlalchemy.dialects.sqlite", "structlog", "upath", "fsspec.implementations.local"),
    *("aiohttp", "gql", "gql.transport.aiohttp", "graphql", "tenacity", "msgspec", "dotenv"),
    *("anyio._backends._asyncio", "typer", "rich.progress", "rich.syntax"),
    *("pandas", "pyarrow", "pyarrow.acero", "pyarrow.compute", "pyarrow.dataset", "pyarrow.parquet"),
]
CHILDREN = ["pytest", "tests.crashing", "tests.lake_rows", "tests.chaos.victims"]  # what they run
ROOT = Path(__file__).resolve().parent.parent
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload([*LIBRARIES, *CHILDREN])


class Forked:
    """A running command; the part of `subprocess.Popen` that tests need."""

    def __init__(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self.args = list(arguments)
        self.returncode: int | None = None
        self._said = [tempfile.NamedTemporaryFile(mode="w+", delete=True) for _ in range(2)]  # noqa: SIM115
        names = [file.name for file in self._said]
        self._process = CONTEXT.Process(target=_run, args=(self.args, str(cwd), dict(env), *names))
        self._process.start()

    @property
    def pid(self) -> int:
        """The process' id."""
        assert self._process.pid
        return self._process.pid

    def poll(self) -> int | None:
        """Give the exit code, None while it runs."""
        self.returncode = self._process.exitcode
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for the end; give what it printed, and its errors."""
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        printed, errors = (Path(file.name).read_text("utf-8", errors="replace") for file in self._said)
        return printed, errors

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; give the exit code."""
        self.communicate(timeout)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def _run(arguments: Sequence[str], cwd: str, env: dict[str, str], out: str, err: str) -> None:
    """Become the command, in the child."""
    for number, name in ((1, out), (2, err)):
        file = os.open(name, os.O_WRONLY)
        os.dup2(file, number)
        os.close(file)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", line_buffering=True)
        for number in (1, 2)
    )
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("pipelines", "resources")]:
        del sys.modules[name]
    sys.path[:] = [cwd, *(path for path in sys.path if path not in ("", cwd, str(ROOT)))]
    kind, code, *rest = arguments
    if kind == "-m":
        sys.argv = [code, *rest]
        runpy.run_module(code, run_name="__main__", alter_sys=True)
    else:
        sys.argv = ["-c", *rest]
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})

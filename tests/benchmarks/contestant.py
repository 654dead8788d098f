"""A way to extract, as a process of its own: how it is started, and what it leaves."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from tests.benchmarks.loopback import ROOT

OF_OTHERS = ("TARGETDATA_", "GRAPHQL_", "PYTHONDONTWRITEBYTECODE")  # what a first run compiles is kept
SAID = 2_000  # characters of what a process complains about


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A program; `{url}`, `{folder}` and `{keys}` in its arguments and environment are filled in.

    `table` is the pattern of its Parquet files below the folder. `holds` says how the result is checked:
    `typed` tables have to be equal to the server's rows, `rows` have all of them, `children` has a table for
    each nested list too, and `records` are written to standard output as Singer's messages. A slow one may be
    given so many times `fewer` rows, where its rate does not depend on them.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    table: str = "profiles.parquet"
    holds: str = "typed"
    fewer: int = 1

    def run(self, url: str, folder: Path, keys: Path, *, kept: bool = False) -> "Usage":
        """Run it to its end; `kept`: what it prints is left in the folder, else it goes nowhere."""
        places = {"url": url, "folder": str(folder), "keys": str(keys)}
        command = [sys.executable, *(text.format_map(places) for text in self.arguments)]
        own = {name: text.format_map(places) for name, text in self.environment.items()}
        environment = {n: v for n, v in os.environ.items() if not n.startswith(OF_OTHERS)}
        output = folder / "records.jsonl" if kept else Path(os.devnull)
        complaints = folder / "complaints.txt"
        with output.open("wb") as printed, complaints.open("wb") as errors:
            began = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment | own, stdout=printed, stderr=errors
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said = complaints.read_text()[-SAID:]
            raise RuntimeError(f"{self.name} ended with {process.returncode}: {said}")
        # On Linux a process begins with the peak of the one that started it.
        if usage.ru_maxrss <= getrusage(RUSAGE_SELF).ru_maxrss:
            raise RuntimeError(f"{self.name}: its memory is not known, as the benchmark itself has more")
        return Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)

    def check(self, folder: Path, rows: int, *, whole: bool) -> None:
        """Compare what it left with the server's rows, in another process; a sample, or all if `whole`."""
        kind = "sample" if self.holds == "typed" and not whole else self.holds
        if kind == "records" and not whole:
            return  # they went nowhere; the server's count of rows has to do
        command = [sys.executable, "-m", "tests.benchmarks.check", kind, str(rows), str(folder), self.table]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr[-SAID:]
            raise RuntimeError(f"{self.name} left something else than the server's rows: {said}")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process used: seconds passed, seconds of CPU, and bytes of memory at its peak.

    The memory is that of the largest process, where it starts others.
    """

    seconds: float
    cpu_seconds: float
    memory_bytes: int

"""What Dagster's part costs: loading the code location, and a run of a small partition of `profiles`.

`python -m tests.benchmarks.dagster_cost [REPEATS]`. Processes take turns, and figures are medians of the
pairs of a turn. Leave the machine alone meanwhile: a run waits for SQLite and the disk two hundred times.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.conftest import ROOT
from tests.dagster_runs import Location
from tests.sandbox import Sandbox

PEOPLE = 60
DAYS = [
    str(date(2026, 11, 22) - timedelta(days=back)) for back in reversed(range(8))
]  # as many as checks read
LOADED = "from pipelines.definitions import defs; defs().get_repository_def()"
MODULE = "tests.benchmarks.empty_asset"
PROGRAMS = {
    "import dagster": ("-c", "import dagster"),
    "load": ("-c", LOADED),
    "empty": ("-m", "dagster", "asset", "materialize", "-m", MODULE, "--select", "empty"),
    "profiles": ("-m", "dagster", "asset", "materialize", "-m", MODULE, "--select", "profiles"),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """A figure, its unit, and the target that it must not pass."""

    what: str
    value: float
    target: float
    unit: str


def measure_cost(repeats: int = 7) -> list[Cost]:
    """Measure whole processes, and runs in one process that has imported everything."""
    with Sandbox(people=PEOPLE, seed=7) as sandbox, TemporaryDirectory(prefix="benchmark-") as folder:
        location = Location(sandbox, Path(folder))
        sandbox.write_feed(Path(folder) / "feed", [date.fromisoformat(day) for day in DAYS])
        inside = _inside(location, repeats)
        turns = [{name: _process(location, name) for name in PROGRAMS} for _ in range(repeats + 1)][1:]
    ratio = median(turn["load"][0] / turn["import dagster"][0] for turn in turns)
    whole, of_cpu = (median(turn["profiles"][i] - turn["empty"][i] for turn in turns) for i in (0, 1))
    return [
        Cost("loading the code location / import dagster, processes", ratio, 2.0, "×"),
        Cost("run of profiles - run of an empty asset, processes", whole, 1.0, "s"),
        Cost("the same, of processor time", of_cpu, 1.0, "s"),
        Cost("run of profiles - run of an empty asset, in one process", inside, 1.0, "s"),
    ]


def _inside(location: Location, repeats: int) -> float:
    printed = _run(location, ["-m", "tests.benchmarks.one_process", str(repeats), *DAYS])
    found = json.loads(printed)
    pairs = zip(found["profiles"]["seconds"], found["empty"]["seconds"], strict=True)
    return median(profiles - empty for profiles, empty in pairs)


def _process(location: Location, name: str) -> tuple[float, float]:
    """Give the seconds of a process, and those of processor time."""
    arguments = PROGRAMS[name]
    began, used = time.perf_counter(), _used()
    _run(location, [*arguments, "--partition", DAYS[-1]] if "dagster" in arguments else arguments)
    return time.perf_counter() - began, _used() - used


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def _run(location: Location, arguments: Sequence[str]) -> str:
    """Run a fresh process, which writes the .pyc files that the next one reads."""
    own = {n: v for n, v in location.environment.items() if n != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=own | {"PYTHONPATH": os.fspath(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


if __name__ == "__main__":
    for cost in measure_cost(*map(int, sys.argv[1:])):
        print(f"{cost.what}: {cost.value:.2f} {cost.unit} (target: at most {cost.target:g} {cost.unit})")

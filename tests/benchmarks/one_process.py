"""Runs of one partition of `profiles` and of an empty asset, taking turns in one process.

`python -m tests.benchmarks.one_process REPEATS DAY...` makes the days, then measures with the last one; it
prints, as JSON, the seconds of each run, and the calls and SQL statements of one run of each.
"""

import json
import sys
import time

import dagster as dg

from tests.benchmarks.empty_asset import defs
from tests.counting import Counted

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
NAMES = ("empty", "profiles")


def main(repeats: int, *days: str) -> None:
    """Measure them, after runs of each that import what they need and leave partitions to compare with."""
    for day in days:
        for name in ("profile_keys", "profiles"):
            run(day, name)
    day = days[-1]
    run(day, "empty")
    turns = [{name: run(day, name) for name in NAMES} for _ in range(repeats)]
    counted = {name: count(day, name) for name in NAMES}
    print(json.dumps({name: {"seconds": [t[name] for t in turns], **counted[name]} for name in NAMES}))


def run(day: str, asset: str) -> float:
    """Run an asset with its checks; give the seconds."""
    whole = defs.resolve_implicit_global_asset_job_def()
    job = whole.get_subset(asset_selection={dg.AssetKey(asset)})
    with dg.DagsterInstance.get() as instance:
        began = time.perf_counter()
        assert job.execute_in_process(partition_key=day, instance=instance, run_config=QUIET).success
        return time.perf_counter() - began


def count(day: str, asset: str) -> dict[str, int]:
    """Count what a run does."""
    with Counted() as counted:
        run(day, asset)
    return {"calls": counted.calls, "statements": counted.statements}


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])

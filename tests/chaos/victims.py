"""Runs of an extract over two days in processes that are forked after the imports, to be killed."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import dagster as dg
import pyarrow as pa

from pipelines import staging
from pipelines.extraction import Extraction
from resources.graphql.paging import keyed
from resources.graphql.query import Query
from resources.lake import Lake
from resources.targetdata import TargetDataResource
from tests.conftest import PROFILES_QUERY, SCHEMA
from tests.forks import CONTEXT

QUERY = Query.load(PROFILES_QUERY, schema=SCHEMA, identity="profileId")
SLICE_KEYS, PAGE_KEYS, MAX_BATCH, MAX_IN_FLIGHT = 60, 20, 5, 4
ASKED_TWICE = SLICE_KEYS + PAGE_KEYS + 2 * MAX_IN_FLIGHT * MAX_BATCH  # the open slice, and those in flight


@dataclass(frozen=True)
class Order:
    """What a run shall do: `keys` by day, into the lake at `path`."""

    url: str
    refresh_token: str
    path: str
    keys: Mapping[str, Sequence[str]]

    def start(self, *, at: int = 0) -> BaseProcess:
        """Start it; it kills itself before its change number `at` in the lake."""
        process = CONTEXT.Process(target=_run, args=(self, at))
        process.start()
        return process


def extract(order: Order, instance: dg.DagsterInstance | None = None) -> dg.ExecuteInProcessResult:
    """Run the extract over the days of an order in this process."""
    days = sorted(order.keys)

    @dg.asset(
        partitions_def=dg.DailyPartitionsDefinition(days[0]), backfill_policy=dg.BackfillPolicy.single_run()
    )
    def profiles(context: dg.AssetExecutionContext) -> None:
        keys = {day: pa.table({"umid": list(umids)}) for day, umids in order.keys.items()}
        with Extraction(context, Lake(path=order.path), QUERY).range() as opened:
            for page in api.pages(QUERY, keys=opened.grouped(keys), resume=opened.resume):
                opened.write(page)

    api = TargetDataResource(
        base_url=order.url,
        refresh_token=order.refresh_token,
        max_batch=MAX_BATCH,
        max_in_flight=MAX_IN_FLIGHT,
    )
    tags = {"dagster/asset_partition_range_start": days[0], "dagster/asset_partition_range_end": days[-1]}
    try:
        return dg.materialize([profiles], tags=tags, instance=instance, raise_on_error=False)
    finally:
        api.close()


def _run(order: Order, at: int) -> None:
    staging.SLICE_KEYS, keyed.PAGE_KEYS = SLICE_KEYS, PAGE_KEYS
    changes = 0

    def count(event: str, given: tuple[object, ...]) -> None:
        nonlocal changes
        if _changes(event, given, order.path):
            changes += 1
            if changes == at:
                os.kill(os.getpid(), signal.SIGKILL)

    if at:
        sys.addaudithook(count)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    sys.exit(0 if extract(order).success else 1)


def _changes(event: str, given: tuple[object, ...], path: str) -> bool:
    if event == "open" and not int(str(given[2])) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return False
    wanted = event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "fcntl.flock")
    return wanted and (event == "fcntl.flock" or str(given[0]).startswith(path))


def folder(day: str) -> str:
    """Name a day's folder in the lake."""
    return str(Path(f"date={day}"))

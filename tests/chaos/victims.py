"""Runs of an extract over two days in processes that are forked after the imports, to be killed."""

import os
import resource
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from pipelines.extraction import Extraction, open_slice
from resources.graphql.paging import batches
from resources.graphql.query import Query
from resources.lake import Lake
from resources.privacy import Privacy
from resources.targetdata import TargetDataResource
from tests.forks import CONTEXT, ROOT

PROFILES = ROOT / "pipelines/defs/profiles/profiles.graphql"
SCHEMA = ROOT / "pipelines/schema.graphql"
QUERY = Query.load(PROFILES, schema=SCHEMA, identity="profileId")
SLICE_KEYS, PAGE_KEYS, MAX_BATCH, MAX_IN_FLIGHT = 60, 20, 5, 4
IN_FLIGHT = PAGE_KEYS + 2 * MAX_IN_FLIGHT * MAX_BATCH  # keys asked for, or answered and not yet a page
ASKED_TWICE = SLICE_KEYS + IN_FLIGHT  # and those of the open slice


@dataclass(frozen=True)
class Order:
    """What a run shall do: `keys` by day, into the lake at `path`; `explode` is the query's."""

    url: str
    refresh_token: str
    path: str
    keys: Mapping[str, Sequence[str]]
    most_bytes: int | None = None  # of a file that it may write: then its disk is full
    explode: tuple[str, ...] = ()
    privacy: Mapping[str, Any] = field(default_factory=dict)  # what `Privacy.of` takes
    privacy_key: str = ""

    def start(self, *, at: int = 0, said: str = os.devnull) -> BaseProcess:
        """Start it; it kills itself before its change number `at` in the lake, and says why it failed."""
        process = CONTEXT.Process(target=_run, args=(self, at, said))
        process.start()
        return process


def extract(order: Order, instance: dg.DagsterInstance | None = None) -> dg.ExecuteInProcessResult:
    """Run the extract over the days of an order in this process."""
    days = sorted(order.keys)
    query = QUERY
    if order.explode:
        query = Query.load(PROFILES, schema=SCHEMA, identity="profileId", explode=order.explode)

    @dg.asset(
        partitions_def=dg.DailyPartitionsDefinition(days[0]), backfill_policy=dg.BackfillPolicy.single_run()
    )
    def profiles(context: dg.AssetExecutionContext) -> None:
        keys = {day: pa.table({"umid": list(umids)}) for day, umids in order.keys.items()}
        lake = Lake(path=order.path)
        with Extraction(context, lake, query, privacy=Privacy.of(query, **order.privacy)).range() as opened:
            for page in api.pages(query, keys=opened.grouped(keys), resume=opened.resume):
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


def _run(order: Order, at: int, said: str) -> None:
    os.environ["TARGETDATA_PRIVACY_KEY"] = order.privacy_key
    open_slice.SLICE_KEYS, batches.PAGE_KEYS = SLICE_KEYS, PAGE_KEYS
    changes = 0

    def count(event: str, given: tuple[object, ...]) -> None:
        nonlocal changes
        if _changes(event, given, order.path):
            changes += 1
            if changes == at:
                os.kill(os.getpid(), signal.SIGKILL)

    if at:
        sys.addaudithook(count)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a forked child ignores it
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    with Path(said).open("w") as saying:
        with _full_disk(order.most_bytes):
            result = extract(order)
        for event in result.all_events:
            if event.is_step_failure:
                saying.write(str(event.step_failure_data.error))
    sys.exit(0 if result.success else 1)


@contextmanager
def _full_disk(most_bytes: int | None) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if most_bytes is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _changes(event: str, given: tuple[object, ...], path: str) -> bool:
    if event == "open" and not int(str(given[2])) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return False
    wanted = event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "fcntl.flock")
    return wanted and (event == "fcntl.flock" or str(given[0]).startswith(path))


def folder(day: str) -> str:
    """Name a day's folder in the lake."""
    return str(Path(f"date={day}"))

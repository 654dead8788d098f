"""Loads that are killed before any of their statements or batches, and many partitions by many processes."""

import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import exp

from resources.adbc import connect
from resources.lake import Lake
from resources.warehouse.database import Database, Row
from tests.chaos.figures import show
from tests.forks import CONTEXT
from tests.warehouse.warehouse_backfill import load_day, published, require_all_loaded
from tests.warehouse.warehouse_numbers import NUMBERS, batches, load_number, look
from tests.warehouse.warehouse_targets import DAY, Target, load

OLD, NEW = 5, 2_000
AT_ONCE = 500  # rows of a batch
LEAST_POINTS = 15
PROCESSES = 4


def load_and_die(uri: str, at: int) -> None:
    """Load the new partition, and be killed before the step `at`: a statement, or a batch."""
    steps, fetched = iter(range(1, at)), Database._fetched

    def step() -> None:
        if next(steps, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(
        self: Database, statement: exp.Expression | str, what: str, values: Sequence[str], *, fetch: bool
    ) -> list[Row]:
        step()
        return fetched(self, statement, what, values, fetch=fetch)

    def dying() -> Iterator[pa.RecordBatch]:
        for batch in batches(NEW, at_once=AT_ONCE):
            step()
            yield batch

    Database._fetched = counted  # type: ignore[method-assign]
    load(Target(uri), [NUMBERS], [dying()], partition=DAY, generation=2, rows=NEW, run="run-2")


def killed(target: Target, at: int) -> bool:
    """Say whether a child was killed, at that step; it has loaded everything otherwise."""
    child = CONTEXT.Process(target=load_and_die, args=(target.uri, at))
    child.start()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL), child.exitcode
    return child.exitcode != 0


def seen(target: Target) -> int:
    with closing(connect(target.uri)) as connection:
        return look(connection)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.chaos)], ids=["short", "long"])
def test_a_load_that_is_killed_anywhere_has_replaced_the_partition_or_not(target: Target, every: int) -> None:
    load_number(target, OLD)
    outcomes: Counter[int] = Counter()
    at = 1
    while killed(target, at):
        outcomes[seen(target)] += 1
        load_number(target, OLD, generation=3, run="run-3")
        assert seen(target) == OLD
        at += every
    assert seen(target) == NEW
    assert outcomes.keys() == {OLD}, "what is committed is the last of it"
    assert sum(outcomes.values()) * every >= LEAST_POINTS
    kind = target.warehouse().dialect
    show(f"kill in mid-load, {kind}", points=sum(outcomes.values()), rows_before=OLD, rows_after=NEW)


def load_days(uri: str, lake: str, days: list[date]) -> None:
    for day in days:
        load_day(Target(uri), Lake(path=lake), day)


@pytest.mark.parametrize("days", [12, pytest.param(100, marks=pytest.mark.chaos)], ids=["short", "long"])
def test_partitions_that_processes_load_at_once_are_all_there(
    target: Target, days: int, memory: Path
) -> None:
    lake = Lake(path=str(memory / "lake"))
    found = published(lake, days)
    shares = [found[number::PROCESSES] for number in range(PROCESSES)]
    children = [CONTEXT.Process(target=load_days, args=(target.uri, lake.path, share)) for share in shares]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * PROCESSES
    require_all_loaded(target, lake, found)
    show(f"loads at once, {target.warehouse().dialect}", partitions=days, processes=PROCESSES)

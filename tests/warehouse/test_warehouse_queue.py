"""Loads that write the same wait for each other, for a bounded time, and say for whom they wait."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from multiprocessing.connection import Connection

import duckdb
import pyarrow as pa
import pytest

from resources.adbc import connect
from resources.errors import ServerUnavailable, WarehouseBusy
from resources.schema_changes import SchemaChanges
from resources.warehouse.flat import flat_tables
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.loading import Partition
from resources.warehouse.stamps import Generation
from tests.forks import CONTEXT
from tests.warehouse.warehouse_numbers import NUMBERS, SCHEMA, batches, load_number, loaded_number
from tests.warehouse.warehouse_targets import DAY, Target, load

SHORT_SECONDS = 0.2
OTHER_DAY = Partition("date=2026-11-23", pa.scalar("2026-11-23").cast(pa.date32()))


def load_days(uri: str, first: str, number: int) -> None:
    """Load so many days, a row each."""
    for day in (date.fromisoformat(first) + timedelta(days=n) for n in range(number)):
        load(Target(uri), [NUMBERS], [batches(1)], partition=Partition(f"date={day}", pa.scalar(day)), rows=1)


def test_processes_and_threads_that_load_one_warehouse_all_come_to_their_turn(target: Target) -> None:
    children = [
        CONTEXT.Process(target=load_days, args=(target.uri, f"2026-0{month}-01", 3)) for month in (1, 2)
    ]
    for child in children:
        child.start()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda month: load_days(target.uri, f"2026-0{month}-01", 3), (3, 4)))
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    assert target.rows("SELECT count(*), count(DISTINCT date) FROM numbers") == [(12, 12)]
    assert len(target.stamps()) == 12


def test_a_load_that_waits_in_vain_names_the_run_and_the_process_that_write(duckdb_file: Target) -> None:
    load_number(duckdb_file, 2)
    with duckdb_file.warehouse().replacing([NUMBERS], DAY, run="run-long"):
        said = rf"{duckdb_file.file} is being written by run run-long, process {os.getpid()}; 0 s were waited"
        with pytest.raises(WarehouseBusy, match=said) as raised:
            load(duckdb_file.warehouse(wait_seconds=SHORT_SECONDS), [NUMBERS], [batches(3)])
    assert raised.value.after_seconds > 0
    assert loaded_number(duckdb_file) == 2
    load_number(duckdb_file, 3)
    assert loaded_number(duckdb_file) == 3


def hold(file: str, ours: Connection) -> None:
    """Have a DuckDB file open, as any program may, until told to close it."""
    with duckdb.connect(file):
        ours.send("open")
        ours.recv()


def test_another_program_that_has_the_file_open_is_waited_for_and_named(duckdb_file: Target) -> None:
    load_number(duckdb_file, 2)
    ours, theirs = CONTEXT.Pipe()
    program = CONTEXT.Process(target=hold, args=(str(duckdb_file.file), theirs))
    program.start()
    assert ours.recv() == "open"
    with pytest.raises(WarehouseBusy, match=rf"{duckdb_file.file} is in use by process {program.pid} \("):
        load(duckdb_file.warehouse(wait_seconds=SHORT_SECONDS), [NUMBERS], [batches(3)])
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(load_number, duckdb_file, 3)
        ours.send("close")
        waiting.result()
    program.join()
    assert loaded_number(duckdb_file) == 3


def test_another_connection_of_the_same_process_is_waited_for_too(duckdb_file: Target) -> None:
    """DuckDB's lock does not count within a process: what one of two writes the other overwrites."""
    load_number(duckdb_file, 2)
    with duckdb.connect(duckdb_file.file):
        with pytest.raises(WarehouseBusy, match=rf"{duckdb_file.file} is open in this process .* close"):
            load(duckdb_file.warehouse(wait_seconds=SHORT_SECONDS), [NUMBERS], [batches(3)])
    load_number(duckdb_file, 3)
    assert loaded_number(duckdb_file) == 3


@contextmanager
def at_it(target: Target, run: str) -> Iterator[Callable[[], None]]:
    """Load a partition in a thread, up to the last batch; give what lets it end."""
    begun, go_on = threading.Event(), threading.Event()

    def until_told() -> Iterator[pa.RecordBatch]:
        yield from batches(5)
        begun.set()
        go_on.wait()

    def loading() -> None:
        load(target, [NUMBERS], [until_told()], run=run, generation=7)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(loading)
        try:
            while not begun.wait(0.1):
                assert not done.done(), done.result()
            yield lambda: (go_on.set(), done.result())[1]
        finally:
            go_on.set()


def test_in_postgresql_who_loads_the_same_partition_is_named(postgresql_schema: Target) -> None:
    load_number(postgresql_schema, 2)
    with at_it(postgresql_schema, "run-long"):
        said = r"numbers date=2026-11-22 is in use by targetdata run run-long, server process (\d+); 0 s"
        with pytest.raises(WarehouseBusy, match=said) as raised:
            load(postgresql_schema.warehouse(wait_seconds=SHORT_SECONDS), [NUMBERS], [batches(3)])
        (process,) = re.findall(said, str(raised.value))
        assert running(postgresql_schema, f"pid = {process}") == [("targetdata run run-long",)]
    assert loaded_number(postgresql_schema) == 5


def running(target: Target, condition: str) -> list[tuple[object, ...]]:
    return target.rows(f"SELECT application_name FROM pg_stat_activity WHERE {condition}")


def test_in_postgresql_who_has_waited_finds_what_the_other_has_loaded(postgresql_schema: Target) -> None:
    load_number(postgresql_schema, 2)

    def found() -> object:
        with postgresql_schema.warehouse().replacing([NUMBERS], DAY, run="run-second") as replacement:
            return replacement.loaded["numbers"]

    with at_it(postgresql_schema, "run-first") as finish, ThreadPoolExecutor(1) as pool:
        second: Future[object] = pool.submit(found)
        asks = "application_name = 'targetdata run run-second' AND query ILIKE '%pg_try_advisory_xact_lock(%'"
        while not running(postgresql_schema, f"{asks} AND state = 'idle in transaction'"):
            assert not second.done(), second.result()
        finish()
        assert second.result() == Generation(7, "run-first")


def test_in_postgresql_other_partitions_are_not_waited_for(postgresql_schema: Target) -> None:
    load_number(postgresql_schema, 2)
    with at_it(postgresql_schema, "run-long"):
        quick = postgresql_schema.warehouse(wait_seconds=SHORT_SECONDS)
        load(quick, [NUMBERS], [batches(3)], partition=OTHER_DAY)
        assert postgresql_schema.rows("SELECT count(*) FROM numbers") == [(5,)]
    assert postgresql_schema.rows("SELECT count(*) FROM numbers") == [(8,)]


def test_in_postgresql_a_new_column_waits_for_readers_a_bounded_time_and_names_them(
    postgresql_schema: Target, stack: ExitStack
) -> None:
    load_number(postgresql_schema, 2)
    wider = pa.schema([*SCHEMA, ("more", pa.string())])
    (widened,) = [LoadedTable(table, NUMBERS.partition) for table in flat_tables("numbers", wider)]
    reader = stack.enter_context(connect(postgresql_schema.uri))
    cursor = stack.enter_context(reader.cursor())
    for statement in ("SET application_name = 'a report'", "BEGIN", "SELECT count(*) FROM numbers"):
        cursor.execute(statement)
    with pytest.raises(WarehouseBusy, match=r"numbers is in use by a report, server process \d+; 0 s were"):
        load(
            postgresql_schema.warehouse(wait_seconds=SHORT_SECONDS),
            [widened],
            [[]],
            policy=SchemaChanges.ADDITIVE,
        )
    assert loaded_number(postgresql_schema) == 2, "nor are other readers kept waiting"
    cursor.execute("COMMIT")
    load(postgresql_schema, [widened], [[]], policy=SchemaChanges.ADDITIVE)
    assert postgresql_schema.rows("SELECT count(more) FROM numbers") == [(0,)]


def test_in_postgresql_no_lock_of_anybody_is_waited_for_without_end(
    postgresql_schema: Target, stack: ExitStack
) -> None:
    load_number(postgresql_schema, 2)
    cursor = stack.enter_context(stack.enter_context(connect(postgresql_schema.uri)).cursor())
    for statement in ("BEGIN", "LOCK TABLE numbers IN SHARE MODE"):
        cursor.execute(statement)
    with pytest.raises(
        ServerUnavailable,
        match=r"the load of numbers date=2026-11-22 has waited in vain for a lock .*pg_stat_activity",
    ):
        load(postgresql_schema.warehouse(wait_seconds=SHORT_SECONDS), [NUMBERS], [batches(3)])
    assert loaded_number(postgresql_schema) == 2

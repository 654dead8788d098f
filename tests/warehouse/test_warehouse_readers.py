"""Readers while a partition is replaced: each sees the rows of before or those of after, all of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import cycle, islice
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import pytest

from resources.adbc import connect
from resources.warehouse.database import Database
from resources.warehouse.loading import replacing
from resources.warehouse.stamps import Generation
from resources.warehouse.waiting import Turn
from tests.forks import CONTEXT
from tests.warehouse.warehouse_numbers import NUMBERS, batches, load_number, look
from tests.warehouse.warehouse_targets import DAY, Target

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection as DatabaseConnection

pytestmark = pytest.mark.journey  # thousands of reads

FEW, MANY = 3, 2_000
AT_ONCE = 500  # rows of a batch
LOOKS, READERS = 600, 2
MOST_REPLACEMENTS = 20_000


def replacements(database: Database) -> Iterator[int]:
    """Replace the partition again and again, over one connection."""
    for number, rows in enumerate(islice(cycle((MANY, FEW)), MOST_REPLACEMENTS)):
        with replacing(database, [NUMBERS], DAY, run="run-2", turn=Turn(1.0)) as replacement:
            rows_of_it = batches(rows, at_once=AT_ONCE)
            replacement.replace(NUMBERS, rows_of_it, Generation(number, "run-2"), rows=rows)
        yield number


def looks(connection: "DatabaseConnection") -> set[int]:
    return {look(connection) for _ in range(LOOKS)}


def test_readers_in_the_process_of_a_duckdb_file_see_whole_partitions(duckdb_file: Target) -> None:
    load_number(duckdb_file, FEW)
    with duckdb_file.warehouse().open("a test") as database, ThreadPoolExecutor(READERS) as pool:
        # Within a process all have to be connections of one database, as DuckDB's lock does not count there.
        clones = [database._connection.adbc_clone() for _ in range(READERS)]
        for clone in clones:
            clone.adbc_connection.set_autocommit(True)
        readers = [pool.submit(looks, clone) for clone in clones]
        for _ in replacements(database):
            if all(reader.done() for reader in readers):
                break
        for clone in clones:
            clone.close()
        assert [reader.result() for reader in readers] == [{FEW, MANY}] * READERS


def read(uri: str, ours: Connection) -> None:
    """Read in a process of its own; send what was seen."""
    with closing(connect(uri)) as connection:
        ours.send(looks(connection))


def test_readers_in_other_processes_of_postgresql_see_whole_partitions(postgresql_schema: Target) -> None:
    load_number(postgresql_schema, FEW)
    pipes = [CONTEXT.Pipe() for _ in range(READERS)]
    children = [CONTEXT.Process(target=read, args=(postgresql_schema.uri, theirs)) for _, theirs in pipes]
    for child in children:
        child.start()
    with postgresql_schema.warehouse().open("a test") as database:
        for _ in replacements(database):
            if all(child.exitcode is not None for child in children):
                break
    assert [child.exitcode for child in children] == [0] * READERS
    assert [ours.recv() for ours, _ in pipes] == [{FEW, MANY}] * READERS

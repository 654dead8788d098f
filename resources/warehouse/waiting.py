"""Loads queue: each waits for its turn, for a bounded time, and says who is at it if that is over.

A DuckDB file has one writer, which holds a lock beside the file; any other program that has opened the file
is waited for too. In PostgreSQL, where partitions are loaded side by side, one of them is locked by name.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from sqlglot import exp

from resources import lock
from resources.errors import ServerUnavailable, WarehouseBusy, WarehouseError
from resources.table_file import make_folder
from resources.warehouse.database import Database

ALL = "the warehouse"  # the name that every load holds together with others
LOOK_SECONDS = 0.1
AGAIN_SECONDS = 60.0  # a step that has waited in vain is tried again after

T = TypeVar("T")


class Turn:
    """How long a load waits in all, whatever for."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    def wait(self, attempt: Callable[[], T | None], *, busy: Callable[[], str]) -> T:
        """Try until it gives something; raises WarehouseBusy, with what `busy` says, when time is up."""
        while (got := attempt()) is None:
            if time.monotonic() >= self._until:
                raise WarehouseBusy(
                    f"{busy()}; {self._seconds:,.0f} s were waited for it. Let that end, or raise "
                    "TARGETDATA_WAREHOUSE_WAIT_SECONDS",
                    after_seconds=AGAIN_SECONDS,
                )
            time.sleep(LOOK_SECONDS)
        return got


@contextmanager
def only_writer(file: Path, who: str, turn: Turn) -> Iterator[None]:
    """Hold a DuckDB file against our other loads, in this process too, where its own lock does not count."""
    path = file.with_name(f"{file.name}.lock")
    try:
        make_folder(file.parent)
        held = turn.wait(lambda: lock.take(path), busy=lambda: f"{file} is being written by {_written(path)}")
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise WarehouseError(
            f"{file} cannot be locked beside it ({why}): make its folder writable"
        ) from error
    with lock.released(held):
        os.ftruncate(held, 0)
        os.pwrite(held, f"{who}, process {os.getpid()}".encode(), 0)
        yield


def _written(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text("utf-8") or "another process"
    return "another process"


def lock_name(database: Database, name: str, turn: Turn) -> None:
    """Hold a name against other loads until the transaction ends.

    DuckDB's file is held as a whole. In Snowflake the removal of the old stamps keeps others waiting.
    """
    if database.dialect == "postgres":
        _take(database, ALL, turn, shared=True)
        _take(database, name, turn)


def lock_all(database: Database, turn: Turn) -> None:
    """Hold off all loads until the transaction ends."""
    if database.dialect == "postgres":
        _take(database, ALL, turn)


def _take(database: Database, name: str, turn: Turn, *, shared: bool = False) -> None:
    key = int.from_bytes(hashlib.sha256(f"{database.namespace}\n{name}".encode()).digest()[:8], signed=True)
    lock = exp.func(f"pg_try_advisory_xact_lock{'_shared' * shared}", exp.Literal.number(key))

    def attempt() -> bool | None:
        ((got,),) = database.rows(exp.select(lock), f"the lock of {name}")
        return True if got else None

    turn.wait(attempt, busy=lambda: f"{name} is in use by {_holder(database, key)}")


def lock_table(database: Database, name: str, turn: Turn) -> None:
    """Hold a table against everybody, readers too, until the transaction ends: PostgreSQL alters it so only.

    It is asked for without queueing, so that no reader waits behind us for the one that we wait for.
    """
    if database.dialect != "postgres":
        return
    table, what = database.table(name).sql("postgres"), f"the lock of {name}"

    def attempt() -> bool | None:
        database.execute("SAVEPOINT before_the_lock", what)
        try:
            database.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE NOWAIT", what)
        except ServerUnavailable:
            database.execute("ROLLBACK TO SAVEPOINT before_the_lock", what)
            return None
        return True

    here = exp.Literal.string(table).sql("postgres")
    users = f"locktype = 'relation' AND relation = {here}::regclass AND pid <> pg_backend_pid()"
    turn.wait(attempt, busy=lambda: f"{name} is in use by {_who(database, users)}")


def _holder(database: Database, key: int) -> str:
    """Name who holds a lock: `application_name` is who loads, see `Warehouse.open`."""
    high, low = (key >> 32) & 0xFFFFFFFF, key & 0xFFFFFFFF
    return _who(database, f"locktype = 'advisory' AND classid = {high} AND objid = {low}")


def _who(database: Database, locks: str) -> str:
    holders = (
        exp.select("application_name", "pid")
        .from_("pg_locks")
        .join("pg_stat_activity", using="pid")
        .where("granted", locks, dialect="postgres")
    )
    found = database.rows(holders, "the look for who holds a lock")
    return f"{found[0][0]}, server process {found[0][1]}" if found else "another process"

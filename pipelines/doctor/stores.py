"""Checks of what is written to: the lake and the warehouse. What they write is gone afterwards."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import pyarrow as pa
from sqlglot import exp

from pipelines.connections import warehouse as warehouse_of
from pipelines.doctor.finding import Finding, ok, problem, warning
from pipelines.doctor.setup import Setup
from pipelines.doctor.whose import setting
from resources.lake import Lake
from resources.lake.publishing.aside import STAGING, Aside, content
from resources.table_file import lake_errors
from resources.warehouse.database import Database
from resources.warehouse.resource import Warehouse

NAME = "doctor"
ROWS = pa.table({"x": [1]})
FEW_BYTES = 1 << 30
GIGABYTE = 1 << 30
WAIT_SECONDS = 3.0  # for a load that is at it
VERSIONS = {"snowflake": "SELECT current_version()"}


def lake(setup: Setup) -> Finding:
    """Publish a partition of a lake of its own inside of the lake, and remove it."""
    root = Lake(path=str(setup.settings.lake)).root
    there = root.is_dir()
    with lake_errors(root), inside(root) as folder:
        with Lake(path=str(folder)).write("", {NAME: ROWS.schema}, run=NAME) as partition:
            partition.write({NAME: ROWS})
        free = shutil.disk_usage(folder).free
    if closed := _closed(root):
        return problem(
            f"this user may not write {', '.join(closed)} in {root}",
            f"chown or chmod them, as another user has made them: chown -R $(id -u) {root}",
        )
    is_new = "" if there else ", which the first run makes,"
    says = f"{root}{is_new} can be written; {free / GIGABYTE:,.1f} GiB are free"
    if free < FEW_BYTES:
        return warning(says, f"make space, or choose another place with {setting('lake')}; see targetdata gc")
    return ok(says)


def _closed(root: Path) -> list[str]:
    """Name the lake's folders that are somebody else's."""
    return [path.name for path in content(root) if path.is_dir() and not os.access(path, os.W_OK | os.X_OK)]


@contextmanager
def inside(root: Path) -> Iterator[Path]:
    """Give a folder on the lake's disk: aside in the lake, or above a lake that is not there yet."""
    if not root.is_dir():
        with tempfile.TemporaryDirectory(prefix=f".{NAME}-", dir=_nearest(root)) as folder:
            yield Path(folder)
        return
    staging = root / STAGING
    of_doctors = [path.name for path in content(staging)] == [NAME]  # the one that ends last removes it
    was_there = staging.exists() and not of_doctors
    aside = Aside.make(root, NAME, uuid4().hex)
    try:
        yield aside.path
    finally:
        aside.remove()
        if not was_there:
            with suppress(OSError):  # a run has begun meanwhile
                staging.rmdir()


def _nearest(path: Path) -> Path:
    """Give what is there of a path."""
    return next(parent for parent in (path, *path.parents) if parent.exists())


def warehouse(_: Setup) -> Finding:
    """Connect, and make a schema and a table in a transaction that is taken back."""
    found = warehouse_of()
    found = Warehouse(uri=found.uri, namespace=found.namespace, wait_seconds=WAIT_SECONDS)
    if not found.is_there:
        return _of_no_file(found)
    with _without_lock_left(found), found.open("the doctor") as database:
        version = str(database.rows(VERSIONS.get(found.dialect, "SELECT version()"), "the version")[0][0])
        with suppress(_TakenBack):
            _try(database)
    place = f"the schema {found.namespace}" if found.namespace else "it"
    return ok(f"{found.name} ({version[:40].strip()}): tables can be made in {place}")


def _try(database: Database) -> None:
    with database.transaction():
        database.make_namespace()
        table = database.table(f"targetdata_doctor_{uuid4().hex}")
        columns = exp.Schema(
            this=table,
            expressions=[exp.ColumnDef(this=exp.to_identifier("x"), kind=exp.DataType.build("int"))],
        )
        database.execute(exp.Create(this=columns, kind="TABLE"), "the making of a table")
        raise _TakenBack


class _TakenBack(Exception):
    """Ends a transaction that is not meant to last."""


def _of_no_file(found: Warehouse) -> Finding:
    file = _file(found)
    with lake_errors(file.parent), tempfile.TemporaryDirectory(prefix=f".{NAME}-", dir=_nearest(file.parent)):
        return ok(f"{found.name}, which the first load makes; its folder can be written")


@contextmanager
def _without_lock_left(found: Warehouse) -> Iterator[None]:
    """Remove the file that a DuckDB file is locked with, if there was none."""
    lock = _file(found).with_name(f"{_file(found).name}.lock") if found.dialect == "duckdb" else None
    was_there = lock is None or lock.exists()
    try:
        yield
    finally:
        if lock and not was_there:
            lock.unlink(missing_ok=True)


def _file(found: Warehouse) -> Path:
    return Path(unquote(urlsplit(found.uri).path)).resolve()

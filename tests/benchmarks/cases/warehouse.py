"""Loads of a partition into a warehouse, beside DuckDB's own ways and `pandas.to_sql` into PostgreSQL.

Contestants are processes that take turns, each into a new database; they say themselves how long the load
took, connection and commit included, so that what a process needs to start does not count.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.clock import seconds_in
from tests.benchmarks.contestant import Contestant, Usage
from tests.benchmarks.figures import Measured, Ratio, Result, times_as_fast
from tests.benchmarks.in_sql import DUCKDB_FILE, FLAT, NESTED
from tests.benchmarks.loopback import ROOT
from tests.benchmarks.race import TRIAL_ROWS, Options
from tests.databases import postgresql

HERE = "tests.benchmarks.contestants"
MORE = 5  # times the rows of the other cases: a flat row is small
DUCKDB_TARGET, PANDAS_TARGET = 0.5, 10.0
NOTE = (
    "Seconds are those of the load, from the connection to its end; CPU and memory are those of the whole "
    "process, without PostgreSQL's own. Rows are those of all tables together. `to_sql` has fewer rows, as "
    "its rate does not depend on them: rates are compared."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A way to load a table of the lake.

    `{folder}`, `{database}` (its URI) and `{lake}` in its arguments are filled in. A slow one may be given so
    many times `fewer` rows, where its rate does not depend on them.
    """

    name: str
    arguments: tuple[str, ...]
    scheme: str
    table: str
    fewer: int = 1

    def started(self, folder: Path, database: str, lake: Path) -> tuple[str, ...]:
        """Give the module and its arguments."""
        places = {"folder": folder, "database": database, "lake": lake}
        return tuple(text.format_map(places) for text in self.arguments)


def _ours(scheme: str, table: str, name: str) -> Load:
    arguments = (f"{HERE}.warehouse_load", "{folder}", "{database}", "{lake}", table)
    return Load(name=f"load, {name}", arguments=arguments, scheme=scheme, table=table)


def _duckdb(table: str, name: str) -> Load:
    arguments = (f"{HERE}.duckdb_load", "{folder}", "{lake}", table)
    return Load(name=name, arguments=arguments, scheme="duckdb", table=table)


def _pandas(name: str, fewer: int, *method: str) -> Load:
    arguments = (f"{HERE}.pandas_load", "{folder}", "{database}", "{lake}", *method)
    return Load(name=name, arguments=arguments, scheme="postgresql", table=FLAT, fewer=fewer)


DUCKDB, DUCKDB_LISTS = _ours("duckdb", FLAT, "DuckDB"), _ours("duckdb", NESTED, "lists into DuckDB")
COPY, UNNEST = _duckdb(FLAT, "DuckDB, COPY FROM"), _duckdb(NESTED, "DuckDB, UNNEST of lists")
POSTGRESQL = _ours("postgresql", FLAT, "PostgreSQL")
POSTGRESQL_LISTS = _ours("postgresql", NESTED, "lists into PostgreSQL")
TO_SQL, MULTI = _pandas("pandas.to_sql", 10), _pandas("pandas.to_sql, multi", 50, "multi")
ALL = (DUCKDB, COPY, POSTGRESQL, TO_SQL, MULTI, DUCKDB_LISTS, UNNEST, POSTGRESQL_LISTS)


def measure(options: Options) -> Result:
    """Race all of them, after each was tried on few rows."""
    with TemporaryDirectory(prefix="benchmark-") as folder, postgresql() as server:
        _try_out(Path(folder), server)
        measured = _race(Path(folder), server, options)
    result = Result("Loads into a warehouse", measured, notes=[NOTE])
    to_sql = max((result.of(TO_SQL.name), result.of(MULTI.name)), key=lambda m: m.rate)
    compared: list[tuple[Measured, Measured, float | None]] = [
        (result.of(DUCKDB.name), result.of(COPY.name), DUCKDB_TARGET),
        (result.of(POSTGRESQL.name), to_sql, PANDAS_TARGET),
        (result.of(DUCKDB_LISTS.name), result.of(UNNEST.name), None),
    ]
    result.ratios = [
        Ratio(f"{ours.name} / {other.name}", times_as_fast(ours, other), target)
        for ours, other, target in compared
    ]
    return result


def _try_out(folder: Path, server: str) -> None:
    """Load few rows each way, and compare each value with the lake's."""
    for load in ALL:
        lake = _lake(folder, load.table, TRIAL_ROWS)
        with _database(load, server) as (made, database):
            _python(*load.started(made, database, lake))
            _python("tests.benchmarks.check_load", database, str(lake), load.table, "whole")


def _race(folder: Path, server: str, options: Options) -> list[Measured]:
    measured = [Measured(load.name, 0) for load in ALL]
    for turn in range(options.repeats):
        for load, runs in zip(ALL, measured, strict=True):
            rows = options.rows * (MORE if load.table == FLAT else 1) // load.fewer
            lake = _lake(folder, load.table, rows)
            with _database(load, server) as (made, database):
                runs.runs.append(_usage(load, made, database, lake))
                runs.rows = int(_python("tests.benchmarks.check_load", database, str(lake), load.table))
            seconds = runs.runs[-1].seconds
            options.say(f"{runs.rows:>9,} rows, turn {turn + 1}: {load.name} {seconds:.1f} s")
    return measured


def _usage(load: Load, made: Path, database: str, lake: Path) -> Usage:
    arguments = ("-m", *load.started(made, database, lake))
    usage = Contestant(name=load.name, arguments=arguments).run("", made, Path())
    return replace(usage, seconds=seconds_in(made))


def _lake(folder: Path, table: str, rows: int) -> Path:
    """Publish so many rows, once."""
    lake = folder / f"{table}-{rows}"
    if not lake.exists():
        _python("tests.benchmarks.lakes", str(lake), table, str(rows))
    return lake


@contextmanager
def _database(load: Load, server: str) -> Iterator[tuple[Path, str]]:
    """Make a folder and an empty database for one load; what was written before is on the disk."""
    with TemporaryDirectory(prefix="benchmark-") as made:
        if load.scheme == "duckdb":
            yield Path(made), f"duckdb://{made}/{DUCKDB_FILE}"
            return
        _administer(server, "CREATE DATABASE turn", "CHECKPOINT")
        yield Path(made), server.replace("/postgres?", "/turn?")
        _administer(server, "DROP DATABASE turn")


def _administer(server: str, *statements: str) -> None:
    import psycopg  # of the extra `bench`; a connection over ADBC would count as memory of the processes

    with psycopg.connect(server, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _python(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout

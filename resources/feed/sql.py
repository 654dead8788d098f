"""Keys from a database: a query with the partition's bounds as parameters."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pydantic import Field

from resources.adbc import connect, shown
from resources.connection import SECRET
from resources.errors import ConfigurationError, FeedError
from resources.feed.distinct import Distinct
from resources.feed.keys import KeySource
from resources.key_files.columns import Columns
from resources.key_files.complaints import no_column
from resources.key_files.keys import FeedKeys
from resources.key_files.texts import is_key, key_texts
from resources.query_errors import query_errors

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection

# What is no parameter: texts, names, comments, and PostgreSQL's $tag$ texts $tag$.
SQL_TOKEN = re.compile(
    r"""
    (?<!\w)[eE]'(?:[^'\\]|\\.)*' | '[^']*' | "[^"]*"
    | --[^\n]* | /\*.*?\*/
    | \$((?:[A-Za-z_]\w*)?)\$.*?\$\1\$
    | (?<![\w$])\$(?P<number>\d+)
    """,
    re.DOTALL | re.VERBOSE,
)


class SqlKeys(KeySource):
    """A database's query; its parameters `$1` and `$2` are the start and the end of the partition.

    They are moments in UTC, the end excluded; only those that occur are passed. The columns of the result
    are the key columns, unless `columns` names some of them. Rows stream as Arrow.
    """

    uri: str = Field(
        repr=False, json_schema_extra=SECRET, description="duckdb:///… or postgresql://user:password@host/…"
    )
    query: str = Field(description="The query, or the path of a .sql file with it.")
    columns: dict[str, str] = Field(
        default_factory=dict, description="Key column's name in the table: column of the result; or all."
    )

    def read(self, *, start: datetime, end: datetime) -> FeedKeys:
        """Run the query; memory grows with the distinct keys only."""
        return self._read(start, end, batches=None)

    def sample(self, *, start: datetime, end: datetime) -> FeedKeys:
        """Run the query for its first rows, to see whether it works, and its columns are there."""
        return self._read(start, end, batches=1)

    def _read(self, start: datetime, end: datetime, *, batches: int | None) -> FeedKeys:
        text, parameters = bound(self._text(), start, end)
        with (
            connect(self.uri, read_only=True) as connection,
            self._batches(connection, text, parameters) as reader,
        ):
            columns = Columns(self.columns or {name: name for name in reader.schema.names}, self.require)
            positions = {name: self._position(reader.schema, s) for name, s in columns.sources.items()}
            distinct = Distinct(columns)
            for batch in islice(reader, batches):
                distinct.add([key_texts(batch.column(place)) for place in positions.values()])
        return distinct.keys()

    @contextmanager
    def _batches(
        self, connection: "Connection", text: str, parameters: list[datetime]
    ) -> Iterator[pa.RecordBatchReader]:
        with query_errors(f"the query of keys in {shown(self.uri)}"), connection.cursor() as cursor:
            cursor.execute(text, parameters or None)
            yield cursor.fetch_record_batch()

    def _text(self) -> str:
        if not self.query.strip():
            raise ConfigurationError("there is no query for the keys (TARGETDATA_KEYS_QUERY)")
        if not self.query.endswith(".sql"):
            return self.query
        try:
            return Path(self.query).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{self.query} cannot be read ({type(error).__name__})") from error

    def _position(self, schema: pa.Schema, name: str) -> int:
        found = [place for place, column in enumerate(schema.names) if column == name]
        if not found:
            raise no_column("the query of keys", name, schema.names)
        if len(found) > 1:
            raise FeedError(f"the query of keys gives several columns {name!r}: name them apart")
        kind = schema.field(found[0]).type
        if not is_key(kind):
            raise FeedError(
                f"the query of keys: {name!r} is {kind}, expected text, integers or UUIDs. Cast it, as in "
                f"CAST({name} AS text)"
            )
        return found[0]


def bound(query: str, start: datetime, end: datetime) -> tuple[str, list[datetime]]:
    """Give the query with its parameters numbered from 1 without gaps, and their values."""
    bounds = {"1": start.astimezone(UTC), "2": end.astimezone(UTC)}
    used = sorted({token["number"] for token in SQL_TOKEN.finditer(query) if token["number"]})
    if unknown := [f"${number}" for number in used if number not in bounds]:
        raise ConfigurationError(
            f"the query of keys has {', '.join(unknown)}; known are $1, the start, and $2, the end"
        )
    if used == ["2"]:  # databases count parameters from the first
        query = SQL_TOKEN.sub(lambda token: "$1" if token["number"] else token.group(), query)
    return query, [bounds[number] for number in used]

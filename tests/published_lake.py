"""A small lake whose files are changed after they were published, as nobody but a test should."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.checks.accounting import accounting
from pipelines.checks.published import PublishedExtract
from resources.graphql.query import Query
from resources.lake import Lake

DAYS = [f"date=2026-11-{day:02}" for day in range(14, 23)]
DAY = DAYS[-1]
END = datetime(2026, 11, 23, tzinfo=UTC)
PART, MANIFEST = "part-00000.parquet", "_manifest.json"


def column(field: pa.Field, given: dict[str, list[object]], number: int) -> pa.Array:
    return pa.array(given.get(field.name, [None] * number), field.type)


def rows(schema: pa.Schema, given: dict[str, list[object]]) -> pa.Table:
    number = len(next(iter(given.values())))
    return pa.Table.from_arrays([column(f, given, number) for f in schema], schema=schema)


class Made:
    """A lake, and the extract `profiles` in it."""

    def __init__(self, path: Path, query: Query) -> None:
        self.lake, self.query = Lake(path=str(path)), query

    @property
    def extract(self) -> PublishedExtract:
        return PublishedExtract(self.lake, self.query)

    def publish(
        self,
        folder: str = DAY,
        *,
        profiles: int = 100,
        not_found: int = 10,
        owners: int | None = None,
        at: datetime = END,
        run: str = "run",
    ) -> None:
        """Publish a partition where each profile is found by two keys; so many have an `owner`."""
        ids = [f"id{i:05}" for i in range(profiles)]
        own = [None if i >= (profiles if owners is None else owners) else "me" for i in range(profiles)]
        keys = 2 * profiles + not_found
        tables = {
            "profiles": {"profile_id": ids, "owner": own, "fetched_at": [at] * profiles},
            "profiles__lookups": {
                "umid": [f"key{i:05}" for i in range(keys)],
                "status": ["found"] * 2 * profiles + ["not_found"] * not_found,
                "identity": ids + ids + [None] * not_found,
                "fetched_at": [at] * keys,
            },
        }
        with self.lake.write(folder, self.query.tables, run=run) as writer:
            writer.write({name: rows(self.query.tables[name], given) for name, given in tables.items()})

    def path(self, table: str, name: str, folder: str = DAY) -> Path:
        return self.lake.root / table / folder / name

    def rewrite(self, table: str, change: Callable[[pa.Table], pa.Table], *, run: str = "run") -> None:
        """Replace a table's rows, its footer kept but for the run, and make its manifest fit the new file."""
        path = self.path(table, PART)
        metadata = {**pq.read_schema(path).metadata, b"run": run.encode()}
        pq.write_table(change(pq.read_table(path)).replace_schema_metadata(metadata), path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows = pq.read_metadata(path).num_rows
        self.alter(table, rows=rows, bytes=path.stat().st_size, sha256=digest, run=run)

    def alter(self, table: str, /, **facts: object) -> None:
        path = self.path(table, MANIFEST)
        path.write_text(json.dumps(json.loads(path.read_text()) | facts))

    def account(self, asked: int | None = None) -> str:
        """Give what the accounting says is wrong."""
        found = accounting(self.extract, DAY, asked=asked)
        assert found.passed == (found.says is None)
        return found.says or ""

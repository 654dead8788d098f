"""A partition of two tables, for the tests of the lake."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from resources.errors import PartitionMissing
from resources.lake import Lake

SCHEMAS = {
    "people": pa.schema([("id", pa.string()), ("at", pa.timestamp("us", tz="UTC"))]),
    "people__lookups": pa.schema([("key", pa.string())]),
}
DAY = "date=2026-11-22"


def rows(*ids: str) -> dict[str, pa.Table]:
    times = pa.array([None] * len(ids), SCHEMAS["people"].field("at").type)
    return {
        "people": pa.Table.from_arrays([pa.array(ids, pa.string()), times], schema=SCHEMAS["people"]),
        "people__lookups": pa.Table.from_arrays(
            [pa.array(ids, pa.string())], schema=SCHEMAS["people__lookups"]
        ),
    }


def publish(
    lake: Lake,
    *ids: str,
    run: str = "run-1",
    folder: str = DAY,
    schemas: Mapping[str, pa.Schema] = SCHEMAS,
) -> None:
    with lake.write(folder, schemas, run=run, footer={"query": "abc"}) as writer:
        for id_ in ids:
            writer.write({name: table for name, table in rows(id_).items() if name in schemas})


def everything(lake: Lake) -> dict[str, bytes]:
    """Give all published files."""
    found = [p for p in lake.root.rglob("*") if p.is_file() and p.relative_to(lake.root).parts[0][0] != "_"]
    return {str(path.relative_to(lake.root)): path.read_bytes() for path in found}


def hidden(lake: Lake, name: str) -> list[Path]:
    """Give the files in one of the lake's own folders."""
    return [path for path in (lake.root / name).rglob("*") if path.is_file()]


def seen(lake: Lake, folder: str = DAY, tables: Sequence[str] = tuple(SCHEMAS)) -> str | None:
    """Give the ids that all readers of ours agree on; None where there is no partition."""
    try:
        files = lake.together(folder, tables)
    except PartitionMissing:
        found = None
    else:
        (found,) = {"".join(pq.read_table(file).column(0).to_pylist()) for file in files.values()}
    alone = {_alone(lake, table, folder) for table in tables}
    assert alone == {found}
    return found


def _alone(lake: Lake, table: str, folder: str) -> str | None:
    """Read a table by itself; its manifest says the same."""
    manifest = lake.manifest(table, folder)
    assert (manifest in lake.manifests(table)) == (manifest is not None)
    if manifest is None:
        return None
    ids = "".join(lake.read(table, folder).column(0).to_pylist())
    assert manifest.rows == len(ids)
    return ids

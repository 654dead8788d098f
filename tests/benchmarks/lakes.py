"""Tables published in a lake for loads: `python -m tests.benchmarks.lakes FOLDER TABLE ROWS`.

`flat` has the flat columns of profiles, and numbers beside them, all made by Arrow; `by_cursor` has the
profiles of the loopback server, with their lists.
"""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from pipelines.loads import tables_of_extract
from resources.graphql.query import Query
from resources.graphql.tables import FETCHED_AT
from resources.lake import Lake
from resources.lake.place import Place
from resources.warehouse.flat import flat_tables
from resources.warehouse.loaded_table import LoadedTable
from tests.benchmarks.documents import BY_CURSOR, SCHEMA
from tests.benchmarks.in_sql import FLAT, FOLDER, NESTED
from tests.benchmarks.rows import Rows
from tests.truth import snake

PLACE = Place(FOLDER.partition("=")[2], FOLDER)
RUN = "made"
AT = datetime(2026, 11, 23, tzinfo=UTC)
SLICE_ROWS = 50_000
ID_LETTERS = 32
START, SPAN = 1_704_067_200_000_000, 80_000_000_000_000  # microseconds: 2024, and two and a half years on
NULLS = 0.05
INSTANT = FETCHED_AT.type
KEY = re.compile(rb'"([A-Za-z]+)":')
TEXTS = {"owner": ["teavaro"], "category": ["customer", "prospect"], "source": ["web", "app", "onboarding"]}
COLUMNS = pa.schema(
    [
        ("profile_id", pa.string()),
        *((name, pa.string()) for name in TEXTS),
        ("test_profile", pa.bool_()),
        *((name, INSTANT) for name in ("created_date", "change_date", "last_seen", "first_seen")),
        ("visits", pa.int64()),
        *((name, pa.float64()) for name in ("revenue", "churn_score")),
        FETCHED_AT,
    ]
)


@cache
def nested_query() -> Query:
    """The list of profiles, each with its lists."""
    return Query.load(BY_CURSOR, schema=SCHEMA, identity="profileId")


def planned(table: str) -> list[LoadedTable]:
    """Plan the warehouse's tables of one of the lake."""
    is_flat = table == FLAT
    tables = flat_tables(FLAT, COLUMNS, ["profile_id"]) if is_flat else tables_of_extract(nested_query())
    assert PLACE.column
    return [LoadedTable(each, PLACE.column[0]) for each in tables]


def publish(lake: Path, table: str, rows: int) -> None:
    """Publish a partition of so many rows."""
    schema = COLUMNS if table == FLAT else nested_query().tables[NESTED]
    with Lake(path=str(lake)).write(FOLDER, {table: schema}, run=RUN) as writer:
        for some in flat(rows) if table == FLAT else nested(rows, schema):
            writer.write({table: some})


def flat(rows: int) -> Iterator[pa.Table]:
    """Make rows, the same ones each time."""
    source = np.random.default_rng(1)
    for start in range(0, rows, SLICE_ROWS):
        number = min(SLICE_ROWS, rows - start)
        yield pa.Table.from_arrays([_column(source, field, number) for field in COLUMNS], schema=COLUMNS)


def _column(source: np.random.Generator, field: pa.Field, number: int) -> pa.Array:
    if field == FETCHED_AT:
        return pa.repeat(pa.scalar(AT, INSTANT), number)
    if field.name == "profile_id":
        return _ids(source, number)
    mask = source.random(number) < NULLS
    if field.name in TEXTS:
        choices = pa.array(TEXTS[field.name])
        return pc.take(choices, pa.array(source.integers(0, len(choices), number), mask=mask))
    if field.type == pa.bool_():
        return pa.array(source.random(number) < NULLS, mask=mask)
    if field.type == INSTANT:
        return pa.array(START + source.integers(0, SPAN, number), mask=mask).cast(INSTANT)
    if field.type == pa.int64():
        return pa.array(source.integers(0, 1000, number))  # with nulls pandas would make them fractions
    return pa.array(source.random(number) * 1000, mask=mask)


def _ids(source: np.random.Generator, number: int) -> pa.Array:
    letters = pa.py_buffer(source.bytes(number * ID_LETTERS // 2).hex().encode())
    ends = pa.array(range(0, (number + 1) * ID_LETTERS, ID_LETTERS), pa.int32()).buffers()[1]
    return pa.StringArray.from_buffers(number, ends, letters)


def nested(rows: int, schema: pa.Schema) -> Iterator[pa.Table]:
    """Give the server's profiles, read by Arrow under the lake's names."""
    profiles = Rows(rows)
    names = {field.name: field for field in schema if field != FETCHED_AT}
    parse = pyarrow.json.ParseOptions(explicit_schema=pa.schema(list(names.values())))
    for start in range(0, rows, SLICE_ROWS):
        number = min(SLICE_ROWS, rows - start)
        text = b"\n".join(profiles.text(index) for index in range(start, start + number))
        for name in set(KEY.findall(profiles.text(0))):
            text = text.replace(b'"%b":' % name, b'"%b":' % snake(name.decode()).encode())
        read = pyarrow.json.read_json(pa.BufferReader(text), parse_options=parse).select(list(names))
        yield read.append_column(FETCHED_AT, pa.repeat(pa.scalar(AT, INSTANT), number))


if __name__ == "__main__":
    publish(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))

"""The floor's other way to decode: orjson, then a table from Python's lists, then its instants cast."""

import sys
from pathlib import Path

import orjson
import pyarrow as pa

from tests.benchmarks.contestants.floor import INSTANT, SCHEMA, PageInfo, run


def text(type_: pa.DataType) -> pa.DataType:
    """Replace instants in a type by text."""
    if pa.types.is_list(type_):
        return pa.list_(text(type_.value_type))
    if pa.types.is_struct(type_):
        return pa.struct([(field.name, text(field.type)) for field in type_])
    return pa.string() if type_ == INSTANT else type_


AS_TEXT = pa.schema([(field.name, text(field.type)) for field in SCHEMA])


def decode(body: bytes) -> tuple[pa.Table, PageInfo]:
    """Give a page's rows as a table."""
    profiles = orjson.loads(body)["data"]["profiles"]
    table = pa.Table.from_pylist(profiles["nodes"], AS_TEXT)
    return table.cast(SCHEMA), PageInfo(**profiles["pageInfo"])


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), decode)

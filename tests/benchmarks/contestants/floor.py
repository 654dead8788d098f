"""The floor: download a page, decode it, write it, one step after the other, and nothing around it.

The fastest of what was tried: http.client on one connection; rows left undecoded by msgspec and read by
pyarrow's own JSON reader with a schema (`floor_lists` is the other way), which may do its one step in two
threads; row groups as large as ours.
"""

import http.client
import json
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq

from tests.benchmarks.documents import BY_CURSOR, PAGE_ROWS

LONGEST_ROW = 16 * 1024  # a block has to hold one
GROUP_BYTES = 32 * 1024 * 1024
INSTANT, TEXT = pa.timestamp("us", "UTC"), pa.string()


def _list(**fields: pa.DataType) -> pa.DataType:
    return pa.list_(pa.struct(list(fields.items())))


PURPOSES = _list(name=TEXT, value=pa.bool_())
SCHEMA = pa.schema(
    [
        *((name, TEXT) for name in ("profileId", "owner", "category", "source")),
        ("testProfile", pa.bool_()),
        *((name, INSTANT) for name in ("createdDate", "changeDate", "lastSeen", "firstSeenByMasterFeed")),
        ("identifiers", _list(name=TEXT, type=TEXT, value=TEXT, lastSeen=INSTANT)),
        ("attributes", _list(name=TEXT, value=TEXT, changeDate=INSTANT)),
        ("permissions", _list(name=TEXT, value=TEXT, changeDate=INSTANT)),
        ("notifications", _list(name=TEXT, version=TEXT, disclosedDate=INSTANT)),
        ("usedApps", _list(name=TEXT, version=TEXT, lastSeen=INSTANT)),
        ("cookieConsents", _list(domain=TEXT, changeDate=INSTANT, purposes=PURPOSES)),
    ]
)


class PageInfo(msgspec.Struct):
    hasNextPage: bool  # noqa: N815
    endCursor: str  # noqa: N815


class Connection(msgspec.Struct):
    pageInfo: PageInfo  # noqa: N815
    nodes: list[msgspec.Raw]


class Data(msgspec.Struct):
    profiles: Connection


class Answer(msgspec.Struct):
    data: Data


DECODER = msgspec.json.Decoder(Answer)


def decode(body: bytes, parts: int = 1) -> tuple[pa.Table, PageInfo]:
    """Give a page's rows as a table; in several parts they are read by as many threads."""
    profiles = DECODER.decode(body).data.profiles
    read = pyarrow.json.ReadOptions(use_threads=parts > 1, block_size=len(body) // parts + LONGEST_ROW)
    parse = pyarrow.json.ParseOptions(explicit_schema=SCHEMA)
    lines = pa.py_buffer(b"\n".join(profiles.nodes))
    return pyarrow.json.read_json(pa.BufferReader(lines), read, parse), profiles.pageInfo


def run(url: str, folder: Path, decode: Callable[[bytes], tuple[pa.Table, PageInfo]]) -> None:
    """Read the list to its end."""
    document, after, tables = BY_CURSOR.read_text(), None, []
    with (
        closing(http.client.HTTPConnection(urlsplit(url).netloc)) as connection,
        pq.ParquetWriter(folder / "profiles.parquet", SCHEMA, compression="zstd") as writer,
    ):
        more = True
        while more:
            body = {"query": document, "variables": {"first": PAGE_ROWS, "after": after}}
            connection.request("POST", "/graphql", json.dumps(body), {"Content-Type": "application/json"})
            table, info = decode(connection.getresponse().read())
            tables.append(table)
            more, after = info.hasNextPage, info.endCursor
            if not more or sum(t.nbytes for t in tables) >= GROUP_BYTES:
                writer.write_table(pa.concat_tables(tables))
                tables = []


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), partial(decode, parts=int(sys.argv[3])))

"""dlt: its REST client along a cursor in the JSON body, to Parquet on the local disk.

`nested` keeps the lists in the row (max_table_nesting=0), else each becomes a child table. Tuned as its page
on performance says: whole pages are yielded, buffers are large, and its files are rotated, so that two
processes normalize and two threads load.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import dlt
from dlt.destinations import filesystem
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

from tests.benchmarks.documents import BY_CURSOR, PAGE_ROWS

NESTED = 0
TUNED = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
    "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": "10000",
    "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "1000000",
    "NORMALIZE__WORKERS": "2",
    "LOAD__WORKERS": "2",
}


def client(url: str) -> RESTClient:
    """Connect; the cursor goes into the variables of the query."""
    pages = JSONResponseCursorPaginator(
        cursor_path="data.profiles.pageInfo.endCursor",
        cursor_body_path="variables.after",
        has_more_path="data.profiles.pageInfo.hasNextPage",
    )
    return RESTClient(base_url=url, paginator=pages, data_selector="data.profiles.nodes")


def run(url: str, folder: Path, max_table_nesting: int | None) -> None:
    """Extract, normalize and load."""
    os.environ.update(TUNED)

    @dlt.resource(name="profiles", write_disposition="replace", max_table_nesting=max_table_nesting)
    def profiles() -> Iterator[object]:
        body = {"query": BY_CURSOR.read_text(), "variables": {"first": PAGE_ROWS}}
        yield from client(url).paginate("", method="POST", json=body)

    pipeline = dlt.pipeline(
        pipeline_name="benchmark",
        pipelines_dir=str(folder / "working"),
        destination=filesystem(bucket_url=folder.as_uri()),
        dataset_name="lake",
    )
    pipeline.run(profiles(), loader_file_format="parquet")


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), NESTED if sys.argv[3:] == ["nested"] else None)

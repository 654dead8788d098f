"""What a row costs: calls of our own functions, and a share of the exact decoder's work; never seconds."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import msgspec
import pyarrow as pa
import pytest

from resources.graphql.columns import Column, Scalar
from resources.graphql.decoding import arrow
from resources.graphql.decoding.lines import Lines
from resources.graphql.query import Query
from resources.graphql.raw import RawRow
from resources.graphql.scalars import DECIMAL, TEXT, kept_as
from resources.graphql_resource import GraphQLResource
from tests.benchmarks.documents import BY_CURSOR, BY_OFFSET, BY_UMID, SCHEMA
from tests.benchmarks.load import Behaviour
from tests.benchmarks.loopback import Loopback, running
from tests.benchmarks.rows import Rows
from tests.conftest import ROOT

ROWS = 3_000
REPEATS = 9  # the best counts: others may have the processor's caches meanwhile
OURS = f"{ROOT}/resources/graphql/"
OF_ROWS = {"raw.py", "decoder.py", "lines.py", "arrow.py"} | {
    f"paging/{name}.py" for name in ("keyed", "identities", "rows")
}


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with running(Behaviour(rows=ROWS)) as loopback:
        yield loopback


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the calls of our functions by file, in this thread and in those that it starts."""
    calls: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            calls[frame.f_code.co_filename.removeprefix(OURS)] += 1

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


@pytest.mark.parametrize(("document", "most"), [(BY_CURSOR, 7), (BY_OFFSET, 30)], ids=["cursor", "offset"])
def test_a_row_of_a_list_costs_a_few_calls(document: Path, most: int, server: Loopback) -> None:
    query = Query.load(document, schema=SCHEMA)
    with counted() as calls, GraphQLResource(url=server.url).client as client:
        rows = sum(page.asked for page in client.pages(query))
    assert rows == ROWS
    assert ROWS < calls.total() < most * ROWS, calls  # the exact decoder makes more than eighty a row


def test_a_lookup_costs_a_few_calls_beside_those_of_its_request(server: Loopback) -> None:
    query = Query.load(BY_UMID, schema=SCHEMA, identity="profileId")
    keys = list(map(Rows(ROWS).umid, range(ROWS)))
    with counted() as calls, GraphQLResource(url=server.url).client as client:
        found = sum(page.found for page in client.pages(query, keys=keys))
    assert found == ROWS
    of_rows = sum(number for file, number in calls.items() if file in OF_ROWS)
    assert ROWS < of_rows < 14 * ROWS, calls


def test_the_fast_decoder_takes_a_part_of_the_exact_ones_time() -> None:
    columns = Query.load(BY_CURSOR, schema=SCHEMA).columns
    require_share(list(map(Rows(500).text, range(500))), columns)  # a half


def test_so_it_does_with_floats_and_decimals() -> None:
    kept = {"id": TEXT, "score": kept_as("float64"), "price": DECIMAL, "total": DECIMAL}
    columns = tuple(Column(name, Scalar("X", as_ or TEXT)) for name, as_ in kept.items())
    row = '{{"id":"{0}","score":{0}.25,"price":{0}.99,"total":"{0}.50"}}'
    require_share([row.format(i).encode() for i in range(500)], columns)  # a sixth


def require_share(texts: Sequence[bytes], columns: tuple[Column, ...]) -> None:
    rows = [RawRow(msgspec.Raw(text)) for text in texts]
    lines = Lines.of(columns)
    assert lines

    def exactly() -> pa.Table:
        return arrow.table([row.whole() for row in rows], columns)

    assert lines.table(rows) == exactly()
    shares = [seconds(lambda: lines.table(rows)) / seconds(exactly) for _ in range(REPEATS)]
    assert min(shares) < 0.75, shares


def seconds(work: Callable[[], object]) -> float:
    """Give the processor time that this thread takes."""
    started = time.thread_time()
    work()
    return time.thread_time() - started

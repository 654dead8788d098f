"""The benchmarks measure what they say: their server, their check of results, and their figures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from resources.graphql.client import Client
from resources.graphql.page import Tally
from resources.graphql.query import Query
from resources.graphql.sending.settings import Settings
from tests.benchmarks.check import check
from tests.benchmarks.check_load import check as check_load
from tests.benchmarks.contestant import Contestant, Usage
from tests.benchmarks.contestants import duckdb_load, floor, pandas_load, warehouse_load
from tests.benchmarks.documents import BY_CURSOR, BY_OFFSET, BY_UMID, SCHEMA
from tests.benchmarks.figures import Measured, Ratio, Result, after_start, times_as_fast
from tests.benchmarks.in_sql import FLAT, NESTED
from tests.benchmarks.lakes import publish
from tests.benchmarks.load import Behaviour
from tests.benchmarks.loopback import Loopback, running
from tests.benchmarks.report import BEGIN, END, as_json, put_into
from tests.benchmarks.rows import Rows
from tests.databases import execute, postgresql

NUMBER = 400
ROWS = Rows(NUMBER)
NAME = "profiles.parquet"


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with running(Behaviour(rows=NUMBER)) as started:
        yield started


def extract(url: str, query: Query, file: Path, keys: list[str] | None = None) -> Tally:
    """Extract all pages into a file; give their sum."""
    tally, tables = Tally(), []
    with Client(Settings(url=url, page_size=150)) as client:
        for page in client.pages(query, keys=keys):
            tally.add(page)
            tables.append(page.tables[query.name])
    pq.write_table(pa.concat_tables(tables), file)
    return tally


@pytest.mark.parametrize("document", [BY_CURSOR, BY_OFFSET], ids=lambda path: path.stem)
def test_the_server_gives_its_rows_as_lists(document: Path, server: Loopback, tmp_path: Path) -> None:
    server.reset()
    tally = extract(server.url, Query.load(document, schema=SCHEMA), tmp_path / NAME)
    check("typed", NUMBER, tmp_path, NAME)
    counts = server.counts()
    assert counts["rows"] == tally.found == NUMBER
    assert (counts["requests"], counts["bytes"]) == (tally.counts.requests, tally.counts.bytes)


def test_the_server_answers_the_shipped_query_and_counts_keys(server: Loopback, tmp_path: Path) -> None:
    server.reset()
    query = Query.load(BY_UMID, schema=SCHEMA, identity="profileId")
    nobody = ["nobody", ROWS.umid(0)[:-1] + "1"]  # which has the end of another
    tally = extract(server.url, query, tmp_path / NAME, [*map(ROWS.umid, range(NUMBER)), *nobody])
    check("typed", NUMBER, tmp_path, NAME)
    assert (tally.found, tally.not_found) == (NUMBER, len(nobody))
    counts = server.counts()
    assert counts["keys"] == counts["distinct_keys"] == tally.asked == NUMBER + len(nobody)
    assert counts["requests"] == tally.counts.requests


def test_the_server_refuses_what_is_beyond_its_rate_and_counts_it(tmp_path: Path) -> None:
    slow = Behaviour(rows=50, requests_per_second=100, burst=3, retry_after=0.01, latency_seconds=0.001)
    query = Query.load(BY_UMID, schema=SCHEMA, identity="profileId")
    with running(slow) as server:
        tally = extract(server.url, query, tmp_path / NAME, list(map(ROWS.umid, range(50))))
        counts = server.counts()
    assert counts["throttled"] == tally.counts.retries["throttled"] > 0
    assert counts["requests"] + counts["throttled"] == tally.counts.requests
    assert counts["keys"] == counts["distinct_keys"] == 50


def test_a_result_is_refused_that_is_not_the_rows(server: Loopback, tmp_path: Path) -> None:
    floor.run(server.url, tmp_path, floor.decode)
    check("typed", NUMBER, tmp_path, NAME)
    rows = pq.read_table(tmp_path / NAME)
    where = rows.schema.get_field_index("source")
    other = pc.replace_with_mask(rows["source"], pa.array([i == 300 for i in range(NUMBER)]), "another")
    for wrong in (rows.set_column(where, "source", other), rows.slice(1), pa.concat_tables([rows, rows[:1]])):
        pq.write_table(wrong, tmp_path / NAME)
        with pytest.raises(AssertionError):
            check("typed", NUMBER, tmp_path, NAME)


def test_memory_is_not_told_where_the_benchmark_itself_has_more(tmp_path: Path) -> None:
    small = Contestant(
        name="small", arguments=("-S", "-c", "pass")
    )  # a process begins with its parent's peak
    with pytest.raises(RuntimeError, match="small: its memory is not known"):
        small.run("http://127.0.0.1", tmp_path, tmp_path / "keys.csv")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("lake")
    for table in (FLAT, NESTED):
        publish(made, table, NUMBER)
    return made


@pytest.fixture(scope="module")
def server_of_databases() -> Iterator[str]:
    with postgresql() as uri:
        yield uri


@pytest.mark.parametrize("table", [FLAT, NESTED])
def test_all_loads_leave_each_value_of_the_lake(
    table: str, lake: Path, server_of_databases: str, tmp_path: Path
) -> None:
    for uri in (f"duckdb://{tmp_path}/ours.duckdb", server_of_databases):
        warehouse_load.load(uri, lake, table)
        ours = check_load(uri, lake, table, whole=True)
    duckdb_load.load(tmp_path / "theirs.duckdb", lake, table)
    theirs = check_load(f"duckdb://{tmp_path}/theirs.duckdb", lake, table, whole=True)
    assert ours == theirs
    assert ours == NUMBER if table == FLAT else ours > 10 * NUMBER


@pytest.mark.parametrize("method", [None, "multi"])
def test_pandas_leaves_each_value_of_the_lake(
    method: Literal["multi"] | None, lake: Path, server_of_databases: str
) -> None:
    pytest.importorskip("psycopg", reason="it comes with the extra bench")
    execute(server_of_databases, f"DROP TABLE IF EXISTS {FLAT} CASCADE")
    pandas_load.load(server_of_databases, lake, method)
    assert check_load(server_of_databases, lake, FLAT, whole=True) == NUMBER


@pytest.mark.parametrize("wrong", ["DELETE FROM {} WHERE rowid = 0", "UPDATE {} SET owner = NULL"])
def test_a_load_is_refused_that_is_not_the_lake(wrong: str, lake: Path, tmp_path: Path) -> None:
    duckdb_load.load(tmp_path / "warehouse.duckdb", lake, NESTED)
    uri = f"duckdb://{tmp_path}/warehouse.duckdb"
    execute(uri, wrong.format(NESTED))
    with pytest.raises(AssertionError, match=NESTED):
        check_load(uri, lake, NESTED, whole=True)


def test_a_ratio_is_the_median_over_turns_and_knows_its_target() -> None:
    ours = Measured("ours", 100, [Usage(1.0, 1.0, 7), Usage(10.0, 1.0, 9), Usage(2.0, 1.0, 8)])
    fewer = Measured("fewer", 10, [Usage(2.0, 1.0, 1), Usage(20.0, 1.0, 1), Usage(1.0, 1.0, 1)])
    assert (ours.seconds, ours.rate, ours.memory_bytes) == (2.0, 50.0, 9)
    assert times_as_fast(ours, fewer) == 20.0  # of 20, 20 and 5
    assert after_start(ours, Usage(0.8, 1.0, 1), 40) == 50.0  # 60 rows in 1.2 seconds
    assert after_start(ours, Usage(1.2, 1.0, 1), 40) is None
    assert Ratio("speed", 8.0, 8.0).is_reached
    assert not Ratio("speed", 7.9, 8.0).is_reached
    assert Ratio("memory", 1.1, 1.1, at_least=False).is_reached
    assert not Ratio("memory", 1.2, 1.1, at_least=False).is_reached


def test_the_figures_are_put_between_the_marks_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.benchmarks.report.PACKAGES", ("dagster",))  # the others may not be installed
    page = tmp_path / "benchmarks.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    result = Result("Lists", [Measured("ours", 1000, [Usage(0.5, 0.4, 2_000_000)])])
    result.ratios.append(Ratio("ours / other", 9.0, 8.0))
    put_into(page, {"pages": result})
    before, _, after = page.read_text().partition("### Lists")
    assert before.startswith(f"before\n{BEGIN}\n\nOn ")
    assert after.endswith(f"{END}\nafter\n")
    assert "old" not in page.read_text()
    assert "| ours | 1,000 | 0.5 | 2,000 | 0.4 | 2 |" in after
    assert "| ours / other | 9.00 × | ≥ 8 × | yes |" in after
    (found,) = json.loads(as_json({"pages": result}))["cases"].values()
    assert found["measured"][0]["runs"] == [{"seconds": 0.5, "cpu_seconds": 0.4, "memory_bytes": 2_000_000}]

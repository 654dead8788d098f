"""(c) Readers in tight loops while a partition is published again and again: the old or the new, whole.

DuckDB opens a path twice in one query, and after the first time another file may stand there. So it is given
what `Lake.together` has open; how often a query by path fails is counted and shown.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from resources.lake import Lake
from tests.chaos.figures import show
from tests.forks import CONTEXT
from tests.lake_rows import DAY, SCHEMAS, rows

SIZES = (3, 2000)  # rows, each of which says how many they are


def publish_often(path: str, times: int) -> None:
    for number in range(times):
        size = SIZES[number % 2]
        with Lake(path=path).write(DAY, SCHEMAS, run=f"run-{number}") as writer:
            writer.write(rows(*[str(size)] * size))


def opened_with_duckdb(lake: Lake, connection: duckdb.DuckDBPyConnection) -> list[str]:
    files = lake.together(DAY, list(SCHEMAS))
    people, lookups = (f"/dev/fd/{file.fileno()}" for file in files.values())
    found = connection.execute(
        f"SELECT id, key FROM read_parquet('{people}') POSITIONAL JOIN read_parquet('{lookups}')"
    ).fetchall()
    assert all(id_ == key for id_, key in found), "both tables are of one generation"
    return [id_ for id_, _ in found]


def by_path_with_duckdb(lake: Lake, connection: duckdb.DuckDBPyConnection) -> bool:
    """Say whether a query by path went well."""
    try:
        found = connection.execute(f"SELECT id FROM '{lake.root}/people/*/*.parquet'").fetchall()
    except duckdb.Error:
        return False
    return is_whole([id_ for (id_,) in found])


def is_whole(ids: list[str]) -> bool:
    return ids == [ids[0]] * int(ids[0])


def by_glob_with_pyarrow(lake: Lake, _: object) -> list[str]:
    ids: list[str] = pads.dataset(lake.root / "people", partitioning="hive").to_table()["id"].to_pylist()
    return ids


def both_tables_with_ours(lake: Lake, _: object) -> list[str]:
    files = lake.together(DAY, list(SCHEMAS))
    ids, keys = (pq.read_table(file).column(0).to_pylist() for file in files.values())
    assert ids == keys, "both tables are of one generation"
    return list(ids)


READERS: list[Callable[[Lake, duckdb.DuckDBPyConnection], list[str]]] = [
    opened_with_duckdb,
    by_glob_with_pyarrow,
    both_tables_with_ours,
]


@pytest.mark.parametrize("times", [30, pytest.param(200, marks=pytest.mark.chaos)], ids=["short", "long"])
def test_readers_see_the_old_or_the_new_whole(times: int, tmp_path: Path) -> None:
    lake, looks, seen = Lake(path=str(tmp_path / "lake")), Counter[str](), Counter[int]()
    torn = 0
    publish_often(lake.path, 1)
    publisher = CONTEXT.Process(target=publish_often, args=(lake.path, times))
    publisher.start()
    with duckdb.connect() as connection:
        while publisher.is_alive():
            for read in READERS:
                ids = read(lake, connection)
                assert is_whole(ids), read.__name__
                seen[len(ids)] += 1
                looks[read.__name__] += 1
            torn += not by_path_with_duckdb(lake, connection)
    publisher.join()
    assert publisher.exitcode == 0
    show(
        "readers",
        republished=times,
        **looks,
        saw_few_rows=seen[SIZES[0]],
        saw_many=seen[SIZES[1]],
        torn_by_path=torn,
    )
    assert min(looks.values()) >= times // 5
    assert len(seen) == len(SIZES)

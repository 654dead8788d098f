"""Readers of any kind while partitions are replaced: each sees the old or the new, whole."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import duckdb
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from resources.errors import Fenced
from resources.lake import Lake
from tests.crashing import child
from tests.lake_rows import DAY, SCHEMAS, hidden, rows

REPUBLISHED, LOOKED = 20, 5  # at least
Read = Callable[[Lake], list[str]]


@pytest.fixture
def lake(memory: Path) -> Lake:
    return Lake(path=str(memory / "lake"))


def with_duckdb(lake: Lake) -> list[str]:
    """Join both tables, as they are open: DuckDB opens a path twice, and may find another file there."""
    files = lake.together(DAY, list(SCHEMAS))
    people, lookups = (f"/dev/fd/{file.fileno()}" for file in files.values())
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT id, key FROM read_parquet('{people}') POSITIONAL JOIN read_parquet('{lookups}')"
        ).fetchall()
    assert all(id_ == key for id_, key in found)
    return [id_ for id_, _ in found]


def with_pyarrow(lake: Lake) -> list[str]:
    """Read all files that a glob finds."""
    ids: list[str] = pads.dataset(lake.root / "people", partitioning="hive").to_table()["id"].to_pylist()
    return ids


def with_ours(lake: Lake) -> list[str]:
    """Read both tables of the partition as one."""
    files = lake.together(DAY, list(SCHEMAS))
    ids, keys = (pq.read_table(file).column(0).to_pylist() for file in files.values())
    assert ids == keys
    assert lake.manifest("people", DAY)
    assert len(lake.manifests("people")) == 1
    return list(ids)


def whole(ids: list[str]) -> bool:
    """Say whether these are the rows of one publication: as many as each of them says."""
    return ids == [ids[0]] * int(ids[0])


def test_readers_in_tight_loops_see_the_old_or_the_new_whole(lake: Lake) -> None:
    publish_number(lake, 1)
    done = threading.Event()
    looks = dict.fromkeys((with_duckdb, with_pyarrow, with_ours), 0)
    problems: list[object] = []

    def reading(read: Read) -> None:
        while not done.is_set():
            try:
                ids = read(lake)
            except BaseException as problem:  # noqa: BLE001  told by the test
                problems.append(problem)
            else:
                problems.extend([ids] * (not whole(ids)))
            looks[read] += 1

    readers = [threading.Thread(target=reading, args=[read]) for read in looks]
    for reader in readers:
        reader.start()
    try:
        for number in count():
            publish_number(lake, 2000 if number % 2 else 3)
            if number > REPUBLISHED and min(looks.values()) > LOOKED:
                break
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert problems == []


def publish_number(lake: Lake, number: int) -> None:
    """Publish so many rows that say how many they are."""
    with lake.write(DAY, SCHEMAS, run=f"run-{number}") as writer:
        writer.write(rows(*[str(number)] * number))


def publish_often(lake: Lake, number: str) -> None:
    for _ in range(REPUBLISHED // 2):
        try:
            publish_number(lake, int(number))
        except Fenced:
            continue


def test_of_two_runs_at_once_one_is_published_whole(lake: Lake, stack: ExitStack) -> None:
    publish_number(lake, 1)
    runs = [child(lake, publish_often, str(number)) for number in (3, 500)]
    for run in runs:
        stack.callback(run.kill)
    seen = set()
    while any(run.is_alive() for run in runs):
        ids = with_ours(lake)
        assert whole(ids)
        seen.add(ids[0])
    assert [run.exitcode for run in runs] == [0, 0]
    ids = with_ours(lake)
    assert whole(ids)
    assert seen <= {"1", "3", "500"}
    assert ids[0] in {"3", "500"}
    assert not hidden(lake, "_commits")
    assert not hidden(lake, "_staging")

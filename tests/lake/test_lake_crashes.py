"""Runs that are killed at any moment of publishing: readers see the old or the new, of all tables."""

import resource
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import duckdb
import pytest

from resources.errors import LakeError, PartitionMissing
from resources.lake import Lake
from resources.lake.publishing.claim import Claims
from resources.lake.publishing.leftovers import collect
from tests.crashing import committed, killed
from tests.lake_rows import DAY, SCHEMAS, everything, hidden, publish, rows, seen

LEAST_POINTS = 20


def lakes(folder: Path) -> Iterator[tuple[int, Lake]]:
    """Give a fresh lake for each point at which a run may be killed."""
    for at in count(1):
        yield at, Lake(path=str(folder / str(at)))


@pytest.mark.parametrize(("folder", "before"), [(DAY, "a"), ("", None)])
def test_a_run_that_is_killed_anywhere_has_published_all_tables_or_none(
    memory: Path, folder: str, before: str | None
) -> None:
    outcomes = []
    for at, lake in lakes(memory):
        if before:
            publish(lake, before, run="old", folder=folder)
        if not killed(lake, publish, "b", "c", run="new", folder=folder, at=at):
            break
        with Claims(lake.root, "people", folder).locked():  # so that nothing can be put in place
            outcome = seen(lake, folder)
        assert seen(lake, folder) == outcome, "it stays so when the rest is put in place"
        assert outcome in (before, "bc")
        assert not hidden(lake, "_commits")
        outcomes.append(outcome)
        publish(lake, "d", run="next", folder=folder)
        assert seen(lake, folder) == "d"
        collect(lake.root, older_than=timedelta(0))
        assert not hidden(lake, "_staging")
    assert outcomes == sorted(outcomes, key=lambda outcome: outcome == "bc"), "there is one turning point"
    assert len(outcomes) >= LEAST_POINTS
    assert {before, "bc"} == set(outcomes)


def test_one_that_is_killed_while_it_finishes_another_loses_nothing(memory: Path) -> None:
    for at, lake in lakes(memory):
        publish(lake, "a", run="old")
        committed(lake, "b", run="new")
        if not killed(lake, read, at=at):
            break
        assert seen(lake) == "b"
    assert at > len(SCHEMAS) * 2, "it can be killed before each of the moves"


def read(lake: Lake) -> None:
    """Read, which puts in place what is committed."""
    assert lake.read("people", DAY)["id"].to_pylist() == ["b"]
    assert not hidden(lake, "_commits")


def test_other_readers_see_what_was_committed_as_soon_as_ours_have_looked(memory: Path) -> None:
    lake = Lake(path=str(memory))
    committed(lake, "b")
    assert [manifest.partition for manifest in lake.manifests("people")] == [DAY]
    assert duckdb.sql(f"SELECT id FROM '{memory}/people/*/*.parquet'").fetchall() == [("b",)]


def test_a_reader_who_may_not_write_sees_what_is_committed_all_the_same(memory: Path) -> None:
    lake = Lake(path=str(memory))
    publish(lake, "a")
    committed(lake, "b")
    lock = lake.root / "_claims" / "people" / DAY / ".lock"
    lock.unlink()
    lock.mkdir()  # nobody can open it for writing, the superuser neither
    assert seen(lake) == "b"
    assert hidden(lake, "_commits")


def test_a_first_partition_that_is_not_yet_in_place_is_found_and_read(memory: Path) -> None:
    lake = Lake(path=str(memory))
    committed(lake, "b", folder=DAY)
    with Claims(lake.root, "people", DAY).locked():
        assert seen(lake) == "b"
    with Claims(lake.root, "people", "date=2026-11-23").locked():
        assert seen(lake) == "b"


def test_tables_that_come_to_a_partition_or_leave_it_are_never_taken_for_one(memory: Path) -> None:
    lake = Lake(path=str(memory))
    alone = {"people": SCHEMAS["people"]}
    publish(lake, "a", schemas=alone)
    with pytest.raises(PartitionMissing, match="people__lookups has no partition date=2026-11-22"):
        lake.together(DAY, list(SCHEMAS))
    committed(lake, "b")
    assert seen(lake) == "b"
    publish(lake, "c", schemas=alone, run="next")
    assert seen(lake, tables=list(alone)) == "c"
    with pytest.raises(PartitionMissing, match="people and people__lookups date=2026-11-22 are of diff"):
        lake.together(DAY, list(SCHEMAS))


def test_what_is_committed_and_was_damaged_since_is_named_and_never_read_in_part(memory: Path) -> None:
    lake = Lake(path=str(memory))
    publish(lake, "a")
    committed(lake, "b")
    (staged,) = (lake.root / "_staging").rglob("people.parquet")
    staged.write_bytes(b"")
    for reads in (lake.manifests, lambda table: lake.read(table, DAY)):
        with pytest.raises(LakeError, match=r"people.parquet is lost or damaged. Delete .*/_commits/"):
            reads("people__lookups")
    with pytest.raises(LakeError, match="lost or damaged"):
        publish(lake, "c")
    (record,) = hidden(lake, "_commits")
    record.write_bytes(b"{")
    with pytest.raises(LakeError, match=r"json is damaged: delete it"):
        lake.read("people", DAY)
    record.unlink()
    assert seen(lake) == "a"
    publish(lake, "c")
    assert seen(lake) == "c"


def test_what_cannot_be_put_in_place_is_named_published_all_the_same_and_finished_later(memory: Path) -> None:
    lake = Lake(path=str(memory))
    publish(lake, "a")
    path = lake.root / "people" / DAY / "part-00000.parquet"

    def in_the_way() -> bool:
        path.unlink()
        (path / "x").mkdir(parents=True)
        return False

    with pytest.raises(LakeError, match=r"is published, but not all of it could be put in place \(Is a dir"):
        with lake.write(DAY, SCHEMAS, run="new", is_cancelled=in_the_way) as writer:
            writer.write(rows("b"))
    assert seen(lake) == "b"
    (path / "x").rmdir()
    path.rmdir()
    assert seen(lake) == "b"
    assert not hidden(lake, "_commits")


def test_a_full_disk_is_named_and_left_as_it_was(memory: Path) -> None:
    lake = Lake(path=str(memory))
    publish(lake, "a")
    before = everything(lake)
    assert not killed(lake, write_too_much)
    assert everything(lake) == before
    assert not hidden(lake, "_staging")


def write_too_much(lake: Lake) -> None:
    """Write in a process that may write no long files."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    with pytest.raises(LakeError, match="cannot be written: File too large"):
        publish(lake, "".join(chr(n) for n in range(32, 30_000)), run="next")

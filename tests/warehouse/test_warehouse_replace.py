"""A partition is replaced as a whole, once for each time that it was published, and no other is touched."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from tests.warehouse.warehouse_line import DAYS, LIST, MAIN, Line, people, recorded
from tests.warehouse.warehouse_targets import Target

OLDER, DAY = DAYS
MakeLine = Callable[..., Line]
HOURS = dg.HourlyPartitionsDefinition("2026-10-24-00:00", timezone="Europe/Berlin")
ODD_KEYS = ["it's", 'a"b', "100 %s %%", "ü/𝄞", "a\\'b\\", "a=b&c", "$1 ?", "; --", " ", "A", "a", "NULL"]


@pytest.fixture
def line(memory: Path, target: Target) -> Iterator[MakeLine]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield lambda **settings: Line(memory, target, instance, **settings)


def was_loaded_before(made: Line, result: dg.ExecuteInProcessResult) -> set[object]:
    return {metadata["was_loaded_before"] for metadata in recorded(made, result).values()}


def test_a_repeat_changes_nothing_and_force_replaces_the_rows_by_the_same(line: MakeLine) -> None:
    made = line()
    made.publish(DAY, people("a", "bc"))
    first = made.load(DAY)
    rows, stamps = {name: made.rows(name) for name in (MAIN, LIST)}, made.target.stamps()
    assert made.ids() == ["a", "bc"]
    assert made.ids(LIST) == ["a", "bc", "bc"]
    made.target.execute("UPDATE people SET n = 7")  # which nobody but a test does
    assert was_loaded_before(made, first) == {False}
    assert was_loaded_before(made, made.load(DAY)) == {True}
    assert {row[made_of("n")] for row in made.rows()} == {7}
    assert was_loaded_before(made, made.load(DAY, force=True)) == {False}
    assert {name: made.rows(name) for name in (MAIN, LIST)} == rows
    assert made.target.stamps() == stamps


def made_of(column: str) -> int:
    return sorted(["date", "id", "n", "fetched_at"]).index(column)


def test_what_is_published_anew_replaces_its_own_rows_and_those_of_no_other_partition(line: MakeLine) -> None:
    made = line()
    for key, id_ in zip(DAYS, ("a", "b"), strict=True):
        made.publish(key, people(id_))
    made.load(*DAYS)
    made.publish(DAY, people("c", "dd"))
    made.load(DAY)
    assert made.ids() == ["a", "c", "dd"]
    assert made.ids(LIST) == ["a", "c", "dd", "dd"]
    assert [(*stamp[:3], stamp[4]) for stamp in made.target.stamps()] == [
        (MAIN, f"date={OLDER}", 1, 1), (MAIN, f"date={DAY}", 2, 2),
        (LIST, f"date={OLDER}", 1, 1), (LIST, f"date={DAY}", 2, 3),
    ]  # fmt: skip
    made.publish(DAY, people())
    loaded = recorded(made, made.load(DAY))
    assert {metadata["rows"] for metadata in loaded.values()} == {0}
    assert made.ids() == made.ids(LIST) == ["a"]


def test_a_lake_that_was_made_anew_is_loaded_although_its_generations_begin_again(line: MakeLine) -> None:
    made = line()
    for id_ in ("a", "b"):
        made.publish(DAY, people(id_), run="before")
    made.load(DAY)
    shutil.rmtree(made.lake.root)
    for id_, number in (("c", 1), ("d", 2)):
        made.publish(DAY, people(id_), run="after")
        assert was_loaded_before(made, made.load(DAY)) == {False}
        assert made.ids() == [id_]
        assert {stamp[2:4] for stamp in made.target.stamps()} == {(number, "after")}


def test_a_table_without_partitions_is_replaced_as_a_whole(line: MakeLine) -> None:
    made = line(partitions=None)
    for ids in (("a", "b"), ("c",), ()):
        made.publish(None, people(*ids))
        made.load()
        assert made.ids() == list(ids)
    assert [stamp[1:3] for stamp in made.target.stamps()] == [("", 3), ("", 3)]


def test_each_hour_is_a_partition_the_doubled_one_too(line: MakeLine) -> None:
    keys = ["2026-10-25-02:00", "2026-10-25-02:00+0100", "2026-10-25-03:00"]
    made = line(partitions=HOURS)
    for key, id_ in zip(keys, ("a", "b", "c"), strict=True):
        made.publish(key, people(id_))
        made.load(key)
    made.publish(keys[1], people("d"))
    made.load(keys[1])
    hours = made.target.rows("SELECT hour, id FROM people ORDER BY hour")
    assert [(f"{hour:%H %Z}", id_) for hour, id_ in hours] == [
        ("00 UTC", "a"),
        ("01 UTC", "d"),
        ("02 UTC", "c"),
    ]


def test_a_partition_may_be_named_by_any_text(line: MakeLine) -> None:
    made = line(partitions=dg.StaticPartitionsDefinition(ODD_KEYS))
    for number, key in enumerate(ODD_KEYS):
        made.publish(key, people(str(number)))
    made.load(*ODD_KEYS)
    made.publish(ODD_KEYS[0], people("again"))
    made.load(ODD_KEYS[0])
    found = dict(made.target.rows('SELECT "partition", id FROM people'))
    assert found == {key: str(number) for number, key in enumerate(ODD_KEYS)} | {ODD_KEYS[0]: "again"}
    assert was_loaded_before(made, made.load(ODD_KEYS[1])) == {True}


def test_a_table_that_was_dropped_is_loaded_again_and_so_are_its_views(line: MakeLine) -> None:
    made = line()
    for key, id_ in zip(DAYS, ("a", "bb"), strict=True):
        made.publish(key, people(id_))
    made.load(*DAYS)
    made.target.execute("DROP TABLE people CASCADE")
    made.load(DAY)
    assert made.ids() == made.ids("people__latest") == ["bb"]
    assert made.ids("people__tags__latest") == ["bb", "bb"]
    assert {stamp[:2] for stamp in made.target.stamps()} == {
        (LIST, f"date={OLDER}"), (LIST, f"date={DAY}"), (MAIN, f"date={DAY}")
    }  # fmt: skip
    made.load(OLDER)
    assert made.ids() == ["a", "bb"]


def test_a_view_that_was_dropped_is_made_again(line: MakeLine) -> None:
    made = line()
    made.publish(DAY, people("a"))
    made.load(DAY)
    made.target.execute("DROP VIEW people__latest CASCADE")
    made.load(DAY)
    assert made.ids("people__latest") == made.ids("people__tags__latest") == ["a"]

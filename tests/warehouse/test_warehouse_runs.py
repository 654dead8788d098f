"""Runs of loads: what they record, what one failure leaves of the rest, and when they start by themselves."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from resources.warehouse import waiting
from resources.warehouse.waiting import Turn, lock_name, only_writer
from tests.warehouse.warehouse_line import AT, DAYS, LIST, MAIN, SCHEMA, Line, failure, people, recorded
from tests.warehouse.warehouse_targets import Target

OLDER, DAY = DAYS
NEXT = "2026-11-23"
RANGE = (*DAYS, NEXT)
MakeLine = Callable[..., Line]


@pytest.fixture
def line(memory: Path, duckdb_file: Target) -> Iterator[MakeLine]:
    """Make a line into a DuckDB file."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield lambda **settings: Line(memory, duckdb_file, instance, **settings)


@pytest.fixture
def made(line: MakeLine) -> Line:
    """Give a line of three days, a person more each day."""
    made = line()
    for number, key in enumerate(RANGE):
        made.publish(key, people(*(f"{key}/{n}" for n in range(number + 1))))
    return made


def test_a_run_records_each_table_and_partition_with_its_figures(made: Line) -> None:
    figures = recorded(made, made.load(*RANGE))
    assert {where: of["rows"] for where, of in figures.items()} == {
        **{(MAIN, key): number + 1 for number, key in enumerate(RANGE)},
        **{(LIST, key): (number + 1) * len(f"{key}/0") for number, key in enumerate(RANGE)},
    }
    for of in figures.values():
        assert of["dagster/partition_row_count"] == of["rows"]
        assert (of["generation"], of["was_loaded_before"]) == (1, False)
        assert of["warehouse"] == made.target.uri
        assert isinstance(of["seconds"], float)
    assert {of["rows"] for of in recorded(made, made.load(DAY)).values()} == {2, 2 * len(f"{DAY}/0")}


def test_of_the_selected_tables_only_these_are_loaded(made: Line) -> None:
    figures = recorded(made, made.load(DAY, select=[LIST]))
    assert list(figures) == [(LIST, DAY)]
    assert made.ids() == []
    assert len(made.ids(LIST)) == 2 * len(f"{DAY}/0")
    assert made.ids(f"{LIST}__latest") == [], "the rows that they are of are not there"
    made.load(DAY, select=[MAIN])
    assert made.ids(f"{LIST}__latest") == made.ids(LIST)
    assert [stamp[0] for stamp in made.target.stamps()] == [MAIN, LIST]


def test_a_list_that_is_newer_than_its_rows_is_not_shown_as_theirs(made: Line) -> None:
    made.load(DAY)
    made.publish(DAY, people(f"{DAY}/0", "new", at=AT + timedelta(hours=1)))
    made.load(DAY, select=[LIST])
    assert made.ids(f"{LIST}__latest") == []
    made.load(DAY)
    assert made.ids(f"{LIST}__latest") == made.ids(LIST) != []


def damage(made: Line, key: str) -> None:
    """Overwrite a page of a published file, of which the footer is whole."""
    path = made.lake.root / MAIN / made.folder(key) / "part-00000.parquet"
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\xff" * 200 + content[204:])


def misfit(made: Line, key: str) -> None:
    """Publish text where the loads expect a number."""
    odd = SCHEMA.set(1, pa.field("n", pa.string()))
    made.publish(key, pa.Table.from_pylist([{"id": "x", "n": "secret", "fetched_at": AT}], schema=odd))


def nothing(made: Line, key: str) -> None:
    """Load a day of which nothing is published."""
    path = made.lake.root / MAIN / made.folder(key)
    for file in path.iterdir():
        file.unlink()


def nobody(made: Line, key: str) -> None:
    """Publish a row of nobody, which has a list."""
    rows = [{"id": None, "n": 1, "tags": [{"name": "secret"}], "fetched_at": AT}]
    made.publish(key, pa.Table.from_pylist(rows, schema=SCHEMA))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (damage, f"people date={DAY} in .* cannot be read as Parquet"),
        (misfit, "people.n is string in the partition's file"),
        (nothing, f"people has no partition date={DAY}"),
        (nobody, "people: id is null in a row that has tags"),
    ],
)
def test_a_partition_that_fails_does_not_keep_the_others_from_being_loaded_and_recorded(
    made: Line, spoil: Callable[[Line, str], None], said: str
) -> None:
    spoil(made, DAY)
    result = made.load(*RANGE, check=False)
    assert not result.success
    assert re.search(said, failure(result))
    assert "secret" not in failure(result)
    loaded = {(name, key) for name in (MAIN, LIST) for key in (OLDER, NEXT)}
    assert {*recorded(made, result)} == loaded
    assert {stamp[1] for stamp in made.target.stamps()} == {f"date={OLDER}", f"date={NEXT}"}
    made.publish(DAY, people("mended"))
    assert len(recorded(made, made.load(*RANGE))) == 6
    assert "mended" in made.ids()


def test_a_load_that_waits_in_vain_asks_to_be_tried_again_and_names_who_holds_the_file(
    made: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "AGAIN_SECONDS", 0.0)
    made.wait_seconds = 0.01
    with only_writer(made.target.file, "run another", Turn(1.0)):
        result = made.load(DAY, check=False)
    waits = [e for e in result.all_events if e.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY]
    assert len(waits) == 12
    assert "is being written by run another, process" in failure(result)
    assert made.load(DAY).success


def test_what_needs_a_person_ends_the_run_although_another_partition_may_succeed_later(
    memory: Path, postgresql_schema: Target
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        made = Line(memory, postgresql_schema, instance)
        made.wait_seconds = 0.01
        for key in DAYS:
            made.publish(key, people(key))
        made.load(OLDER)
        nothing(made, DAY)
        with made.target.warehouse().open("another") as database, database.transaction():
            lock_name(database, f"{MAIN} date={OLDER}", Turn(1.0))
            result = made.load(*DAYS, check=False)
        assert f"has no partition date={DAY}" in failure(result)
        assert not [e for e in result.all_events if e.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY]


Evaluated = dg.EvaluateAutomationConditionsResult


def evaluate(made: Line, before: Evaluated | None) -> Evaluated:
    """Look at the automation conditions once, after a look before."""
    resources = {"lake": made.lake, "warehouse": made.target.warehouse()}
    return dg.evaluate_automation_conditions(
        dg.Definitions([made.asset, made.loads], resources=resources),
        made.instance,
        asset_selection=dg.AssetSelection.assets(made.loads),
        cursor=before.cursor if before else None,
    )


class Daemon:
    """What Dagster's daemon does with the automation conditions, tick by tick."""

    def __init__(self, made: Line) -> None:
        self.made = made
        self.found: Evaluated | None = None

    def published(self, *keys: str) -> "Daemon":
        for key in keys:
            self.made.instance.report_runless_asset_event(dg.AssetMaterialization(MAIN, partition=key))
        return self

    def requested(self) -> dict[str, set[str]]:
        """Give which partitions of which tables are asked for, and take them for loaded."""
        self.found = found = evaluate(self.made, self.found)
        asked = {key: found.get_requested_partitions(key) for key in self.made.loads.keys}
        for asset, keys in asked.items():
            for key in keys:
                event = dg.AssetMaterialization(asset, partition=str(key))
                self.made.instance.report_runless_asset_event(event)
        return {asset.path[-1]: {str(key) for key in keys} for asset, keys in asked.items() if keys}


def test_a_partition_that_is_published_is_loaded_an_old_one_too_and_none_without(line: MakeLine) -> None:
    daemon = Daemon(line())
    assert daemon.requested() == {}
    assert daemon.published(OLDER).requested() == {MAIN: {OLDER}, LIST: {OLDER}}
    assert daemon.requested() == {}
    assert daemon.published(DAY, NEXT).requested() == {MAIN: {DAY, NEXT}, LIST: {DAY, NEXT}}
    assert daemon.requested() == {}
    assert daemon.published(OLDER).requested() == {MAIN: {OLDER}, LIST: {OLDER}}
    assert daemon.requested() == {}


def test_a_table_without_partitions_is_loaded_when_it_is_published(line: MakeLine) -> None:
    made = line(partitions=None)
    first = evaluate(made, None)
    assert first.total_requested == 0
    made.instance.report_runless_asset_event(dg.AssetMaterialization(MAIN))
    assert evaluate(made, first).total_requested == 2

"""Partitions that are kept long enough are dropped, all tables of one at once, and none is made again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow as pa
import pytest

from pipelines.retention import drop_expired, expired
from resources.errors import ConfigurationError, Fenced, PartitionMissing
from resources.lake import Lake, LakeIOManager
from resources.lake.place import place_of
from resources.lake.publishing.claim import Claims
from resources.lake.publishing.leftovers import collect
from resources.lake.retention import days_kept, drop, folders_over, require_kept
from tests.crashing import killed
from tests.dagster_runs import Location
from tests.lake_rows import DAY, SCHEMAS, everything, hidden, publish, seen
from tests.local import last_days
from tests.sandbox import Sandbox

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAILY = dg.DailyPartitionsDefinition("2026-11-01", timezone="Europe/Berlin")
DAYS = last_days(3)
OTHER = "date=2026-11-23"


@pytest.fixture
def lake(memory: Path) -> Lake:
    return Lake(path=str(memory / "lake"))


def drop_day(lake: Lake, run: str = "retention") -> None:
    drop(lake, "people", DAY, list(SCHEMAS), run=run)


def lakes(folder: Path) -> Iterator[tuple[int, Lake]]:
    for at in count(1):
        yield at, Lake(path=str(folder / str(at)))


def test_a_partition_is_dropped_with_all_its_tables_and_no_other(lake: Lake) -> None:
    publish(lake, "a")
    publish(lake, "b", folder=OTHER)
    drop_day(lake)
    assert (seen(lake), seen(lake, OTHER)) == (None, "b")
    assert [manifest.partition for manifest in lake.manifests("people")] == [OTHER]
    assert {path.split("/")[1] for path in everything(lake)} == {OTHER}
    assert not (lake.root / "people" / DAY).exists()
    assert not hidden(lake, "_staging")
    drop_day(lake)
    publish(lake, "c")
    assert seen(lake) == "c", "nothing is left that would be in the way"


@pytest.mark.journey
def test_one_that_is_killed_anywhere_has_dropped_all_tables_or_none(memory: Path) -> None:
    outcomes = []
    for at, lake in lakes(memory):
        publish(lake, "a")
        if not killed(lake, drop_day, at=at):
            break
        with Claims(lake.root, "people", DAY).locked():  # so that nothing can be finished
            outcome = seen(lake)
        assert outcome in ("a", None)
        assert seen(lake) == outcome, "it stays so when the rest is done"
        outcomes.append(outcome)
        if outcome is None:
            assert everything(lake) == {}
        collect(lake.root, older_than=timedelta(0))
        assert not hidden(lake, "_staging")
        assert not hidden(lake, "_commits")
    assert outcomes == sorted(outcomes, key=lambda outcome: outcome is None), "there is one turning point"
    assert {"a", None} == set(outcomes)


def test_a_run_that_is_at_a_dropped_partition_publishes_nothing(lake: Lake) -> None:
    publish(lake, "a")
    with pytest.raises(Fenced, match="claimed by run retention since"):
        with lake.write(DAY, SCHEMAS, run="running"):
            drop_day(lake)
    assert seen(lake) is None


def test_what_a_reader_has_open_it_reads_to_the_end(lake: Lake) -> None:
    publish(lake, "a")
    with lake.open("people", DAY) as file:
        drop_day(lake)
        assert file.size() > 0


def test_files_of_somebody_else_stay_and_so_does_their_folder(lake: Lake) -> None:
    publish(lake, "a")
    (lake.root / "people" / DAY / "notes.txt").write_text("mine")
    drop_day(lake)
    assert seen(lake) is None
    assert [path.name for path in (lake.root / "people" / DAY).iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("partitions", "days", "kept"),
    [
        (DAILY, 3, ["2026-11-22", "2026-11-23"]),  # of the 22nd, which ends at 23:00 UTC
        (DAILY, 1000, ["2026-10-15", "2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]),
        (dg.DailyPartitionsDefinition("2026-11-22"), 3, ["2026-11-22", "2026-11-23"]),  # begins later now
        (None, 1, ["2026-10-15", "2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]),
    ],
)
def test_a_day_is_kept_until_so_many_days_after_its_end(
    partitions: dg.PartitionsDefinition | None, days: int, kept: list[str]
) -> None:
    folders = [
        f"date={day}" for day in ("2026-10-15", "2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23")
    ]
    over = folders_over(folders, partitions, days, NOW)
    assert [folder.removeprefix("date=") for folder in folders if folder not in over] == kept
    assert all(key is None or folder == f"date={key}" for folder, key in over.items())


def test_hours_end_by_the_hour_and_clocks_that_change_drop_none_too_early() -> None:
    hourly = dg.HourlyPartitionsDefinition("2026-11-01-00:00")
    folders = [place_of(f"2026-11-24-{hour}:00", hourly).folder for hour in (10, 11, 12)]
    assert list(folders_over(folders, hourly, 1, NOW + timedelta(seconds=1))) == folders[:2]
    berlin = dg.DailyPartitionsDefinition("2026-10-20", timezone="Europe/Berlin")
    long_day = berlin.time_window_for_partition_key("2026-10-25")
    assert long_day.end.timestamp() - long_day.start.timestamp() == 25 * 3600
    for seconds, over in ((0, []), (1, ["date=2026-10-25"])):
        now = long_day.end + timedelta(days=1, seconds=seconds)
        assert list(folders_over(["date=2026-10-25"], berlin, 1, now)) == over


def test_folders_that_are_no_partitions_by_time_are_left_alone() -> None:
    folders = ["", "partition=old", "date=soon", "hour=x"]
    assert folders_over(folders, DAILY, 1, NOW) == {}
    assert folders_over(folders, dg.StaticPartitionsDefinition(["old"]), 1, NOW) == {}


@pytest.mark.parametrize("value", [0, -1, 1.5, "30", True])
def test_what_is_no_number_of_days_is_refused(value: object) -> None:
    with pytest.raises(ConfigurationError, match="people: retention_days in its metadata is no number"):
        days_kept({"retention_days": value}, "people")


def test_a_run_of_what_would_be_dropped_is_refused_with_what_to_do() -> None:
    today = datetime.now(UTC).date()
    daily = dg.DailyPartitionsDefinition("2026-01-01")
    days = [str(today - timedelta(days=back)) for back in (20, 12, 9)]
    end = today - timedelta(days=19)
    said = rf"people {days[0]} ended at {end} 00:00 UTC and is kept for 10 .*2 partitions.* to {days[1]}"
    with pytest.raises(ConfigurationError, match=said):
        require_kept("people", days, daily, 10)
    require_kept("people", days[2:], daily, 10)
    require_kept("people", days, daily, None)
    require_kept("people", [None], None, 10)


def asset(
    name: str, days: int | None, partitions: dg.PartitionsDefinition | None = DAILY
) -> dg.AssetsDefinition:
    metadata = {"retention_days": days} if days else {}

    @dg.asset(name=name, partitions_def=partitions, metadata=metadata)
    def made() -> pa.Table:
        return pa.table({"id": ["a"]})

    return made


class Warehouse:
    """Takes note of what is dropped, and of what the lake has at that moment."""

    def __init__(self, lake: Lake) -> None:
        self.dropped: list[tuple[list[str], str, str | None]] = []
        self.loaded = [DAY, OTHER]
        self._lake = lake

    def folders(self, table: str) -> list[str]:
        return self.loaded if table == "people" else []

    def drop(self, tables: list[str], folder: str) -> int:
        self.dropped.append((tables, folder, seen(self._lake, folder)))
        return 7


def test_only_what_is_declared_is_dropped_and_the_lake_is_the_first(lake: Lake) -> None:
    for day in (DAY, OTHER):
        publish(lake, "a", folder=day)
        with lake.write(day, {"mine": pa.schema([("id", pa.string())])}, run="r"):
            pass
    assets = [asset("people", 2), asset("mine", None)]
    found = list(expired(assets, lake, now=NOW))
    assert [(each.table, each.folder, each.key, each.rows) for each in found] == [
        ("people", DAY, "2026-11-22", {"people": 1, "people__lookups": 1})
    ]
    warehouse = Warehouse(lake)
    done = list(drop_expired(found, lake, run="retention", holders={"warehouse": warehouse}))
    assert [dropped for _, dropped in done] == [{"warehouse": 7, "lake": 2}]
    assert warehouse.dropped == [(["people", "people__lookups"], DAY, None)], "what is loaded now finds none"
    assert (seen(lake), seen(lake, OTHER)) == (None, "a")
    assert len(lake.manifests("mine")) == 2
    assert list(expired(assets, lake, now=NOW)) == []
    (left,) = expired(assets, lake, now=NOW, holders=[warehouse])
    assert (left.folder, left.rows) == (DAY, {"people": 0}), "what an interrupted one has left is found"
    list(drop_expired([left], lake, run="retention", holders={"warehouse": warehouse}))
    assert warehouse.dropped[1:] == [(["people"], DAY, None)]


def test_a_frame_of_a_partition_that_would_be_dropped_is_not_published(tmp_path: Path) -> None:
    daily = dg.DailyPartitionsDefinition("2026-01-01")
    result = dg.materialize(
        [asset("people", 30, daily)],
        partition_key="2026-01-02",
        resources={"io_manager": LakeIOManager(path=str(tmp_path))},
        raise_on_error=False,
    )
    assert not result.success
    assert not list(tmp_path.rglob("*.parquet"))


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    sandbox.write_feed(tmp_path / "feed", DAYS)
    return Location(sandbox, tmp_path)


def retention(location: Location) -> dict[str, object]:
    """Run the job; give what it has recorded."""
    location.run("dagster", "job", "execute", "-m", "pipelines.definitions", "-j", "retention")
    with location.instance() as instance:
        (record,) = instance.get_run_records(dg.RunsFilter(job_name="retention"), limit=1)
        logs = instance.all_logs(record.dagster_run.run_id, of_type=dg.DagsterEventType.STEP_OUTPUT)
    (event,) = [log.dagster_event for log in logs]
    assert event
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


@pytest.mark.journey
def test_the_job_drops_what_the_setting_says_and_records_it(location: Location, sandbox: Sandbox) -> None:
    for day in DAYS[:2]:
        location.materialize(str(day), select="*")
    lake = location.lake
    before = {table: lake.manifest(table, f"date={DAYS[0]}") for table in ("profiles", "profiles__lookups")}
    assert retention(location) == {"partitions_dropped": {}, "rows_dropped": {}}
    location.settings["TARGETDATA_RETENTION_DAYS"] = "2"
    recorded = retention(location)
    names = ("profile_keys", "profiles", "profiles_refresh", "profiles_wide")
    assert recorded["partitions_dropped"] == dict.fromkeys(names, 1)
    rows = recorded["rows_dropped"]
    assert isinstance(rows, dict)
    assert {table: rows[table] for table in before} == {
        t: found and found.rows for t, found in before.items()
    }
    for table in (*names, "profiles__lookups"):
        assert [found.partition for found in lake.manifests(table)] == [f"date={DAYS[1]}"]
        with pytest.raises(PartitionMissing):
            lake.read(table, f"date={DAYS[0]}")
    with duckdb.connect(str(location.folder / "warehouse.duckdb"), read_only=True) as warehouse:
        for table in ("profiles", "profiles__identifiers", "profiles__lookups", "profiles_wide"):
            assert warehouse.sql(f"SELECT DISTINCT date FROM {table}").fetchall() == [(DAYS[1],)]
    with location.instance() as instance:
        seen = instance.fetch_observations(dg.AssetKey("profiles"), limit=5).records
    assert [record.partition_key for record in seen] == [str(DAYS[0])]


@pytest.mark.journey
def test_a_backfill_of_what_would_be_dropped_asks_nothing_and_is_not_tried_again(
    location: Location, sandbox: Sandbox
) -> None:
    location.settings["TARGETDATA_RETENTION_DAYS"] = "2"
    asked = len(sandbox.requests)
    for name in ("profile_keys", "profiles"):
        done = location.materialize(str(DAYS[0]), select=name, check=False)
        assert done.returncode != 0
        said = f"{name} {DAYS[0]} ended at {DAYS[1]} 00:00 UTC and is kept for 2 days"
        assert said in done.stdout + done.stderr
    assert len(sandbox.requests) == asked
    with location.instance() as instance:
        runs = instance.get_runs()
    assert {run.tags["dagster/retry_on_asset_or_op_failure"] for run in runs} == {"false"}
    location.materialize(str(DAYS[2]))


def test_the_schedule_is_on_where_a_limit_is_set(location: Location) -> None:
    code = (
        "from pipelines.definitions import defs\n"
        "schedule = defs().resolve_schedule_def('retention_every_morning')\n"
        "print(schedule.default_status.value, schedule.cron_schedule, schedule.job.name)"
    )
    assert location.run("python", code).stdout.strip() == "STOPPED 30 5 * * * retention"
    location.settings["TARGETDATA_RETENTION_DAYS"] = "90"
    assert location.run("python", code).stdout.strip() == "RUNNING 30 5 * * * retention"


def test_it_comes_half_an_hour_after_the_daily_line(location: Location) -> None:
    location.settings |= {"TARGETDATA_SCHEDULE_HOUR": "23", "TARGETDATA_SCHEDULE_MINUTE": "45"}
    code = (
        "from pipelines.definitions import defs\n"
        "for name in ('profiles_every_morning', 'retention_every_morning'):\n"
        "    print(defs().resolve_schedule_def(name).cron_schedule)"
    )
    assert location.run("python", code).stdout.splitlines() == ["45 23 * * *", "15 0 * * *"]

"""The sensor: a day starts when its files have arrived, and again when they were delivered anew."""

import gzip
import json
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.feed_watch import Line, watch
from resources.errors import ConfigurationError
from resources.feed import Feed, SqlKeys
from tests.dagster_runs import Location
from tests.feed_files import jsonl
from tests.local import last_days
from tests.sandbox import Sandbox

OLDER, DAY = last_days(2)
ASSET = dg.AssetKey("profile_keys")
PARTITIONS = dg.DailyPartitionsDefinition((DAY - timedelta(days=9)).isoformat())


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


class Sensor:
    """Ticks over a folder of files; the cursor goes from one to the next."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self.instance = instance
        self.source = Feed(pattern=f"{folder}/{{date}}/*", columns={"umid": "umid"})
        self.cursor: str | None = None
        self.said = ""

    def tick(self) -> list[str]:
        """Give the days that are asked for."""
        return [request.partition_key or "" for request in self.requests()]

    def requests(self) -> list[dg.RunRequest]:
        line = Line(self.instance, ASSET, "profiles_daily", PARTITIONS)
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor) as context:
            result = watch(context, self.source, line, days=3)
        self.cursor = result.cursor
        self.said = str(result.skip_reason and result.skip_reason.skip_message)
        return list(result.run_requests or [])

    def deliver(self, *umids: str, day: date = DAY, name: str = "a.jsonl") -> Path:
        path = self.folder / str(day) / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(jsonl(*({"umid": umid} for umid in umids)))
        return path

    def version(self) -> str:
        """The version that a run of the day would record."""
        window = PARTITIONS.time_window_for_partition_key(str(DAY))
        return self.source.read(start=window.start, end=window.end).version

    def record(self) -> None:
        """Record the day as a run would."""
        tags = {"dagster/data_version": self.version()}
        event = dg.AssetMaterialization(ASSET, partition=str(DAY), tags=tags)
        self.instance.report_runless_asset_event(event)


@pytest.fixture
def sensor(tmp_path: Path, instance: dg.DagsterInstance) -> Sensor:
    return Sensor(tmp_path, instance)


def test_a_feed_that_has_not_come_is_no_error(sensor: Sensor) -> None:
    assert sensor.tick() == []
    assert f"{DAY}: no file yet" in sensor.said


def test_a_day_starts_once_when_its_files_were_the_same_in_two_ticks(sensor: Sensor) -> None:
    sensor.deliver("a")
    assert [sensor.tick() for _ in range(4)] == [[], [str(DAY)], [], []]


def test_a_file_that_grows_is_waited_for(sensor: Sensor) -> None:
    for number in range(3):
        sensor.deliver(*"abc"[: number + 1])
        assert sensor.tick() == []
    sensor.deliver("x", name="b.jsonl")
    assert sensor.tick() == []
    assert sensor.tick() == [str(DAY)]


def test_days_before_the_last_ones_are_not_looked_at(sensor: Sensor) -> None:
    sensor.deliver("a", day=DAY - timedelta(days=3))
    sensor.deliver("a", day=OLDER)
    assert [sensor.tick(), sensor.tick()] == [[], [str(OLDER)]]


def test_files_that_are_touched_moved_or_packed_start_nothing(sensor: Sensor) -> None:
    path = sensor.deliver("a")
    assert [sensor.tick(), sensor.tick()] == [[], [str(DAY)]]
    sensor.record()
    os.utime(path, ns=(1, 1))
    assert [sensor.tick(), sensor.tick()] == [[], []]
    assert f"{DAY}: the same content" in sensor.said
    path.with_suffix(".json.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert [sensor.tick(), sensor.tick()] == [[], []]
    assert f"{DAY}: the same content" in sensor.said


def test_other_content_starts_the_day_again_even_one_that_was_there_before(sensor: Sensor) -> None:
    keys = []
    for umid in "abab":
        sensor.deliver(umid)
        assert sensor.tick() == []
        (request,) = sensor.requests()
        assert sensor.version() in str(request.run_key)
        keys.append(request.run_key)
        sensor.record()
    assert len(set(keys)) == 4


def test_a_day_that_was_run_with_this_content_is_not_run_again(sensor: Sensor) -> None:
    sensor.deliver("a")
    sensor.record()
    assert [sensor.tick(), sensor.tick()] == [[], []]
    sensor.cursor = None
    assert [sensor.tick(), sensor.tick()] == [[], []]


SINGLE = {"dagster/partition": str(DAY)}
RANGE = {
    "dagster/asset_partition_range_start": str(DAY - timedelta(days=3)),
    "dagster/asset_partition_range_end": str(DAY),
}
EARLIER = {
    "dagster/asset_partition_range_start": str(DAY - timedelta(days=3)),
    "dagster/asset_partition_range_end": str(DAY - timedelta(days=1)),
}


def under_way(job: str, tags: dict[str, str], *assets: list[str]) -> dg.DagsterRun:
    selection = frozenset(map(dg.AssetKey, assets)) or None
    status = dg.DagsterRunStatus.STARTED
    return dg.DagsterRun(job_name=job, status=status, tags=tags, asset_selection=selection)


@pytest.mark.parametrize(
    "run",
    [
        under_way("profiles_daily", EARLIER),
        under_way("profiles_daily", {"dagster/partition": str(DAY - timedelta(days=1))}),
        under_way("profiles_daily_us", SINGLE),
        under_way("__ASSET_JOB", SINGLE, ["us", "profile_keys"]),
        under_way("__ASSET_JOB", RANGE, ["profiles"]),
    ],
)
def test_a_run_of_other_days_accounts_or_assets_is_not_waited_for(run: dg.DagsterRun, sensor: Sensor) -> None:
    sensor.deliver("a")
    sensor.instance.add_run(run)
    assert [sensor.tick(), sensor.tick()] == [[], [str(DAY)]]


@pytest.mark.parametrize(
    "run",
    [
        under_way("profiles_daily", SINGLE),
        under_way("profiles_daily", RANGE),
        under_way("__ASSET_JOB", SINGLE, ["profile_keys"]),
        under_way("__ASSET_JOB", RANGE, ["profile_keys"], ["profiles"]),
    ],
)
def test_a_run_of_the_day_that_is_under_way_is_waited_for(run: dg.DagsterRun, sensor: Sensor) -> None:
    sensor.deliver("a")
    sensor.instance.add_run(run)
    assert [sensor.tick() for _ in range(3)] == [[], [], []]
    assert f"{DAY}: a run is under way" in sensor.said
    sensor.instance.delete_run(run.run_id)
    assert sensor.tick() == [str(DAY)]


def test_a_file_that_cannot_be_unpacked_starts_a_run_that_says_so(sensor: Sensor) -> None:
    sensor.deliver("a", name="a.jsonl.gz")
    assert [sensor.tick(), sensor.tick()] == [[], [str(DAY)]]


def test_many_files_are_read_over_several_ticks(sensor: Sensor, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        sensor.deliver(str(number), name=f"{number}.jsonl")
    monkeypatch.setattr("pipelines.feed_watch.TICK_SECONDS", -1.0)
    assert [sensor.tick() for _ in range(7)] == [[], [], [], [], [], [str(DAY)], []]
    assert sensor.version() in str(sensor.cursor)


def test_a_file_that_changes_while_it_is_read_is_read_anew(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.feed_watch.TICK_SECONDS", -1.0)
    for name in ("a.jsonl", "b.jsonl"):
        sensor.deliver("a", name=name)
    assert [sensor.tick(), sensor.tick()] == [[], []]
    sensor.deliver("other", name="a.jsonl")
    assert [sensor.tick() for _ in range(3)] == [[], [], [str(DAY)]]
    assert sensor.version() in str(sensor.cursor)


def test_the_cursor_stays_small_with_thousands_of_files(sensor: Sensor) -> None:
    for number in range(1000):
        sensor.deliver("a", name=f"{number}.jsonl")
    assert [sensor.tick(), sensor.tick()] == [[], [str(DAY)]]
    assert len(str(sensor.cursor)) < 1000


def test_a_cursor_of_another_version_counts_as_none(sensor: Sensor) -> None:
    sensor.deliver("a")
    sensor.cursor = "from before"
    assert [sensor.tick(), sensor.tick()] == [[], [str(DAY)]]


def test_keys_of_a_query_are_not_looked_for(sensor: Sensor) -> None:
    sensor.source = SqlKeys(uri="duckdb:///x", query="SELECT 1")
    assert sensor.tick() == []
    assert "the keys come from no files" in sensor.said


def test_a_broken_configuration_is_the_ticks_error(sensor: Sensor) -> None:
    sensor.source = Feed(pattern="events.jsonl", columns={"umid": "umid"})
    with pytest.raises(ConfigurationError, match=r"has no \{date\}"):
        sensor.tick()


# --- the shipped sensor, its job, and a real instance ---

SCENARIO = """
import gzip, json, os, sys
import dagster as dg
from pipelines.definitions import defs

location, (run_before, day, feed) = defs(), sys.argv[1:]
sensor, job = location.resolve_sensor_def("feed_arrived"), location.resolve_job_def("profiles_daily")
resources = {"feed": location.get_repository_def().get_top_level_resources()["feed"]}
versions, cursor = [], None

def ticks(instance):
    global cursor
    asked = []
    for _ in range(3):
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, resources=resources, definitions=location
        ) as context:
            tick = sensor.evaluate_tick(context)
        cursor = tick.cursor
        asked.append([request.partition_key for request in tick.run_requests])
    return asked

def run(instance, partition):
    assert job.execute_in_process(partition_key=partition, instance=instance).success
    wanted = dg.AssetRecordsFilter(dg.AssetKey("profile_keys"), asset_partitions=[partition])
    (record,) = instance.fetch_materializations(wanted, limit=1).records
    versions.append(record.asset_materialization.tags["dagster/data_version"])

with dg.DagsterInstance.get() as instance:
    run(instance, run_before)
    arrived = ticks(instance)
    run(instance, day)
    after = ticks(instance)
    os.utime(feed)
    touched = ticks(instance)
    with gzip.open(feed) as old:
        lines = old.readlines()
    with gzip.open(feed, "wb") as new:
        new.writelines(lines[:-1])
    anew = ticks(instance)
    run(instance, day)
print(json.dumps([sensor.default_status.value, arrived, after, touched, anew, versions]))
"""


@pytest.mark.journey
def test_the_shipped_sensor_starts_the_daily_job_when_a_feed_arrives_and_is_delivered_anew(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.write_feed(tmp_path / "feed", [OLDER, DAY])
    feed = tmp_path / "feed" / f"events-{DAY}.jsonl.gz"
    location = Location(sandbox, tmp_path)
    done = location.run("python", SCENARIO, str(OLDER), str(DAY), str(feed))
    status, arrived, after, touched, anew, versions = json.loads(done.stdout.splitlines()[-1])
    nothing: list[list[str]] = [[], [], []]
    once = [[], [str(DAY)], []]
    assert (status, arrived, after, touched, anew) == ("STOPPED", once, nothing, nothing, once)
    assert len(set(versions)) == 3

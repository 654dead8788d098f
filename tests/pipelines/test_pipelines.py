"""The daily line in Dagster: partitions published and recorded, failures that say what to do."""

import signal
import subprocess
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from resources.feed import read_keys
from tests.conftest import ROOT
from tests.dagster_runs import Location, materialization
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.sandbox.record import Request
from tests.truth import expected_lookups, expected_profiles, expected_wide, lookups, plain

DAYS = last_days(3)
DAY = DAYS[-1]


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    sandbox.write_feed(tmp_path / "feed", DAYS)
    return Location(sandbox, tmp_path)


def materializations(location: Location, asset: str) -> dict[str, dict[str, object]]:
    """Give the metadata of an asset's partitions, as Dagster has recorded it."""
    with location.instance() as instance:
        events = instance.fetch_materializations(dg.AssetKey(asset), limit=100).records
        assert len(events) == len({event.partition_key for event in events}), "one event a partition"
        return {
            event.partition_key: {
                name: value.value for name, value in event.asset_materialization.metadata.items()
            }
            for event in events
        }


def checked(location: Location, asset: str) -> dict[str, dict[str | None, dg.AssetCheckEvaluation]]:
    """Give what the checks of an asset found in the last run, by name and partition; once for each."""
    with location.instance() as instance:
        run = instance.get_runs()[0].run_id
        logs = instance.all_logs(run, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    events = [log.asset_check_evaluation for log in logs]
    found: dict[str, dict[str | None, dg.AssetCheckEvaluation]] = {}
    for event in events:
        if event and event.asset_key == dg.AssetKey(asset):
            of_check = found.setdefault(event.check_name, {})
            assert event.partition not in of_check, "one evaluation a partition"
            of_check[event.partition] = event
    return found


KEYS = [f"keys_{status}" for status in ("asked", "found", "filtered", "not_found", "failed")]
BY_PARTITION = ("accounting", "null_shares", "observed_late", "share_not_found")


def assert_checked(location: Location, asset: str, *days: date) -> None:
    """Look that each check was evaluated for each partition, and the newest one once."""
    found = checked(location, asset)
    for name in BY_PARTITION:
        assert sorted(found[name], key=str) == [str(day) for day in days]
        assert all(event.target_materialization_data for event in found[name].values())
    assert all(event.passed and event.blocking for event in found["accounting"].values())
    assert list(found["newest_partition"]) == [None]


def versions(location: Location) -> dict[str, str]:
    """Give the data versions of the partitions of `profile_keys`."""
    with location.instance() as instance:
        events = instance.fetch_materializations(dg.AssetKey("profile_keys"), limit=100).records
        return {e.partition_key: e.asset_materialization.tags["dagster/data_version"] for e in events}


def content(location: Location, day: date) -> str:
    feed = str(location.folder / "feed" / "events-{date}.jsonl.gz")
    return read_keys(feed, day=day, columns={"umid": "umid"}).version


def only_run(location: Location) -> dg.DagsterRun:
    with location.instance() as instance:
        (run,) = instance.get_runs()
        return run


def failure(location: Location) -> str:
    """Run the day, which must fail, and give what Dagster recorded of it."""
    assert location.materialize(str(DAY), check=False).returncode != 0
    with location.instance() as instance:
        run = instance.get_runs()[0]
        events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        retries = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)
    assert not retries, "a person is needed: nothing may retry"
    error = events[0].get_dagster_event().step_failure_data.error
    return error.to_string()


def extractions(location: Location) -> list[Request]:
    """Give the requests of the extracts, without those of the checks beside them."""
    asked = [r for r in location.sandbox.requests if r.path == "/graphql"]
    return [r for r in asked if "__schema" not in r.query]


def test_a_day_is_published_and_recorded_with_its_figures(location: Location) -> None:
    location.materialize(str(DAY))
    umids = location.sandbox.umids_of(DAY)
    assert plain(location.lake.read("profiles", f"date={DAY}")) == expected_profiles(location.sandbox, umids)
    assert lookups(location.lake.read("profiles__lookups", f"date={DAY}")) == expected_lookups(
        location.sandbox, umids
    )
    assert location.lake.read("profile_keys", f"date={DAY}")["umid"].to_pylist() == umids
    figures = materializations(location, "profiles")[str(DAY)]
    found = sum(status == "found" for _, status, _ in expected_lookups(location.sandbox, umids))
    assert figures["keys_asked"] == len(umids)
    assert (figures["keys_found"], figures["keys_not_found"]) == (found, len(umids) - found)
    assert figures["keys_failed"] == 0
    assert (
        figures["rows"]
        == figures["dagster/row_count"]
        == figures["dagster/partition_row_count"]
        == len(expected_profiles(location.sandbox, umids))
    )
    assert figures["token_renewals"] == 1
    assert figures["requests"] == len(extractions(location))
    assert figures["seconds"] > 0 < figures["rows_per_second"]
    assert figures["answer_bytes"] > 0 < figures["file_bytes"]
    assert [c.name for c in figures["dagster/column_schema"].columns][:2] == ["profile_id", "owner"]
    assert plain(location.lake.read("profiles_wide", f"date={DAY}")) == expected_wide(location.sandbox, umids)
    wide = materializations(location, "profiles_wide")[str(DAY)]
    assert wide["rows"] == wide["dagster/partition_row_count"] == figures["rows"]
    for recorded in (figures, wide):
        lineage = recorded["dagster/column_lineage"]
        assert isinstance(lineage, dg.TableColumnLineage)
        assert set(lineage.deps_by_column) <= {
            column.name for column in recorded["dagster/column_schema"].columns
        }
        assert lineage.deps_by_column["profile_id"]
    assert list(wide["names_without_column"]["attributes"]) == ["last_campaign"]
    assert versions(location) == {str(DAY): content(location, DAY)}
    keys = materializations(location, "profile_keys")[str(DAY)]
    assert_checked(location, "profiles", DAY)
    assert_checked(location, "profiles_refresh", DAY)
    (accounts,) = checked(location, "profiles")["accounting"].values()
    assert {name: value.value for name, value in accounts.metadata.items()} == {
        name: figures[name] for name in ("rows", *KEYS)
    }
    assert keys["events"] == keys["null_keys"] + keys["duplicate_keys"] + keys["rows"]


@pytest.mark.journey
def test_in_a_range_run_each_partition_is_recorded_by_itself_and_each_key_asked_once(
    location: Location,
) -> None:
    location.settings["TARGETDATA_PARTITIONS_PER_RUN"] = "0"
    run_range(location)
    assert len(location_runs(location)) == 1
    assert versions(location) == {str(day): content(location, day) for day in DAYS}
    assert sorted(materializations(location, "profile_keys")) == [str(day) for day in DAYS]
    figures = materializations(location, "profiles")
    assert sorted(figures) == [str(day) for day in DAYS]
    for day in DAYS:
        umids = location.sandbox.umids_of(day)
        assert figures[str(day)]["keys_asked"] == len(umids)
        assert plain(location.lake.read("profiles", f"date={day}")) == expected_profiles(
            location.sandbox, umids
        )
        assert plain(location.lake.read("profiles_wide", f"date={day}")) == expected_wide(
            location.sandbox, umids
        )
    assert sorted(materializations(location, "profiles_wide")) == [str(day) for day in DAYS]
    assert_checked(location, "profiles", *DAYS)
    assert_checked(location, "profiles_refresh", *DAYS)
    distinct = {umid for day in DAYS for umid in location.sandbox.umids_of(day)}
    assert location.sandbox.answers == dict.fromkeys(distinct, 1)
    (lookups_,) = {of_day["range_lookups"] for of_day in figures.values()}
    assert lookups_ == len(distinct) < sum(of_day["keys_asked"] for of_day in figures.values())
    (partitions,) = {of_day["range_partitions"] for of_day in figures.values()}
    assert partitions == len(DAYS)
    (requests,) = {of_day["range_requests"] for of_day in figures.values()}
    assert requests == len(extractions(location))
    assert location.sandbox.token_requests == 1, "asset checks ask with the same token"
    introspections = [r for r in location.sandbox.requests if "__schema" in r.query]
    assert len(introspections) == 2, "the drift of two extracts, once a run"


@pytest.mark.journey
def test_a_partition_of_a_range_that_fails_does_not_keep_the_others_from_being_published(
    location: Location,
) -> None:
    location.settings["TARGETDATA_PARTITIONS_PER_RUN"] = "0"
    run_range(location, select="profile_keys")
    umids = [set(location.sandbox.umids_of(day)) for day in DAYS]
    location.sandbox.faults.alias_errors = {min(umids[1] - umids[0] - umids[2]): -1}
    done = run_range(location, select="profiles", check=False)
    assert f"profiles {DAYS[1]}: 1 of {len(umids[1])} keys failed" in done.stdout + done.stderr
    assert sorted(materializations(location, "profiles")) == [str(DAYS[0]), str(DAYS[2])]
    assert_checked(location, "profiles", DAYS[0], DAYS[2])
    published = [location.lake.manifest("profiles", f"date={day}") is not None for day in DAYS]
    assert published == [True, False, True]
    location.sandbox.faults.alias_errors = {}
    location.sandbox.clear()
    run_range(location, select="profiles")
    assert len(location.sandbox.answers) == 1, "the next run asks only for the key that failed"
    assert not list((location.lake.root / "_staging").iterdir())


def test_a_day_without_a_feed_does_not_keep_the_others_of_a_range_from_their_keys(location: Location) -> None:
    location.settings |= {"TARGETDATA_PARTITIONS_PER_RUN": "0", "TARGETDATA_FEED_LATE_SECONDS": "0.1"}
    (location.folder / "feed" / f"events-{DAYS[1]}.jsonl.gz").unlink()
    done = run_range(location, check=False)
    assert "the feed may be late" in done.stdout + done.stderr
    published = [location.lake.manifest("profile_keys", f"date={day}") for day in DAYS]
    assert [found is not None for found in published] == [True, False, True]
    assert [found.generation for found in published if found] == [1, 1], "a retry leaves them as they are"


def test_a_failure_before_the_keys_of_a_range_are_all_answered_publishes_nothing(location: Location) -> None:
    location.settings["TARGETDATA_PARTITIONS_PER_RUN"] = "0"
    run_range(location, select="profile_keys")
    location.sandbox.faults.field_overrides = {"testProfile": "no boolean"}
    assert run_range(location, select="profiles", check=False).returncode != 0
    assert materializations(location, "profiles") == {}
    assert list(checked(location, "profiles")) == ["newest_partition"], "it is missed when a run fails, too"
    assert not list(location.lake.root.glob("profiles/*"))
    assert not list((location.lake.root / "_staging").iterdir())


def location_runs(location: Location) -> list[dg.DagsterRun]:
    with location.instance() as instance:
        return list(instance.get_runs())


def run_range(
    location: Location, select: str = "*", *, check: bool = True
) -> "subprocess.CompletedProcess[str]":
    """Run three days in one run."""
    return location.materialize(str(DAYS[0]), str(DAYS[-1]), select=select, check=check)


def allow_run_retries(location: Location) -> None:
    config = location.home / "dagster.yaml"
    text = config.read_text()
    assert "max_retries: 0" in text
    config.write_text(text.replace("max_retries: 0", "max_retries: 3"))


def test_a_refused_refresh_token_fails_once_whatever_run_retries_say(location: Location) -> None:
    allow_run_retries(location)
    location.sandbox.faults.refuse_refresh = 400
    said = failure(location)
    assert "the refresh token is refused (400" in said
    assert "/auth/offline-token" in said
    assert only_run(location).tags["dagster/will_retry"] == "false"
    assert sum(r.path == "/auth/token" for r in location.sandbox.requests) == 1


def test_a_missing_feed_asks_for_a_retry_after_the_time_it_may_be_late(location: Location) -> None:
    (location.folder / "feed" / f"events-{DAY}.jsonl.gz").unlink()
    location.settings["TARGETDATA_FEED_LATE_SECONDS"] = "0.1"
    allow_run_retries(location)
    done = location.materialize(str(DAY), select="profile_keys", check=False)
    assert done.returncode != 0
    with location.instance() as instance:
        retries = instance.all_logs(only_run(location).run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)
    waits = [e.get_dagster_event().step_retry_data for e in retries]
    assert len(waits) == 12
    assert only_run(location).tags["dagster/will_retry"] == "true"
    assert waits[0].seconds_to_wait == 0.1
    assert "the feed may be late" in waits[0].error.to_string()


def test_a_day_long_past_without_a_feed_is_not_waited_for(location: Location) -> None:
    old = DAY - timedelta(days=5)
    location.settings["TARGETDATA_START_DATE"] = str(old)
    done = location.materialize(str(old), select="profile_keys", check=False)
    assert "and the day is long past" in done.stderr
    with location.instance() as instance:
        run_id = only_run(location).run_id
        assert not instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)


def test_an_empty_feed_gives_typed_empty_tables_and_a_warning(location: Location) -> None:
    (location.folder / "feed" / f"events-{DAY}.jsonl.gz").unlink()
    (location.folder / "feed" / f"events-{DAY}.jsonl").touch()
    location.settings["TARGETDATA_FEED"] = str(location.folder / "feed" / "events-{date}.jsonl*")
    done = location.materialize(str(DAY))
    assert f"the feed of {DAY} has no events" in done.stderr
    table = location.lake.read("profiles", f"date={DAY}")
    assert table.num_rows == 0
    assert table.schema.names[0] == "profile_id"
    assert materializations(location, "profiles")[str(DAY)]["keys_asked"] == 0


def test_a_feed_without_the_column_names_those_there_are(location: Location) -> None:
    location.settings["TARGETDATA_FEED_COLUMN"] = "customer"
    said = failure(location)
    assert "customer" in said
    assert "umid" in said
    assert location.lake.manifest("profile_keys", f"date={DAY}") is None


def test_a_broken_line_is_named_by_file_and_number(location: Location) -> None:
    (location.folder / "feed" / f"{DAY}.jsonl").write_text('{"umid": "a"}\n{"umid": "b"\n')
    location.settings["TARGETDATA_FEED"] = str(location.folder / "feed" / "{date}.jsonl")
    said = failure(location)
    assert f"{DAY}.jsonl" in said
    assert "line 2" in said


def test_a_lake_that_cannot_be_written_is_found_before_the_api_is_asked(location: Location) -> None:
    location.materialize(str(DAY), select="profile_keys")
    (location.folder / "lake" / "profiles").write_text("in the way")
    (location.folder / "lake" / "_staging").rmdir()
    (location.folder / "lake" / "_staging").write_text("in the way")
    assert location.materialize(str(DAY), select="profiles", check=False).returncode != 0
    assert location.sandbox.requests == []


def test_a_run_that_is_cancelled_ends_at_once_and_publishes_nothing(location: Location) -> None:
    location.materialize(str(DAY), select="profile_keys")
    location.sandbox.faults.stall = True
    process = location.start("dagster", *materialization(str(DAY), select="profiles"))
    while not any(request.path == "/graphql" for request in location.sandbox.requests):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    said = "".join(process.communicate(timeout=30))
    assert process.returncode != 0
    assert checked(location, "profiles") == {}, "nothing delays the end"
    assert "DagsterExecutionInterruptedError" in said
    assert not any(noise in said for noise in ("Traceback", "never retrieved", "was destroyed", "Unclosed"))
    assert location.lake.manifest("profiles", f"date={DAY}") is None
    assert list((location.folder / "lake" / "_staging").iterdir()) == []


def test_a_missing_token_says_where_to_make_one(location: Location) -> None:
    location.settings["TARGETDATA_REFRESH_TOKEN"] = ""
    said = failure(location)
    assert "there is no offline refresh token" in said
    assert f"{location.sandbox.url}/auth/offline-token" in said


def test_a_missing_base_url_says_what_to_do(location: Location) -> None:
    location.settings["TARGETDATA_BASE_URL"] = ""
    assert "copy .env.example to .env" in failure(location)


def test_a_setting_that_cannot_be_is_named_when_definitions_load(location: Location) -> None:
    location.settings["TARGETDATA_TIMEZONE"] = "Mars/Olympus"
    done = location.run("dagster", "definitions", "validate", check=False)
    assert done.returncode != 0
    assert "TARGETDATA_TIMEZONE" in done.stdout + done.stderr


def test_a_query_that_does_not_fit_the_schema_fails_at_load_with_its_place(location: Location) -> None:
    schema = location.folder / "schema.graphql"
    schema.write_text((ROOT / "pipelines" / "schema.graphql").read_text().replace("owner", "lord"))
    location.settings["TARGETDATA_SCHEMA_FILE"] = str(schema)
    done = location.run("dagster", "definitions", "validate", check=False)
    assert done.returncode != 0
    assert "profiles.graphql:4:5: Cannot query field 'owner'" in done.stdout + done.stderr


TICK = """
from datetime import datetime
import dagster as dg
from pipelines.definitions import defs
schedule = defs().resolve_schedule_def("profiles_every_morning")
moment = datetime.fromisoformat("2026-03-29T05:00:00+02:00")  # clocks went forward that night
with dg.DagsterInstance.ephemeral() as instance:
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=moment, repository_def=defs().get_repository_def()
    )
    tick = schedule.evaluate_tick(context)
print(schedule.execution_timezone, schedule.cron_schedule, [run.partition_key for run in tick.run_requests])
"""


def test_the_schedule_runs_yesterday_in_the_partitions_time_zone(location: Location) -> None:
    location.settings["TARGETDATA_TIMEZONE"] = "Europe/Berlin"
    done = location.run("python", TICK)
    assert done.stdout.strip() == "Europe/Berlin 0 5 * * * ['2026-03-28']"

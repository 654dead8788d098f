"""The asset checks: each passes on what was published well, and fails on what was broken after it."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.checks import extract_checks
from pipelines.checks.accounting import accounting
from pipelines.checks.finding import Finding
from pipelines.checks.freshness import newest_partition, observed_late
from pipelines.checks.shares import Share
from pipelines.checks.trends import POINTS, jumped, null_shares, share_not_found
from resources.errors import LakeError
from resources.graphql.query import Query
from tests.conftest import PROFILES_QUERY, SCHEMA
from tests.published_lake import DAY, DAYS, END, MANIFEST, PART, Made, rows


@pytest.fixture(scope="session")
def without_identity() -> Query:
    return Query.load(PROFILES_QUERY, schema=SCHEMA)


@pytest.fixture
def made(tmp_path: Path, profiles_query: Query) -> Made:
    made = Made(tmp_path, profiles_query)
    made.publish()
    return made


def test_the_accounting_of_what_is_whole_passes_with_its_figures(made: Made) -> None:
    found = accounting(made.extract, DAY, asked=210)
    assert found.passed
    assert found.figures == {
        "rows": 100,
        "keys_asked": 210,
        "keys_found": 200,
        "keys_filtered": 0,
        "keys_not_found": 10,
        "keys_failed": 0,
    }


def test_a_manifest_that_says_other_rows_bytes_or_content_is_found(made: Made) -> None:
    made.alter("profiles", rows=99)
    assert "rows of profiles: its manifest 99, its footer 100, read 100" in made.account()
    made.alter("profiles", rows=100, bytes=1)
    assert "bytes of profiles: its manifest 1, the file" in made.account()
    made.publish()
    made.alter("profiles__lookups", sha256="0" * 64)
    assert "SHA-256 of profiles__lookups: its manifest 000000000000, the file" in made.account()


def test_rows_that_are_lost_or_doubled_are_found_although_the_manifest_fits(made: Made) -> None:
    made.rewrite("profiles", lambda table: table.slice(1))
    assert "rows of profiles: by the lookups found 100, rows 99, distinct in it 99" in made.account()
    made.publish()
    made.rewrite("profiles", lambda table: pa.concat_tables([table.slice(1), table.slice(1, 1)]))
    assert "rows of profiles: by the lookups found 100, rows 100, distinct in it 99" in made.account()


def test_keys_that_are_lost_doubled_or_of_no_known_status_are_found(made: Made) -> None:
    made.rewrite("profiles__lookups", lambda table: table.slice(0, 205))
    assert made.account() == "", "the file alone does not know"
    assert "keys: lookups 205, distinct 205, asked by its run 210" in made.account(asked=210)
    made.publish()
    made.rewrite("profiles__lookups", lambda table: pa.concat_tables([table, table.slice(0, 1)]))
    assert "keys: lookups 211, distinct 210" in made.account()
    made.publish()
    gone = pa.array(["lost"] * 210)
    made.rewrite("profiles__lookups", lambda table: table.set_column(1, "status", gone))
    assert "lookups: all 210, found + filtered + not_found + failed 0" in made.account()
    assert "by the lookups found 0, rows 100" in made.account()


def test_two_tables_of_different_generations_are_found(made: Made, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    shutil.copytree(made.lake.root / "profiles" / DAY, kept)
    made.publish()
    shutil.rmtree(made.lake.root / "profiles" / DAY)
    shutil.move(kept, made.lake.root / "profiles" / DAY)
    assert "generation: profiles 1, profiles__lookups 2" in made.account()


def test_without_an_identity_each_found_key_is_a_row(made: Made, without_identity: Query) -> None:
    other = Made(made.lake.root.parent / "other", without_identity)
    schemas = without_identity.tables
    at = [END] * 3
    given = {
        "profiles": {"umid": ["a", "b"], "fetched_at": at[:2]},
        "profiles__lookups": {
            "umid": ["a", "b", "c"],
            "status": ["found", "found", "not_found"],
            "fetched_at": at,
        },
    }
    with other.lake.write(DAY, schemas, run="run") as writer:
        writer.write({name: rows(schemas[name], values) for name, values in given.items()})
    assert other.account() == ""
    other.rewrite("profiles", lambda table: table.slice(1))
    assert "rows of profiles: by the lookups found 2, rows 1" in other.account()


def test_a_partition_that_cannot_be_read_is_said_by_name(made: Made) -> None:
    path = made.path("profiles", PART)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(LakeError, match=f"profiles {DAY} in .* cannot be read as Parquet"):
        made.account()
    made.publish()
    path.unlink()
    with pytest.raises(LakeError, match="profiles has no partition"):
        made.account()


def published_days(made: Made, **facts: int) -> None:
    for number, folder in enumerate(DAYS[:-1]):
        made.publish(folder, profiles=1000, not_found=200 + number, **facts)


def test_with_few_partitions_before_it_there_is_nothing_to_compare_with(made: Made) -> None:
    for judge in (share_not_found, null_shares):
        found = judge(made.extract, DAY)
        assert found.passed
        assert found.says == "nothing to compare with: 0 published before it, 3 are needed"


def test_a_share_of_keys_not_found_like_before_passes_and_one_that_jumped_does_not(made: Made) -> None:
    published_days(made)
    made.publish(profiles=1000, not_found=250)
    assert share_not_found(made.extract, DAY).passed
    made.publish(profiles=500, not_found=1000)
    found = share_not_found(made.extract, DAY)
    assert not found.passed
    assert (found.says or "").startswith(
        "50.0% of 2,000 keys were not found, in the 7 partitions before 9.1% to 9.4%: look whether"
    )
    assert found.figures["share_not_found"] == 0.5
    assert found.figures["share_not_found_before"] == pytest.approx(0.0925, abs=0.001)


def test_only_partitions_before_it_by_time_are_compared(made: Made) -> None:
    published_days(made)
    made.publish(DAYS[2], profiles=500, not_found=1000)
    assert share_not_found(made.extract, DAYS[2]).says == (
        "nothing to compare with: 2 published before it, 3 are needed"
    )


def test_a_column_whose_nulls_jumped_is_named_and_no_other(made: Made) -> None:
    published_days(made)
    made.publish(profiles=1000, owners=1000)
    assert null_shares(made.extract, DAY).passed
    made.publish(profiles=1000, owners=300)
    found = null_shares(made.extract, DAY)
    assert not found.passed
    says = "the share of nulls has jumped: owner 70.0%, in the 7 partitions before 0.0% to 0.0%. Look whether"
    assert (found.says or "").startswith(says)
    assert found.figures["columns_jumped"] == 1
    shares = found.figures["null_shares"]
    assert isinstance(shares, dict)
    assert shares["owner"] == 0.7
    assert any(name.startswith("identifiers.") for name in shares), "leaves of lists too"


def test_nulls_in_a_list_are_counted_by_its_leaves(made: Made) -> None:
    one = {"name": "city", "value": None}
    field = made.query.tables["profiles"].field("attributes")
    given: dict[str, list[object]] = {
        "profile_id": ["a", "b"],
        "attributes": [[one, one | {"value": "x"}, one], []],
        "fetched_at": [END, END],
    }
    assert {"name", "value"} <= {f.name for f in field.type.value_type}
    with made.lake.write(DAY, {"profiles": made.query.tables["profiles"]}, run="run") as writer:
        writer.write({"profiles": rows(made.query.tables["profiles"], given)})
    nulls = made.extract.nulls(DAY)
    assert nulls["attributes.name"] == Share(1, 4), "an empty list is one null"
    assert nulls["attributes.value"] == Share(3, 4)


@given(
    st.lists(st.integers(0, 1000), min_size=3, max_size=7),
    st.integers(0, 1000),
    st.integers(1, 1000),
)
def test_a_share_within_those_before_or_their_points_never_jumps(
    parts: list[int], part: int, whole: int
) -> None:
    earlier = [Share(part, 1000) for part in parts]
    now = Share(min(part, whole), whole)
    low, high = min(s.value for s in earlier), max(s.value for s in earlier)
    if low <= now.value <= high:
        assert not jumped(now, earlier)
    if now.value > high + (high - low) + POINTS and whole == 1000 and now.value - high > 0.2:
        assert jumped(now, earlier)


def test_a_few_keys_say_nothing() -> None:
    assert not jumped(Share(1, 5), [Share(0, 1000)] * 7)
    assert jumped(Share(200, 1000), [Share(0, 1000)] * 7)


def test_a_day_that_was_observed_late_says_how_late(made: Made) -> None:
    assert observed_late(made.extract, DAY, END - timedelta(hours=30)).passed
    found = observed_late(made.extract, DAY, END - timedelta(days=12))
    assert not found.passed
    assert (found.says or "").startswith("observed 12.0 days after its end")
    assert found.figures == {"observed_hours_after_end": 288.0}
    made.publish(profiles=0, not_found=5, at=END + timedelta(days=3))
    assert not observed_late(made.extract, DAY, END).passed, "keys without rows were late too"
    made.publish(profiles=0, not_found=0)
    assert observed_late(made.extract, DAY, END).passed


BERLIN = dg.DailyPartitionsDefinition(start_date="2026-11-14", timezone="Europe/Berlin")


def newest(
    made: Made, at: str, partitions: dg.TimeWindowPartitionsDefinition = BERLIN, *, minute: int = 0
) -> Finding:
    now, after = datetime.fromisoformat(at), timedelta(hours=5, minutes=minute)
    return newest_partition(made.extract, partitions, now=now, scheduled_after=after)


def test_the_newest_partition_is_missed_after_its_schedule_and_the_time_of_a_run(made: Made) -> None:
    assert newest(made, "2026-11-24T06:59:00+01:00").passed, "still that of the day before"
    assert newest(made, "2026-11-24T07:44:00+01:00", minute=45).passed
    assert not newest(made, "2026-11-24T07:45:00+01:00", minute=45).passed
    found = newest(made, "2026-11-24T07:00:00+01:00")
    assert not found.passed
    assert (found.says or "").startswith(
        f"profiles has no 2026-11-23, whose time has come; its newest is {DAY}"
    )
    assert found.figures == {"expected": "2026-11-23", "partitions_behind": 1}
    made.publish("date=2026-11-20")
    assert newest(made, "2026-11-25T12:00:00+00:00").figures["partitions_behind"] == 2


def test_that_an_old_partition_was_published_does_not_hide_that_the_newest_is_gone(made: Made) -> None:
    made.publish(DAYS[0])
    assert newest(made, "2026-11-23T12:00:00+00:00").passed
    shutil.rmtree(made.lake.root / "profiles" / DAY)
    found = newest(made, "2026-11-23T12:00:00+00:00")
    assert not found.passed
    assert found.figures["partitions_behind"] == 8
    shutil.rmtree(made.lake.root / "profiles")
    assert "its newest is none" in (newest(made, "2026-11-23T12:00:00+00:00").says or "")


def test_before_the_first_partition_is_due_nothing_is_missed(made: Made) -> None:
    assert newest(made, "2026-11-15T03:00:00+00:00").says == "no partition is due yet"


def test_hours_have_no_hour_of_the_day(made: Made) -> None:
    hourly = dg.HourlyPartitionsDefinition(start_date="2026-11-22-00:00")
    assert newest(made, "2026-11-22T06:30:00+00:00", hourly).figures["expected"] == "2026-11-22-03:00"


DAILY = dg.DailyPartitionsDefinition(start_date="2026-11-14", end_date="2026-11-23")
KEYS = ["2026-11-21", "2026-11-22"]
RANGE = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[1]}
CHECKS = ["accounting", "newest_partition", "null_shares", "observed_late", "share_not_found"]


def assets(made: Made, *, broken: str = "") -> list[dg.AssetsDefinition]:
    """Give `profiles`, which publishes its partitions and then breaks one, and what follows it."""
    policy = dg.BackfillPolicy.single_run()

    @dg.asset(partitions_def=DAILY, backfill_policy=policy)
    def profiles(context: dg.AssetExecutionContext) -> None:
        for key in context.partition_keys:
            made.publish(f"date={key}")
        if broken:
            made.path("profiles", MANIFEST, f"date={broken}").unlink()

    @dg.asset(deps=[profiles], partitions_def=DAILY, backfill_policy=policy)
    def after() -> None:
        pass

    return [profiles, after, *extract_checks(profiles, made.query)]


def evaluations(run: dg.ExecuteInProcessResult) -> list[tuple[str, str | None]]:
    return sorted((e.check_name, e.partition) for e in run.get_asset_check_evaluations())


def of_each(*keys: str) -> list[tuple[str, str | None]]:
    """Give one evaluation of each check and partition, and one of the newest partition."""
    parts = [(name, key) for name in CHECKS if name != "newest_partition" for key in keys]
    return sorted([*parts, ("newest_partition", None)])


@pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")
def test_a_failed_accounting_is_recorded_for_its_partition_and_ends_the_run_there(made: Made) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize(
            assets(made, broken=KEYS[1]),
            tags=RANGE,
            resources={"lake": made.lake},
            instance=instance,
            raise_on_error=False,
        )
        assert instance.get_runs()[0].tags["dagster/retry_on_asset_or_op_failure"] == "false"
        assert instance.get_materialized_partitions(dg.AssetKey("after")) == set()
    assert not run.success
    assert evaluations(run) == of_each(*KEYS)
    failed = [e for e in run.get_asset_check_evaluations() if not e.passed]
    errors = [e.partition for e in failed if e.severity == dg.AssetCheckSeverity.ERROR]
    assert errors == [KEYS[1]]
    assert "published by half" in (failed[0].description or "")


@pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")
def test_checks_that_are_run_by_themselves_look_at_the_newest_published_partition(made: Made) -> None:
    made.publish("date=2026-11-20")
    defs = dg.Definitions(
        assets=assets(made),
        resources={"lake": made.lake},
        jobs=[dg.define_asset_job("checks", dg.AssetSelection.checks_for_assets(dg.AssetKey("profiles")))],
    )
    run = defs.resolve_job_def("checks").execute_in_process()
    assert evaluations(run) == of_each("2026-11-22")

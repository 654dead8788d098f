"""What is damaged in a published lake is found by the accounting, and said."""

import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipelines.checks import extract_checks
from pipelines.checks.freshness import observed_late
from pipelines.checks.trends import share_not_found
from resources.errors import LakeError
from resources.graphql.query import Query
from tests.conftest import PROFILES_QUERY, SCHEMA
from tests.published_lake import DAY, DAYS, END, MANIFEST, PART, Made, rows

LOOKUPS = "profiles__lookups"
DAILY = dg.DailyPartitionsDefinition(start_date="2026-11-14", end_date="2026-11-23")


@pytest.fixture
def made(tmp_path: Path, profiles_query: Query) -> Made:
    made = Made(tmp_path, profiles_query)
    made.publish()
    return made


def put(name: str, change: Callable[[list[object]], list[object]]) -> Callable[[pa.Table], pa.Table]:
    """Change the values of one column."""

    def changed(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index(name)
        field = table.schema.field(at)
        return table.set_column(at, field, pa.array(change(table[name].to_pylist()), field.type))

    return changed


def first(value: object) -> Callable[[list[object]], list[object]]:
    return lambda values: [value, *values[1:]]


def test_another_day_copied_over_a_day_is_found(made: Made) -> None:
    made.publish(DAYS[0])
    for table in ("profiles", LOOKUPS):
        shutil.rmtree(made.lake.root / table / DAY)
        shutil.copytree(made.lake.root / table / DAYS[0], made.lake.root / table / DAY)
    says = made.account()
    assert f"place of profiles: its manifest is of profiles {DAYS[0]}, it is in profiles {DAY}" in says
    assert f"place of {LOOKUPS}" in says


def test_a_manifest_of_another_table_or_run_is_found(made: Made) -> None:
    made.alter("profiles", table="contacts")
    assert f"its manifest is of contacts {DAY}, it is in profiles {DAY}" in made.account()
    made.publish()
    made.rewrite("profiles", lambda table: table, run="other")
    assert "run: profiles other, profiles__lookups run" in made.account()


def test_other_identities_than_those_found_are_said_although_there_are_as_many(made: Made) -> None:
    made.rewrite("profiles", put("profile_id", lambda ids: [f"other{i}" for i in range(len(ids))]))
    says = made.account()
    assert "identities of found lookups without a row: 100; " in says
    assert "identities of rows without a found lookup: 100" in says
    made.publish()
    made.rewrite("profiles", put("profile_id", first(None)))
    assert "identities of found lookups without a row: 1; " in made.account()
    assert "identities of rows without a found lookup: 1" in made.account()


def test_a_found_lookup_without_an_identity_leads_to_a_row_of_its_own(made: Made) -> None:
    made.rewrite("profiles", put("profile_id", lambda ids: [None, None, *ids[2:]]))
    made.rewrite(LOOKUPS, put("identity", lambda ids: [None, None, *ids[2:100], *ids[2:4], *ids[102:]]))
    assert made.account() == ""
    made.rewrite("profiles", lambda table: table.slice(1))
    assert "rows of profiles: by the lookups found 100, rows 99, distinct in it 99" in made.account()


def test_without_an_identity_the_keys_of_the_rows_are_those_found(made: Made) -> None:
    other = Made(made.lake.root.parent / "other", Query.load(PROFILES_QUERY, schema=SCHEMA))
    given: dict[str, dict[str, list[object]]] = {
        "profiles": {"umid": ["a", "b"], "fetched_at": [END] * 2},
        LOOKUPS: {"umid": ["a", "b"], "status": ["found"] * 2, "fetched_at": [END] * 2},
    }
    with other.lake.write(DAY, other.query.tables, run="run") as writer:
        writer.write({name: rows(other.query.tables[name], values) for name, values in given.items()})
    assert other.account() == ""
    other.rewrite("profiles", put("umid", first("c")))
    assert "keys of found lookups without a row: 1; keys of rows without a found lookup: 1" in other.account()


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("status", first("failed"), "failed lookups without a code: 1"),
        ("status", first("failed"), "lookups that have an identity and are not found: 1"),
        ("identity", lambda ids: [*ids[:-1], "id00000"], "have an identity and are not found: 1"),
        ("code", first("E"), "lookups that have a code and did not fail: 1"),
        ("umid", first(None), "lookups without a key: 1"),
    ],
)
def test_a_lookup_that_is_not_what_its_status_says_is_found(
    made: Made, name: str, change: Callable[[list[object]], list[object]], says: str
) -> None:
    made.rewrite(LOOKUPS, put(name, change))
    assert says in made.account()


def test_a_failed_lookup_with_a_code_is_well(made: Made) -> None:
    for name, value in (("status", "failed"), ("identity", None), ("code", "")):
        made.rewrite(LOOKUPS, put(name, first(value)))
    assert made.account() == ""


def test_a_column_that_is_missing_or_of_another_type_is_named(made: Made) -> None:
    made.rewrite("profiles", lambda table: table.drop_columns(["owner"]))
    assert "columns of profiles, from its manifest to the file: - owner: string" in made.account()
    made.publish()
    number = pa.array([1] * 100, pa.int64())
    made.rewrite("profiles", lambda t: t.set_column(t.schema.get_field_index("owner"), "owner", number))
    assert "~ owner: string -> int64" in made.account()


def test_another_parquet_file_in_the_folder_is_named(made: Made) -> None:
    shutil.copy(made.path(LOOKUPS, PART), made.path(LOOKUPS, "part-00001.parquet"))
    says = made.account()
    assert f"beside the file of {LOOKUPS} are others that nobody has published" in says
    assert "move them away: part-00001.parquet" in says


def test_lookups_that_lack_a_column_are_said_by_each_check(made: Made) -> None:
    made.rewrite(LOOKUPS, lambda table: table.drop_columns(["status", "fetched_at"]))
    for judge in (
        made.account,
        lambda: share_not_found(made.extract, DAY),
        lambda: observed_late(made.extract, DAY, END),
    ):
        with pytest.raises(LakeError, match=r"(status|fetched_at) is not there, not"):
            judge()
    made.publish()
    made.rewrite(LOOKUPS, lambda t: t.set_column(1, "status", pc.fill_null(t["attempts"], 1)))
    with pytest.raises(LakeError, match="status is int64, not string"):
        made.account()


def test_a_manifest_that_is_a_folder_is_said(made: Made) -> None:
    made.path("profiles", MANIFEST).unlink()
    made.path("profiles", MANIFEST).mkdir()
    with pytest.raises(LakeError, match=r"_manifest\.json is a folder: move it away and run"):
        made.account()


@pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")
def test_the_keys_that_a_run_has_recorded_are_compared_with_what_it_has_published_itself(made: Made) -> None:
    own, others = "2026-11-21", "2026-11-22"

    @dg.asset(partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run())
    def profiles(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        made.publish(f"date={own}", run=context.run.run_id)
        made.publish(f"date={others}", run="another")
        return dg.MaterializeResult(metadata={"keys_asked": 211})

    range_ = {
        "dagster/asset_partition_range_start": own,
        "dagster/asset_partition_range_end": others,
    }
    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize(
            [profiles, *extract_checks(profiles, made.query)],
            tags=range_,
            resources={"lake": made.lake},
            instance=instance,
            raise_on_error=False,
        )
    accounted = {
        e.partition: e.description or ""
        for e in run.get_asset_check_evaluations()
        if e.check_name == "accounting"
    }
    assert "keys: lookups 210, distinct 210, asked by its run 211" in accounted[own]
    assert accounted[others] == ""

"""The warehouse's assets as shipped: what they depend on, follow and say, and a day's run of all."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resources.lake import Lake
from tests.dagster_runs import Location
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.warehouse.warehouse_targets import Target

DAY = last_days(1)[0]
EXTRACTS = ("profiles", "profiles_refresh")
LISTS = {
    **{name: [name] for name in ("attributes", "identifiers", "notifications", "permissions", "used_apps")},
    "cookie_consents": ["cookie_consents"],
    "cookie_consents__purposes": ["cookie_consents", "purposes"],
}
PARTS = ["", "__lookups", *(f"__{name}" for name in LISTS)]
TABLES = sorted(["profiles_wide", *(f"{extract}{part}" for extract in EXTRACTS for part in PARTS)])


@pytest.fixture(scope="module")
def shipped() -> dg.Definitions:
    """Load the definitions here, of no account."""
    from pipelines.definitions import defs

    return defs()


def upstream(table: str) -> dg.AssetKey:
    return dg.AssetKey(table.partition("__")[0])


def metadata(shipped: dg.Definitions, key: dg.AssetKey, name: str) -> Any:
    """Give what an asset says of itself, None if it says nothing of that."""
    found = shipped.resolve_asset_graph().get(key).metadata.get(f"dagster/{name}")
    return getattr(found, "value", found)


def columns(shipped: dg.Definitions, key: dg.AssetKey) -> list[str]:
    return [column.name for column in metadata(shipped, key, "column_schema").columns]


def test_each_table_of_each_extract_has_an_asset(shipped: dg.Definitions) -> None:
    keys = shipped.resolve_asset_graph().get_all_asset_keys()
    assert sorted(key.path[-1] for key in keys if key.path[0] == "warehouse") == TABLES


@pytest.mark.parametrize("table", TABLES)
def test_an_asset_has_its_extracts_partitions_and_follows_it_and_says_what_a_row_is(
    shipped: dg.Definitions, table: str
) -> None:
    graph = shipped.resolve_asset_graph()
    node, extract = graph.get(dg.AssetKey(["warehouse", table])), graph.get(upstream(table))
    assert node.parent_keys == {extract.key}
    assert node.partitions_def == extract.partitions_def
    assert node.backfill_policy == extract.backfill_policy
    assert node.automation_condition
    assert node.automation_condition.get_label() == "when_published"
    assert node.description
    assert node.description.startswith("One row per")
    assert node.metadata["dagster/table_name"] == table


@pytest.mark.parametrize("table", TABLES)
def test_the_lineage_of_a_column_leads_to_one_that_there_is(shipped: dg.Definitions, table: str) -> None:
    key, extract = dg.AssetKey(["warehouse", table]), upstream(table)
    own, there = columns(shipped, key), columns(shipped, extract)
    assert own[0] == "date"
    lineage = metadata(shipped, key, "column_lineage")
    if table.endswith("lookups"):  # a table beside the asset's own, whose columns it does not show
        assert not lineage.deps_by_column
        return
    assert lineage.deps_by_column.keys() == {*own[1:]}
    for deps in lineage.deps_by_column.values():
        assert [(dep.asset_key, dep.column_name in there) for dep in deps] == [(extract, True)]


def test_a_column_says_of_which_field_of_the_api_it_is_made(shipped: dg.Definitions) -> None:
    said = {
        table: {column.name: column.description for column in described(shipped, table)}
        for table in ("profiles", "profiles__cookie_consents__purposes", "profiles_refresh__lookups")
    }
    assert said["profiles"]["change_date"] == ("from profiles.change_date, personTargetDataByUmid.changeDate")
    assert said["profiles__cookie_consents__purposes"] == {
        "date": None,
        "profile_id": "from profiles.profile_id",
        "cookie_consents_position": "from profiles.cookie_consents",
        "position": "from profiles.cookie_consents",
        "name": "from profiles.cookie_consents, personTargetDataByUmid.cookieConsents.purposes.name",
        "value": "from profiles.cookie_consents, personTargetDataByUmid.cookieConsents.purposes.value",
        "fetched_at": "from profiles.fetched_at",
    }
    assert set(said["profiles_refresh__lookups"].values()) == {None}


def described(shipped: dg.Definitions, table: str) -> list[dg.TableColumn]:
    return list(metadata(shipped, dg.AssetKey(["warehouse", table]), "column_schema").columns)


def test_the_sensor_that_makes_loads_follow_runs_by_default(shipped: dg.Definitions) -> None:
    sensor = shipped.resolve_sensor_def("loads_follow_extracts")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


@pytest.fixture
def location(duckdb_file: Target, sandbox: Sandbox, tmp_path: Path) -> Location:
    sandbox.write_feed(tmp_path / "feed", [DAY])
    return Location(sandbox, tmp_path, settings={"TARGETDATA_WAREHOUSE": duckdb_file.uri})


def elements(rows: list[Any], path: list[str]) -> int:
    """Count the elements of a list, which may be in the objects of another."""
    lists = [row[path[0]] or [] for row in rows if row]
    return sum(elements(own, path[1:]) if path[1:] else len(own) for own in lists)


def lake_counts(lake: Lake) -> dict[str, int]:
    """Count what the tables of the warehouse should have, from the lake's nested rows."""
    counts = {}
    for extract in EXTRACTS:
        rows = lake.read(extract, f"date={DAY}").to_pylist()
        counts |= {f"{extract}__{name}": elements(rows, path) for name, path in LISTS.items()}
    for name in (*EXTRACTS, *(f"{extract}__lookups" for extract in EXTRACTS), "profiles_wide"):
        counts[name] = lake.read(name, f"date={DAY}").num_rows
    return counts


@pytest.mark.journey
def test_a_day_of_all_is_loaded_as_it_is_in_the_lake(location: Location, duckdb_file: Target) -> None:
    target = duckdb_file
    location.materialize(str(DAY), select="*")
    expected = lake_counts(location.lake)
    assert expected["profiles"] > 0 < expected["profiles__cookie_consents__purposes"]
    assert {table: target.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES} == expected
    assert target.rows("SELECT count(*) FROM profiles__latest") == [(expected["profiles"],)]
    profiles = location.lake.read("profiles", f"date={DAY}", columns=["profile_id", "owner", "change_date"])
    found = target.rows("SELECT profile_id, owner, change_date FROM profiles")
    assert sorted(found) == sorted(tuple(row.values()) for row in profiles.to_pylist())
    with location.instance() as instance:
        for table in TABLES:
            (event,) = instance.fetch_materializations(dg.AssetKey(["warehouse", table]), limit=9).records
            assert event.partition_key == str(DAY)
            assert event.asset_materialization
            rows = event.asset_materialization.metadata["dagster/partition_row_count"].value
            assert rows == expected[table]
    target.execute("UPDATE profiles SET owner = 'somebody'")
    forced = json.dumps({"ops": {"load_profiles": {"config": {"force": True}}}})
    chosen = ["--select", "key:warehouse/profiles", "--partition", str(DAY), "--config-json", forced]
    location.run("dagster", "asset", "materialize", "-m", "pipelines.definitions", *chosen)
    assert sorted(target.rows("SELECT profile_id, owner, change_date FROM profiles")) == sorted(found)

"""Assets from YAML: keys, extracts and loads that a `defs.yaml` names run as those in Python do."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow as pa
import pytest
import yaml
from graphql import print_schema

from pipelines.accounts import of_account
from pipelines.assets import assets_of
from pipelines.components.extract_options import PagingOptions
from pipelines.environment import environment
from pipelines.other_api import graphql_environment
from pipelines.plan.extracts import PlannedPartition, find_extract, planned_partitions
from pipelines.plan.keys import Origin, key_plan
from resources.errors import ConfigurationError
from resources.graphql.plan import Keyed, Paging
from resources.graphql_resource import ApiResource, GraphQLResource
from resources.lake import Lake
from resources.warehouse.resource import Warehouse
from tests.bookshop import BOOKS, ITEMS, TORN, Bookshop
from tests.bookshop import SCHEMA as BOOKSHOP
from tests.components.yaml_defs import assets, connected, extract, load, write
from tests.conftest import PROFILES_QUERY, ROOT, Connect
from tests.dagster_runs import Location, copied_checkout
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.sandbox.lists import changed
from tests.truth import expected_profiles, plain

pytestmark = pytest.mark.journey  # each runs what YAML says through Dagster

DAY = last_days()[-1]
PROFILES = PROFILES_QUERY.read_text(encoding="utf-8").replace("query profiles", "query people")
BY_UMID = "query people($umid: String!) { personTargetDataByUmid(umid: $umid) { profileId lastSeen } }"
KEYS = "type: pipelines.components.KeyFeed\nattributes:\n  files: {files}\n"
LOAD = "type: pipelines.components.WarehouseLoad\n"
ITEM = "# api: graphql\nquery things($item_id: ID!) { item(item_id: $item_id) { item_id title } }"
BOOK_LIST = (
    "# api: graphql\nquery books($limit: Int, $offset: Int) { books(limit: $limit, offset: $offset) "
    "{ item_id title pages } }"
)


@pytest.fixture
def shop() -> Iterator[Bookshop]:
    with Bookshop(open_to_all=True) as running:
        yield running


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    """The folder of definitions, with the bookshop's schema beside it."""
    (tmp_path / "bookshop.graphql").write_text(print_schema(BOOKSHOP))
    (tmp_path / "defs").mkdir()
    return tmp_path / "defs"


def materialize(
    found: dg.Definitions, lake: Path, *, day: object = None, **resources: ApiResource | Warehouse
) -> dg.ExecuteInProcessResult:
    """Run all assets and checks that were loaded."""
    made = [d for d in assets_of(found) if not isinstance(d, dg.AssetSpec)]
    given = {**(found.resources or {}), "lake": Lake(path=str(lake)), **resources}
    return dg.materialize(made, resources=given, partition_key=str(day) if day else None)


def table(lake: Path, name: str, day: object = None) -> pa.Table:
    return Lake(path=str(lake)).read(name, f"date={day}" if day else "")


def test_keys_an_extract_and_its_loads_stand_in_yaml_alone(
    sandbox: Sandbox, connect: Connect, defs: Path, tmp_path: Path
) -> None:
    sandbox.write_feed(tmp_path / "feed", [DAY])
    write(defs / "people_keys", KEYS.format(files=json.dumps(f"{tmp_path}/feed/events-{{date}}.jsonl.gz")))
    both = extract(keys="people_keys", identity="profileId") + "---\n" + LOAD
    write(defs / "people", both, document=PROFILES)
    warehouse = Warehouse(uri=f"duckdb://{tmp_path}/w.duckdb", namespace="", wait_seconds=5)
    result = materialize(
        load(defs), tmp_path / "lake", day=DAY, targetdata=connect(sandbox), warehouse=warehouse
    )
    assert plain(table(tmp_path / "lake", "people", DAY)) == expected_profiles(sandbox, sandbox.umids_of(DAY))
    assert table(tmp_path / "lake", "people_keys", DAY)["umid"].to_pylist() == sandbox.umids_of(DAY)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as database:
        (loaded,) = database.execute("SELECT count(*) FROM people").fetchall()
    assert loaded == (table(tmp_path / "lake", "people", DAY).num_rows,)
    checks = {evaluation.check_name: evaluation.passed for evaluation in result.get_asset_check_evaluations()}
    assert checks.keys() >= {"accounting", "share_not_found", "up_to_date"}
    assert all(checks.values())


def test_the_loads_of_an_extract_of_another_folder_are_defined_by_its_name(
    defs: Path,
) -> None:
    write(defs / "people", extract(keys="profile_keys", partitions="daily"), document=BY_UMID)
    write(defs / "people_loads", f"{LOAD}attributes:\n  of: people\n  schema_changes: additive\n")
    write(defs / "profile_keys", KEYS.format(files="data/feed/{date}.csv"))
    found = load(defs)
    (loads,) = [d for d in assets_of(found) if isinstance(d, dg.AssetsDefinition) and len(d.keys) > 1]
    assert {key.to_user_string() for key in loads.keys} == {"warehouse/people", "warehouse/people__lookups"}
    assert loads.partitions_def == assets(found)["people"].partitions_def


def test_keys_come_from_a_database_whose_uri_is_named_only(
    defs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect(str(tmp_path / "secret-name.duckdb")) as database:
        database.execute(
            f"CREATE TABLE seen AS SELECT * FROM (VALUES ('b', DATE '{DAY}'), ('a', '{DAY}')) t(id, day)"
        )
    monkeypatch.setenv("CRM_URI", f"duckdb://{tmp_path}/secret-name.duckdb")
    folder = write(
        defs / "crm_keys",
        "type: pipelines.components.KeyFeed\nattributes:\n  uri_variable: CRM_URI\n  query: keys.sql\n"
        "  columns: {customer_id: id}\n  owners: ['team:crm']\n  retention_days: 3\n  tags: {of: crm}\n",
    )
    (folder / "keys.sql").write_text("SELECT id FROM seen WHERE day >= $1 AND day < $2")
    found = load(defs)
    materialize(found, tmp_path / "lake", day=DAY)
    assert table(tmp_path / "lake", "crm_keys", DAY)["customer_id"].to_pylist() == ["a", "b"]
    spec = assets(found)["crm_keys"].get_asset_spec()
    assert (spec.owners, spec.metadata["retention_days"], spec.tags["of"]) == (["team:crm"], 3, "crm")
    stored = repr((found.resources, found.assets, spec.metadata))
    assert "secret-name" not in stored


def test_keys_of_a_day_that_is_not_published_are_planned_from_their_feed(
    defs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{DAY}.csv").write_text("umid\na\nb\na\n")
    write(defs / "people_keys", KEYS.format(files="x").replace("files: x", "files_variable: THE_FEED"))
    write(defs / "people", extract(keys="people_keys"), document=BY_UMID)
    planned = find_extract(connected(load(defs)), "people")
    assert isinstance(planned.query.plan, Keyed)
    lake = Lake(path=str(tmp_path / "lake"))
    with pytest.raises(ConfigurationError, match="set the environment variable that people_keys names"):
        key_plan(planned, planned.query.plan, lake)
    monkeypatch.setenv("THE_FEED", f"{tmp_path}/{{date}}.csv")
    plan = key_plan(planned, planned.query.plan, lake)
    with dg.instance_for_test() as instance:
        (found,) = plan.of(planned_partitions(planned, str(DAY), str(DAY), instance))
    assert found.keys is not None
    assert (plan.says, found.origin, found.keys["umid"].to_pylist()) == (
        "people_keys",
        Origin.FEED,
        ["a", "b"],
    )


@pytest.mark.parametrize("attributes", [{}, {"window": ["from", "to"]}])
def test_the_window_of_a_list_is_the_day_of_its_partition(
    attributes: dict[str, object], connect: Connect, stack: ExitStack, defs: Path, tmp_path: Path
) -> None:
    sandbox = stack.enter_context(Sandbox(people=200, seed=7, variant="lists", max_page_size=2))
    document = (
        "query changes($size: Int!, $after: String, $from: Instant, $to: Instant) {"
        " profiles(first: $size, after: $after, changedFrom: $from, changedTo: $to)"
        " { nodes { profileId changeDate } pageInfo { hasNextPage endCursor } } }"
    )
    schema = str(ROOT / "tests" / "sandbox" / "lists.graphql")
    write(defs / "changes", extract(schema_file=schema, **attributes), document=document)
    day = max(changed(person) for person in sandbox.people).date()
    materialize(load(defs), tmp_path / "lake", day=day, targetdata=connect(sandbox))
    expected = [p["profileId"] for p in sandbox.people if changed(p).date() == day]
    assert sorted(table(tmp_path / "lake", "changes", day)["profile_id"].to_pylist()) == sorted(expected)


def test_a_list_of_another_api_has_no_partitions(shop: Bookshop, defs: Path, tmp_path: Path) -> None:
    schema = str(tmp_path / "bookshop.graphql")
    paging = {"strategy": "offset", "position": "offset", "size": "limit"}
    text = extract(schema_file=schema, api="graphql", identity="item_id", paging=paging)
    write(defs / "books", text, document=BOOK_LIST)
    found = load(defs)
    assert assets(found)["books"].partitions_def is None
    materialize(found, tmp_path / "lake", graphql=GraphQLResource(url=shop.url))
    assert table(tmp_path / "lake", "books")["title"].to_pylist() == [book["title"] for book in BOOKS]


def test_keys_of_a_file_are_asked_and_planned(shop: Bookshop, defs: Path, tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text(f"of_item\n4\n1\nnone\n{TORN}\n")
    attributes = {
        "schema_file": str(tmp_path / "bookshop.graphql"),
        "keys": str(tmp_path / "ids.csv"),
        "key_columns": {"item_id": "of_item"},
        "identity": "item_id",
    }
    write(defs / "things", extract(**attributes, max_failed=0.3), document=ITEM)
    found = load(defs)
    materialize(found, tmp_path / "lake", graphql=GraphQLResource(url=shop.url))
    lookups = table(tmp_path / "lake", "things__lookups")
    assert lookups["status"].to_pylist() == ["found", "found", "not_found", "failed"]
    planned = find_extract(connected(found), "things")
    assert planned.query.name == "things"
    assert planned.chosen is not None
    chosen = planned.chosen.choose(Lake(path="/no/lake"), {"": PlannedPartition(None)})
    assert chosen[""]["item_id"].to_pylist() == ["1", "4", "none", TORN], "what targetdata plan counts"
    write(defs / "things", extract(**attributes, max_failed="20%"), document=ITEM)
    with pytest.raises(dg.Failure, match="1 of 4 keys failed"):
        materialize(load(defs), tmp_path / "lake", graphql=GraphQLResource(url=shop.url))


def test_keys_of_an_asset_without_partitions_are_asked_without(
    shop: Bookshop, defs: Path, tmp_path: Path
) -> None:
    schema = str(tmp_path / "bookshop.graphql")
    write(defs / "books", extract(schema_file=schema), document=BOOK_LIST)
    text = extract(schema_file=schema, keys="books", identity="item_id", partitions="none")
    write(defs / "things", text, document=ITEM)
    materialize(load(defs), tmp_path / "lake", graphql=GraphQLResource(url=shop.url))
    found = table(tmp_path / "lake", "things")["item_id"].to_pylist()
    assert sorted(found) == sorted(book["item_id"] for book in BOOKS)


def test_identifiers_of_several_kinds_are_asked_in_turn(
    sandbox: Sandbox, connect: Connect, defs: Path, tmp_path: Path
) -> None:
    umid = sandbox.umids_of(DAY)[0]
    (tmp_path / "keys.csv").write_text(f"umid,customer-id\n{umid},\n,nobody\n")
    document = (
        "query people($idName: String!, $idValue: String!) "
        "{ personTargetDataByAnyId(idName: $idName, idValue: $idValue) { profileId } }"
    )
    text = extract(keys=str(tmp_path / "keys.csv"), kinds=["umid", "customer-id"], identity="profileId")
    write(defs / "people", text, document=document)
    materialize(load(defs), tmp_path / "lake", targetdata=connect(sandbox))
    rows = table(tmp_path / "lake", "people__lookups").to_pylist()
    assert {(row["umid"], row["customer_id"], row["answered_by"]) for row in rows} == {
        (umid, None, "umid"),
        (None, "nobody", None),
    }


def test_privacy_lists_and_scalars_are_as_the_options_say(
    sandbox: Sandbox, connect: Connect, defs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGETDATA_PRIVACY_KEY", "k" * 40)
    (tmp_path / "keys.csv").write_text("\n".join(["umid", *sandbox.umids_of(DAY)]))
    text = extract(
        keys=str(tmp_path / "keys.csv"),
        identity="profileId",
        explode=["identifiers"],
        scalars={"Person.lastSeen": "text"},
        pseudonymise=["owner"],
        test_profiles="exclude",
        schema_drift=True,
    )
    write(defs / "people", text, document=PROFILES)
    found = load(defs)
    materialize(found, tmp_path / "lake", targetdata=connect(sandbox))
    people = table(tmp_path / "lake", "people")
    assert all(len(owner or "0" * 64) == 64 for owner in people["owner"].to_pylist())
    assert True not in people["test_profile"].to_pylist()
    assert "identifiers" not in people.column_names
    assert table(tmp_path / "lake", "people__identifiers").num_rows > 0
    checks = {key.name for d in found.asset_checks or () for key in d.check_keys}
    assert "schema_drift" in checks


def test_an_account_stands_before_the_keys_and_owners_are_kept(
    defs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(defs / "people_keys", KEYS.format(files="data/feed/{date}.csv"))
    text = extract(keys="people_keys", owners=["jane@example.com"], group="crm", description="One row.")
    write(defs / "people", text + f"---\n{LOAD}", document=BY_UMID)
    monkeypatch.setenv("TARGETDATA_ACCOUNT", "eu")
    environment.cache_clear()
    try:
        graph = of_account(connected(load(defs))).resolve_asset_graph()
    finally:
        monkeypatch.undo()
        environment.cache_clear()
    names = {key.to_user_string() for key in graph.materializable_asset_keys}
    assert names == {"eu/people", "eu/people_keys", "eu/warehouse/people", "eu/warehouse/people__lookups"}
    node = graph.get(dg.AssetKey(["eu", "people"]))
    assert dg.AssetKey(["eu", "people_keys"]) in node.parent_keys
    assert (node.owners, node.group_name, node.description) == (["jane@example.com"], "crm", "One row.")


def test_a_template_is_filled_in_and_other_texts_stay_as_they_are(
    defs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_GROUP", "crm")
    write(defs / "profile_keys", KEYS.format(files="'data/{date:%Y}/*.csv'"))
    write(defs / "people", extract(keys="profile_keys", group="{{ env.THE_GROUP }}"), document=BY_UMID)
    spec = assets(load(defs))["people"].get_asset_spec()
    assert spec.group_name == "crm"
    assert os.environ["THE_GROUP"] == "crm"


def test_another_name_of_the_document_is_the_asset(defs: Path, tmp_path: Path) -> None:
    folder = write(
        defs / "shop", extract(document="b.graphql", schema_file=str(tmp_path / "bookshop.graphql"))
    )
    (folder / "a.graphql").write_text(BOOK_LIST)
    (folder / "b.graphql").write_text(BOOK_LIST)
    assert set(assets(load(defs))) == {"b"}


def test_the_items_of_an_interface_come_as_in_python(shop: Bookshop, defs: Path, tmp_path: Path) -> None:
    document = (
        "# api: graphql\nquery items($first: Int, $after: String) { items(first: $first, after: $after) "
        "{ nodes { __typename item_id } page_info { has_next_page end_cursor } } }"
    )
    write(defs / "items", extract(schema_file=str(tmp_path / "bookshop.graphql")), document=document)
    materialize(load(defs), tmp_path / "lake", graphql=GraphQLResource(url=shop.url))
    found = table(tmp_path / "lake", "items")["item_id"].to_pylist()
    assert found == [item["item_id"] for item in ITEMS]


def test_secrets_in_a_uri_are_refused(defs: Path) -> None:
    write(defs / "k", KEYS.format(files="s3://key:secret@bucket/{date}.csv"))
    with pytest.raises(ConfigurationError, match=r"defs.yaml:3: files: a URI with a user") as error:
        load(defs)
    assert "secret@" not in str(error.value)


IN_PYTHON = """
import json
from pipelines.definitions import defs

graph = defs().resolve_asset_graph()
print(json.dumps({
    "loads": sorted(k.path[-1] for k in graph.materializable_asset_keys if k.path[0] == "warehouse"),
    "twice": sorted(k.path[-1] for k in graph.get_all_asset_keys() if k.path[-1] == "plain"),
}))
"""


def test_the_loads_of_an_extract_in_python_stand_in_yaml(sandbox: Sandbox, tmp_path: Path) -> None:
    clone = copied_checkout(tmp_path / "clone")
    plain_folder = clone / "pipelines" / "defs" / "plain"
    shutil.copytree(clone / "pipelines" / "defs" / "profiles", plain_folder)
    (plain_folder / "profiles.graphql").rename(plain_folder / "plain.graphql")
    code = (plain_folder / "assets.py").read_text().replace("profiles.graphql", "plain.graphql")
    (plain_folder / "assets.py").write_text(
        code.replace("def profiles(", "def plain(").replace("(profiles,", "(plain,")
    )
    write(clone / "pipelines" / "defs" / "plain_loads", f"{LOAD}attributes:\n  of: plain\n")
    found = json.loads(Location(sandbox, tmp_path, clone).run("python", IN_PYTHON).stdout.splitlines()[-1])
    assert {"plain", "plain__lookups", "plain__identifiers"} <= set(found["loads"])
    assert found["twice"] == ["plain", "plain"]  # the extract, and its own load


def test_the_bare_word_null_is_the_paging_option_of_that_name() -> None:
    said = PagingOptions.model_validate(yaml.safe_load("errors: null\nnull_rows: drop"))
    assert Paging(**said.model_dump()) == Paging(errors="null", null_rows="drop")
    assert PagingOptions().errors is None


def test_yaml_has_all_that_paging_has() -> None:
    assert list(PagingOptions.model_fields) == [field.name for field in fields(Paging)]


def test_without_the_options_the_settings_of_its_api_count(
    shop: Bookshop, defs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ids.csv").write_text(f"item_id\n1\n{TORN}\n")
    text = extract(
        schema_file=str(tmp_path / "bookshop.graphql"), keys=str(tmp_path / "ids.csv"), identity="item_id"
    )
    write(defs / "things", text, document=ITEM)
    api = GraphQLResource(url=shop.url)
    with pytest.raises(dg.Failure, match="1 of 2 keys failed"):
        materialize(load(defs), tmp_path / "lake", graphql=api)
    monkeypatch.setenv("GRAPHQL_MAX_FAILED", "1")
    graphql_environment.cache_clear()
    try:
        materialize(load(defs), tmp_path / "lake", graphql=api)
    finally:
        monkeypatch.undo()
        graphql_environment.cache_clear()
    assert table(tmp_path / "lake", "things")["title"].to_pylist() == ["Book 1"]


@pytest.mark.parametrize(("require", "rows"), [("all", 1), ("any", 3)])
def test_a_row_counts_with_all_or_any_of_its_key_columns(
    require: str, rows: int, defs: Path, tmp_path: Path
) -> None:
    (tmp_path / f"{DAY}.csv").write_text("u,c\na,1\nb,\n,2\n,\n")
    options = f"  columns: {{umid: u, customer_id: c}}\n  require: {require}\n"
    write(defs / "both_keys", KEYS.format(files=json.dumps(f"{tmp_path}/{{date}}.csv")) + options)
    materialize(load(defs), tmp_path / "lake", day=DAY)
    assert table(tmp_path / "lake", "both_keys", DAY).num_rows == rows


def test_the_loads_let_new_columns_in_if_that_is_said(shop: Bookshop, defs: Path, tmp_path: Path) -> None:
    text = extract(schema_file=str(tmp_path / "bookshop.graphql"), identity="item_id") + f"---\n{LOAD}"
    connections = {
        "graphql": GraphQLResource(url=shop.url),
        "warehouse": Warehouse(uri=f"duckdb://{tmp_path}/w.duckdb", namespace="", wait_seconds=5),
    }
    write(defs / "books", text, document=BOOK_LIST.replace(" pages", ""))
    materialize(load(defs), tmp_path / "lake", **connections)
    write(defs / "books", text, document=BOOK_LIST)
    with pytest.raises(dg.Failure, match="pages"):
        materialize(load(defs), tmp_path / "lake", **connections)
    write(defs / "books", f"{text}attributes:\n  schema_changes: additive\n")
    materialize(load(defs), tmp_path / "lake", **connections)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as database:
        assert database.execute("SELECT count(pages) FROM books").fetchall() == [(len(BOOKS),)]


def test_loads_may_be_of_one_of_several_extracts_in_the_file(tmp_path: Path) -> None:
    folder = write(tmp_path / "defs" / "people", "", document=BY_UMID)
    (folder / "others.graphql").write_text(BY_UMID.replace("people", "others"))
    both = [extract(document=f"{name}.graphql", keys="keys.csv") for name in ("people", "others")]
    for name in ("people", "others"):
        write(folder, "---\n".join([*both, f"{LOAD}attributes:\n  of: {name}\n"]))
        assert loaded(tmp_path / "defs") == {f"warehouse/{name}", f"warehouse/{name}__lookups"}


def test_loads_of_another_folder_are_of_the_extract_that_is_there(tmp_path: Path) -> None:
    write(tmp_path / "defs" / "a_folder", extract(keys="keys.csv"), document=BY_UMID, name="people")
    write(tmp_path / "defs" / "loads", f"{LOAD}attributes:\n  of: a_folder\n")
    assert loaded(tmp_path / "defs") == {"warehouse/people", "warehouse/people__lookups"}


def loaded(defs: Path) -> set[str]:
    keys = (
        key
        for asset in load(defs).assets or ()
        if isinstance(asset, dg.AssetsDefinition)
        for key in asset.keys
    )
    return {key.to_user_string() for key in keys if key.path[0] == "warehouse"}

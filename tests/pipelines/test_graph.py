"""What Dagster's asset graph tells: where the data is from, down to the column, and who owns it."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import dagster as dg
import pytest
from graphql import build_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.accounts import of_account
from pipelines.api import Api
from pipelines.defs.profiles.assets import PROFILES
from pipelines.defs.profiles_wide.assets import WIDE
from pipelines.defs.upstream import of_feed
from pipelines.environment import Environment, environment
from pipelines.lineage import extract_metadata
from resources.graphql.lineage import column_paths, field_types
from resources.graphql.query import Query, load_schema
from resources.lake.declared import declared_schema
from tests.conftest import ROOT, SCHEMA
from tests.engine.random_graphs import SCALARS, World

CODE = """
import json
from pipelines.definitions import defs
graph = defs().resolve_asset_graph()
print(json.dumps({
    node.key.to_user_string(): {
        "kinds": sorted(node.kinds), "owners": list(node.owners), "group": node.group_name,
        "grain": node.description.split(".")[0].split(":")[0], "external": node.is_external,
        "parents": sorted(key.to_user_string() for key in node.parent_keys),
        "columns": [column.name for column in node.metadata["dagster/column_schema"].columns],
        "said": {c.name: c.description for c in node.metadata["dagster/column_schema"].columns},
        "lineage": {
            name: [[dep.asset_key.to_user_string(), dep.column_name] for dep in deps]
            for name, deps in (
                node.metadata["dagster/column_lineage"].deps_by_column.items()
                if "dagster/column_lineage" in node.metadata else ()
            )
        },
        "table": node.metadata.get("dagster/table_name"), "uri": node.metadata.get("dagster/uri"),
    }
    for node in map(graph.get, graph.get_all_asset_keys())
}))
"""


def graph(**variables: str) -> dict[str, dict[str, object]]:
    """Load the code location in a process of its own; give what its graph tells of each asset."""
    clean = {"PATH": "", "PYTHONPATH": str(ROOT), "TARGETDATA_BASE_URL": "https://x.example.com"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE],
        env=clean | {f"TARGETDATA_{name}": value for name, value in variables.items()},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, object]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_graph_goes_from_the_feed_and_the_api_to_the_wide_table() -> None:
    found = graph(LAKE="/lakes/one", WIDE_ATTRIBUTES="city")
    loaded = {name: found.pop(name) for name in list(found) if name.startswith("warehouse/")}
    assert {str(node["parents"]) for node in loaded.values()} == {
        "['profiles']",
        "['profiles_refresh']",
        "['profiles_wide']",
    }
    assert {node["group"] for node in loaded.values()} == {"warehouse"}
    assert {str(node["grain"])[:4] for node in loaded.values()} == {"One "}
    assert {name: node["parents"] for name, node in found.items()} == {
        "feed": [],
        "targetdata_api": [],
        "profile_keys": ["feed"],
        "profiles": ["profile_keys", "targetdata_api"],
        "profiles_refresh": ["profiles", "targetdata_api"],
        "profiles_wide": ["profiles", "profiles_refresh"],
    }
    assert {name for name, node in found.items() if node["external"]} == {"feed", "targetdata_api"}
    assert {str(node["grain"])[:4] for node in found.values()} == {"One "}
    assert all(node["kinds"] and node["group"] == "targetdata" for node in found.values())
    assert (found["profiles"]["table"], found["profiles"]["uri"]) == (
        "profiles",
        "file:///lakes/one/profiles",
    )

    lineage = {name: node["lineage"] for name, node in found.items()}
    assert lineage["profile_keys"] == {"umid": [["feed", "umid"]]}
    root = "personTargetDataByUmid"
    assert lineage["profiles"]["profile_id"] == [["targetdata_api", f"{root}.profileId"]]  # type: ignore[index]
    assert ["targetdata_api", f"{root}.identifiers.value"] in lineage["profiles"]["identifiers"]  # type: ignore[index]
    assert lineage["profiles_wide"]["attribute_city"] == [  # type: ignore[index]
        ["profiles", "attributes"],
        ["profiles_refresh", "attributes"],
    ]
    assert found["profiles"]["said"]["cookie_consents"] == (  # type: ignore[index]
        f"from targetdata_api.{root}.cookieConsents (domain, changeDate, purposes.name, purposes.value)"
    )
    assert found["profiles_wide"]["said"]["attribute_city"] == (  # type: ignore[index]
        "from profiles.attributes and profiles_refresh.attributes"
    )
    assert_consistent(found)


def assert_consistent(found: dict[str, dict[str, object]]) -> None:
    """Every column that a lineage names is in the schema of its asset, and all but the clock have one."""
    for name, node in found.items():
        lineage, columns = node["lineage"], node["columns"]
        assert isinstance(lineage, dict)
        assert isinstance(columns, list)
        for column, deps in lineage.items():
            assert column in columns
            for asset, upstream in deps:
                assert asset in node["parents"]  # type: ignore[operator]
                assert upstream in found[asset]["columns"], (name, column)  # type: ignore[operator]
        if "warehouse/" in name:
            assert set(columns) - set(lineage) == ({"date"} if "__lookups" not in name else set(columns))
        elif not node["external"]:
            extract = name.split("/")[-1] in ("profiles", "profiles_refresh")
            alone = {"fetched_at"} if extract else set()
            assert set(columns) - set(lineage) == alone


def test_an_account_and_owners_are_in_all_of_it() -> None:
    found = graph(ACCOUNT="eu", EU_BASE_URL="https://x.example.com", OWNERS="team:data, jane@example.com")
    loaded = {name for name in found if name.startswith("eu/warehouse/")}
    assert {"eu/warehouse/profiles", "eu/warehouse/profiles__lookups"} <= loaded
    assert set(found) - loaded == {
        f"eu/{name}"
        for name in (
            "feed",
            "targetdata_api",
            "profile_keys",
            "profiles",
            "profiles_refresh",
            "profiles_wide",
        )
    }
    assert {tuple(node["owners"]) for node in found.values()} == {("team:data", "jane@example.com")}  # type: ignore[arg-type]
    assert_consistent(found)


def test_nobody_owns_the_assets_by_default_and_an_odd_owner_is_refused() -> None:
    assert Environment().owners == []
    assert Environment(owners="team:data,").owners == ["team:data"]
    for odd in ("jane", "team:", "data team", "jane@"):
        with pytest.raises(ValueError, match="an owner is a mail address or a team"):
            Environment(owners=odd)


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        ({}, {"file", "jsonl"}),
        ({"feed": "s3://me:secret@bucket/{date}/*.csv.gz"}, {"s3", "csv"}),
        ({"feed": "/in/{date}/part-*"}, {"file"}),
        ({"keys_uri": "postgresql://me:secret@host/db"}, {"postgresql"}),
    ],
)
def test_the_feeds_kinds_say_what_it_is_and_nothing_of_its_address(
    given: dict[str, str], kinds: set[str]
) -> None:
    assert of_feed(Environment(**given)) == kinds


def test_the_graph_holds_no_address_of_the_feed() -> None:
    found = graph(FEED="s3://me:hidden@bucket/{date}/*.csv.gz", KEYS_URI="postgresql://me:hidden@host/db")
    assert "hidden" not in json.dumps(found)
    assert found["feed"]["kinds"] == ["postgresql"]


def test_what_an_account_does_not_make_itself_keeps_what_it_depends_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TARGETDATA_ACCOUNT", "eu")
    environment.cache_clear()
    own = dg.AssetSpec("report", deps=["raw", "elsewhere"])
    found = of_account(dg.Definitions(assets=[own, dg.AssetSpec("raw")])).resolve_asset_graph()
    environment.cache_clear()
    key = dg.AssetKey(["eu", "report"])
    assert found.get(key).parent_keys == {dg.AssetKey(["eu", "raw"]), dg.AssetKey("elsewhere")}


# Columns and fields ------------------------------------------------------------------------------------


def test_the_columns_of_the_wide_table_are_made_of_those_of_the_profiles() -> None:
    assert list(WIDE.made_of) == WIDE.schema.names
    assert set(WIDE.made_of.values()) <= set(PROFILES.tables["profiles"].names)


LISTS = build_schema(
    """
    type Query { shop: Shop  books(first: Int, after: String): Books  person(id: ID!): Thing }
    type Shop { books(limit: Int, offset: Int): [Book!]! }
    type Books { edges: [Edge] pageInfo: PageInfo! }
    type Edge { cursor: String node: Book weight: Float }
    type PageInfo { hasNextPage: Boolean! endCursor: String }
    type Book { id: ID! cursor: String author: Person tags: [String!] }
    type Person { name: String born: Place }
    type Place { city: String }
    interface Thing { id: ID! }
    type Car implements Thing { id: ID! wheels: Int }
    type House implements Thing { id: ID! rooms: [Room] }
    type Room { size: Int }
    """
)


def paths(document: str, **options: object) -> dict[str, list[str]]:
    query = Query.parse(document, schema=LISTS, path="q", name="q", **options)  # type: ignore[arg-type]
    found = column_paths(query)
    assert {path for each in found.values() for path in each} <= set(field_types(query, LISTS))
    return found


def test_the_fields_of_an_edge_and_of_its_node_are_told_apart() -> None:
    document = """query q($after: String) { list: books(first: 5, after: $after) {
        edges { cursor weight node { number: id cursor author { name born { city } } } }
        pageInfo { hasNextPage endCursor }
    } }"""
    assert paths(document) == {
        "number": ["books.edges.node.id"],
        "cursor": ["books.edges.node.cursor"],
        "author": ["books.edges.node.author.name", "books.edges.node.author.born.city"],
        "weight": ["books.edges.weight"],
    }


def test_rows_inside_of_an_object_and_fields_in_fragments_are_found() -> None:
    inside = "query q($n: Int, $offset: Int) { shop { books(limit: $n, offset: $offset) { id tags } } }"
    assert paths(inside) == {"id": ["shop.books.id"], "tags": ["shop.books.tags"]}
    fragments = """query q($key: ID!) { person(id: $key) {
        __typename id ... on Car { wheels } ...house } }
        fragment house on House { rooms { size } }"""
    assert paths(fragments) == {
        "__typename": ["person.__typename"],
        "id": ["person.id"],
        "wheels": ["person.wheels"],
        "rooms": ["person.rooms.size"],
    }


@given(st.integers(0, 2**64).map(Random))
@settings(max_examples=100)
def test_each_column_of_any_query_has_its_fields(random: Random) -> None:
    world = World(random)
    query = Query.parse(world.document, schema=world.schema, path="q", name="q", scalars=SCALARS)
    found = column_paths(query)
    assert list(found) == [column.name for column in query.columns]
    assert all(found.values())
    assert {path for each in found.values() for path in each} == set(field_types(query, world.schema))


def test_an_extract_of_ones_own_gets_it_by_one_line(tmp_path: Path) -> None:
    document = "query people($umid: String!) { personTargetDataByUmid(umid: $umid) { profileId owner } }"
    query = Query.parse(document, schema=load_schema(SCHEMA), path="q", name="people")
    found = extract_metadata(query, keys="profile_keys")
    lineage = found["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
    assert {name: [dep.column_name for dep in deps] for name, deps in lineage.deps_by_column.items()} == {
        "umid": ["umid"],
        "profile_id": ["personTargetDataByUmid.profileId"],
        "owner": ["personTargetDataByUmid.owner"],
    }
    assert lineage.deps_by_column["umid"][0].asset_key == dg.AssetKey("profile_keys")
    schema = found["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    assert [column.description for column in schema.columns] == [
        "from profile_keys.umid",
        "from targetdata_api.personTargetDataByUmid.profileId",
        "from targetdata_api.personTargetDataByUmid.owner",
        None,
    ]
    assert declared_schema(found["dagster/column_schema"], "people") == query.tables["people"]
    other = extract_metadata(query, api=Api.GRAPHQL)["dagster/column_lineage"]
    assert isinstance(other, dg.TableColumnLineage)
    assert "umid" not in other.deps_by_column
    assert other.deps_by_column["owner"][0].asset_key == dg.AssetKey("graphql_api")

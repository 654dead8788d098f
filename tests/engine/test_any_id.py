"""Keys of two columns: a person looked up by any identifier, its name and its value."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.extract import extract_to_file
from resources.errors import PersonNeeded
from resources.feed import SqlKeys
from resources.graphql.query import Query, load_schema
from resources.privacy import Privacy, Screen, Suppression
from resources.targetdata import TargetDataResource
from tests.conftest import SCHEMA, Connect
from tests.databases import execute
from tests.feed.test_sql_keys import END, START
from tests.feed_files import jsonl
from tests.sandbox import Sandbox

DOCUMENT = """
query any($idName: String!, $idValue: String!) {
  personTargetDataByAnyId(idName: $idName, idValue: $idValue) { profileId }
}
"""
LITERAL = """
query customers($customerId: String!) {
  personTargetDataByAnyId(idName: "customer-id", idValue: $customerId) { profileId }
}
"""
NOBODY = {"id_name": "customer-id", "id_value": "nobody"}


def parsed(text: str, name: str) -> Query:
    return Query.parse(text, schema=load_schema(SCHEMA), path="test", name=name)


def identifiers(sandbox: Sandbox, *names: str) -> list[dict[str, str]]:
    """Give identifiers of people, and who they belong to."""
    return [
        {"id_name": i["name"], "id_value": i["value"], "profile_id": person["profileId"]}
        for person in sandbox.people
        for i in person["identifiers"]
        if i and i["name"] in names
    ]


def order(row: dict[str, str]) -> tuple[str, str]:
    return row["id_name"], row["id_value"]


def keys_of(rows: list[dict[str, str]]) -> pa.Table:
    return pa.Table.from_pylist([*rows, NOBODY]).select(["id_name", "id_value"])


def statuses(lookups: pa.Table) -> list[tuple[str, str, str]]:
    return [(row["id_name"], row["id_value"], row["status"]) for row in lookups.to_pylist()]


def expected(rows: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    found = [(*order(row), "found") for row in rows]
    return sorted([*found, (*order(NOBODY), "not_found")])


def test_people_are_found_by_each_kind_of_identifier_in_a_notebook(
    sandbox: Sandbox, connect: Connect
) -> None:
    rows = identifiers(sandbox, "umid", "customer-id")
    query = parsed(DOCUMENT, "any")
    pages = list(connect(sandbox).pages(query, keys=keys_of(rows)))
    found = pa.concat_tables([page.tables["any"] for page in pages])
    assert found.drop_columns(["fetched_at"]).to_pylist() == sorted(rows, key=order)
    assert statuses(pa.concat_tables([page.tables["any__lookups"] for page in pages])) == expected(rows)


def test_a_query_gives_both_columns(sandbox: Sandbox, connect: Connect, tmp_path: Path) -> None:
    rows = identifiers(sandbox, "umid", "customer-id")[:50]
    values = ", ".join(f"('{row['id_name']}', '{row['id_value']}')" for row in rows)
    uri = f"duckdb://{tmp_path}/crm.duckdb"
    execute(uri, "CREATE TABLE ids (id_name text, id_value text)", f"INSERT INTO ids VALUES {values}")
    keys = SqlKeys(uri=uri, query="SELECT id_name, id_value FROM ids").read(start=START, end=END).keys
    found = connect(sandbox).table(parsed(DOCUMENT, "any"), keys=keys)
    assert found.drop_columns(["fetched_at"]).to_pylist() == sorted(rows, key=order)


def test_a_literal_name_leaves_one_key_column(sandbox: Sandbox, connect: Connect) -> None:
    rows = identifiers(sandbox, "customer-id")
    query = parsed(LITERAL, "customers")
    assert query.tables["customers"].names == ["customer_id", "profile_id", "fetched_at"]
    found = connect(sandbox).table(query, keys=[row["id_value"] for row in rows])
    assert found.num_rows == len(rows)
    assert set(found["profile_id"].to_pylist()) == {row["profile_id"] for row in rows}


def extracted(folder: Path, keys: Path, resource: TargetDataResource, *key_columns: str) -> pa.Table:
    """Do what the command does; give the lookups."""
    query = parsed(DOCUMENT, "any")
    extract_to_file(
        query,
        keys=str(keys),
        key_columns=key_columns,
        variables={},
        out=folder / "out.parquet",
        resource=resource,
        max_failed=0,
        screen=Screen(Privacy.of(query), Suppression.read(folder, ""), ""),
    )
    return pq.read_table(folder / "out__lookups.parquet")


@pytest.mark.parametrize(
    ("names", "key_columns"),
    [
        (("idName", "idValue"), []),
        (("id_name", "id_value"), []),
        (("kind", "value"), ["idName=kind", "id_value=value"]),
    ],
)
def test_a_file_gives_both_columns_under_any_name(
    names: tuple[str, str],
    key_columns: list[str],
    sandbox: Sandbox,
    connect: Connect,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = identifiers(sandbox, "umid", "customer-id")[:30]
    events = [dict(zip(names, order(row), strict=True)) for row in [*rows, NOBODY, NOBODY]]
    (tmp_path / "keys.jsonl").write_bytes(jsonl(*events, {names[0]: "umid"}))
    found = extracted(tmp_path, tmp_path / "keys.jsonl", connect(sandbox), *key_columns)
    assert statuses(found) == expected(rows)
    said = " ".join(capsys.readouterr().err.split())
    assert "31 keys in 33 rows" in said
    assert "1 duplicates and 1 without a key are dropped" in said


@pytest.mark.parametrize(
    ("key_columns", "message"),
    [
        (["idName=kind"], "name them with --key-column id_name=COLUMN --key-column id_value=COLUMN"),
        (["kind", "value"], "kind: write it as name=column"),
        ([], "no column 'id_name'; there are: kind, value"),
    ],
)
def test_columns_that_are_not_named_are_asked_for(
    key_columns: list[str], message: str, sandbox: Sandbox, connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "keys.csv").write_text("kind,value\numid,a\n")
    with pytest.raises(PersonNeeded, match=re.escape(message)):
        extracted(tmp_path, tmp_path / "keys.csv", connect(sandbox), *key_columns)
    assert sandbox.requests == []


def test_a_literal_for_all_arguments_leaves_no_key_but_one_row(sandbox: Sandbox, connect: Connect) -> None:
    value = next(
        i["value"] for p in sandbox.people for i in p["identifiers"] if i and i["name"] == "customer-id"
    )
    text = LITERAL.replace("$customerId)", f'"{value}")').replace("($customerId: String!)", "")
    assert connect(sandbox).table(parsed(text, "somebody")).num_rows == 1
    with pytest.raises(PersonNeeded, match="takes no keys"):
        connect(sandbox).table(parsed(text, "somebody"), keys=["x"])

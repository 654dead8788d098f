"""Keys of two columns: a person looked up by any identifier, its name and its value."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from graphql import GraphQLError

from resources.feed import SqlKeys
from resources.graphql.query import Query, load_schema
from tests.conftest import SCHEMA, Connect
from tests.dagster_runs import Location
from tests.databases import execute
from tests.feed_files import jsonl
from tests.sandbox import Sandbox
from tests.test_sql_keys import END, START

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


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (("idName", "idValue"), []),
        (("id_name", "id_value"), []),
        (("kind", "value"), ["--key-column", "idName=kind", "--key-column", "id_value=value"]),
    ],
)
def test_the_command_reads_both_columns_from_a_file(
    names: tuple[str, str], options: list[str], sandbox: Sandbox, tmp_path: Path
) -> None:
    rows = identifiers(sandbox, "umid", "customer-id")[:30]
    (tmp_path / "any.graphql").write_text(DOCUMENT)
    events = [dict(zip(names, order(row), strict=True)) for row in [*rows, NOBODY, NOBODY]]
    (tmp_path / "keys.jsonl").write_bytes(jsonl(*events, {names[0]: "umid"}))
    location = Location(sandbox, tmp_path)
    files = ["--keys", str(tmp_path / "keys.jsonl"), "--out", str(tmp_path / "out.parquet")]
    done = location.run("targetdata", "extract", str(tmp_path / "any.graphql"), *files, *options)
    assert "31 keys in 33 rows" in " ".join(done.stderr.split())
    assert "1 duplicates and 1 without a key are dropped" in " ".join(done.stderr.split())
    assert statuses(pq.read_table(tmp_path / "out__lookups.parquet")) == expected(rows)


def test_the_command_names_the_columns_that_it_needs(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "any.graphql").write_text(DOCUMENT)
    (tmp_path / "keys.csv").write_text("kind,value\numid,a\n")
    location = Location(sandbox, tmp_path)
    command = ["targetdata", "extract", str(tmp_path / "any.graphql"), "--keys", str(tmp_path / "keys.csv")]
    command += ["--out", str(tmp_path / "out.parquet")]
    done = location.run(*command, "--key-column", "idName=kind", check=False)
    assert "name them with --key-column id_name=COLUMN --key-column id_value=COLUMN" in done.stderr
    assert sandbox.requests == []


def test_a_literal_for_all_arguments_leaves_no_key() -> None:
    text = LITERAL.replace("$customerId)", '"x")').replace("($customerId: String!)", "")
    with pytest.raises(Exception, match="takes no required variable") as caught:
        parsed(text, "nobody")
    assert isinstance(caught.value.__cause__, GraphQLError)

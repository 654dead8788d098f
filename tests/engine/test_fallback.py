"""Several kinds of identifiers in turn: the next is asked only where those before lead to nobody."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from graphql import build_schema

from resources.errors import QueryError
from resources.graphql.paging.chain import Chain
from resources.graphql.paging.keys import GroupedKeys
from resources.graphql.paging.lookup import Key, Outcome
from resources.graphql.plan import Keyed
from resources.graphql.query import Query
from tests.conftest import SCHEMA, Connect
from tests.sandbox import Sandbox

KINDS = ("umid", "customer-id")
TEXT = """query people($idName: String!, $idValue: String!) {
  personTargetDataByAnyId(idName: $idName, idValue: $idValue) { profileId owner }
}"""
Row = tuple[str | None, str | None]
NOBODY = "00000000-0000-4000-8000-000000000000"


def query(text: str = TEXT, identity: str | None = "profileId", kinds: tuple[str, ...] = KINDS) -> Query:
    schema = build_schema(SCHEMA.read_text())
    return Query.parse(
        text, schema=schema, path="people.graphql", name="people", identity=identity, kinds=kinds
    )


def identifiers(person: dict[str, Any]) -> dict[str, str]:
    return {i["name"]: i["value"] for i in person["identifiers"] or [] if i}


@pytest.fixture
def both(sandbox: Sandbox) -> list[tuple[str, dict[str, str]]]:
    """People who have both kinds of identifiers: profile id and identifiers by name."""
    found = [(p["profileId"], identifiers(p)) for p in sandbox.people]
    return [(profile_id, ids) for profile_id, ids in found if ids.keys() >= set(KINDS)]


def asked(
    sandbox: Sandbox, connect: Connect, rows: list[tuple[str | None, str | None]]
) -> list[dict[str, Any]]:
    """Give the lookups, in the order of the rows."""
    keys = pa.table([list(column) for column in zip(*rows, strict=True)], ["umid", "customer_id"])
    pages = list(connect(sandbox).pages(query(), keys=keys))
    found = pa.concat_tables([page.tables["people__lookups"] for page in pages]).to_pylist()
    return sorted(found, key=lambda row: rows.index((row["umid"], row["customer_id"])))


def test_the_first_kind_that_leads_to_somebody_answers_and_is_recorded(
    sandbox: Sandbox, connect: Connect, both: list[tuple[str, dict[str, str]]]
) -> None:
    (first, a), (second, b), (third, c), (_, d) = both[:4]
    rows = [
        (a["umid"], None),
        (NOBODY, b["customer-id"]),
        (None, c["customer-id"]),
        (d["umid"], a["customer-id"]),
        (NOBODY, NOBODY),
        (None, NOBODY),
    ]
    found = asked(sandbox, connect, rows)
    assert [row["identity"] for row in found] == [first, second, third, both[3][0], None, None]
    assert [row["answered_by"] for row in found] == [*("umid", *["customer-id"] * 2, "umid"), None, None]
    assert [row["status"] for row in found] == ["found"] * 4 + ["not_found"] * 2
    assert [row["attempts"] for row in found] == [1, 2, 1, 1, 2, 1]
    assert a["customer-id"] not in sandbox.answers, "the umid had led to somebody"


def test_a_kind_that_fails_is_not_passed_over(
    sandbox: Sandbox, connect: Connect, both: list[tuple[str, dict[str, str]]]
) -> None:
    (first, a), (_, b) = both[:2]
    sandbox.faults.alias_errors = {b["umid"]: -1}
    good, failed = asked(sandbox, connect, [(a["umid"], None), (b["umid"], b["customer-id"])])
    assert (good["status"], good["identity"], good["answered_by"]) == ("found", first, "umid")
    assert (failed["status"], failed["answered_by"]) == ("failed", None)
    assert b["customer-id"] not in sandbox.answers


def test_a_row_without_any_identifier_is_dropped_and_rows_come_once(
    sandbox: Sandbox, connect: Connect, both: list[tuple[str, dict[str, str]]]
) -> None:
    _, ids = both[0]
    row = (ids["umid"], None)
    assert len(asked(sandbox, connect, [row, (None, None), row])) == 1


def test_groups_and_kinds_go_together(
    sandbox: Sandbox, connect: Connect, both: list[tuple[str, dict[str, str]]]
) -> None:
    (first, a), (second, b) = both[:2]
    today = pa.table({"umid": [a["umid"], NOBODY], "customer_id": [None, b["customer-id"]]})
    yesterday = pa.table({"umid": [NOBODY], "customer_id": [b["customer-id"]]})
    pages = connect(sandbox).pages(query(), keys=GroupedKeys({"today": today, "yesterday": yesterday}))
    rows = {page.group: sorted(page.tables["people"]["profile_id"].to_pylist()) for page in pages}
    assert rows == {"today": sorted([first, second]), "yesterday": [second]}
    assert set(sandbox.answers.values()) == {1}


def test_an_identifier_in_several_rows_of_a_batch_is_asked_once() -> None:
    asked: list[Key] = []

    class Recorder:
        """Finds customers only."""

        async def ask(self, keys: Sequence[Key]) -> list[Outcome]:
            asked.extend(keys)
            now = datetime.now(UTC)
            return [Outcome(key, {} if key[0] == "customer-id" else None, None, 1, now) for key in keys]

    plan = query().plan
    assert isinstance(plan, Keyed)
    rows: list[Row] = [("a", None), ("a", "x"), ("b", "x"), (None, "x")]
    outcomes = asyncio.run(Chain(plan, Recorder()).ask(rows))  # type: ignore[arg-type]
    assert asked == [("umid", "a"), ("umid", "b"), ("customer-id", "x")]
    assert [outcome.key for outcome in outcomes] == rows
    assert [outcome.answered_by for outcome in outcomes] == [None, *["customer-id"] * 3]
    assert [outcome.attempts for outcome in outcomes] == [1, 2, 2, 1]


def test_without_an_identity_the_kinds_are_the_key_columns(
    sandbox: Sandbox, connect: Connect, both: list[tuple[str, dict[str, str]]]
) -> None:
    _, ids = both[0]
    keys = {"umid": [NOBODY], "customer_id": [ids["customer-id"]]}
    table = connect(sandbox).table(query(identity=None), keys=keys)
    assert table.column_names == ["umid", "customer_id", "profile_id", "owner", "fetched_at"]
    assert table["customer_id"].to_pylist() == [ids["customer-id"]]


@pytest.mark.parametrize(
    ("text", "kinds", "message"),
    [
        (TEXT.replace("idName: $idName", 'idName: "umid"').replace("$idName: String!, ", ""), KINDS, "two"),
        (TEXT, ("customer-id", "customer_id"), "would not be one column each"),
        (TEXT, ("umid", "-"), "would not be one column each"),
    ],
)
def test_kinds_that_cannot_be_asked_in_turn_are_refused_at_load(
    text: str, kinds: tuple[str, ...], message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        query(text, kinds=kinds)

"""Lists read along their cursor: no row lost, none twice, only the server's own word ends them."""

from contextlib import ExitStack

import pyarrow as pa
import pytest
from graphql import build_schema, print_ast

from resources.errors import QueryError
from resources.graphql.query import Query
from tests.conftest import ROOT, Connect
from tests.sandbox import Faults, Sandbox

SCHEMA = build_schema((ROOT / "tests" / "sandbox" / "lists.graphql").read_text())
ROWS = {"nodes": "nodes { profileId changeDate }", "edges": "edges { node { profileId changeDate } }"}


def list_query(rows: str = "nodes") -> Query:
    text = (
        "query changed($size: Int!, $after: String, $from: Instant, $to: Instant) {"
        " profiles(first: $size, after: $after, changedFrom: $from, changedTo: $to) {"
        f" {ROWS[rows]} pageInfo {{ hasNextPage endCursor }} }} }}"
    )
    return Query.parse(text, schema=SCHEMA, path="changed.graphql", name="changed")


@pytest.fixture
def lists(stack: ExitStack) -> Sandbox:
    return stack.enter_context(Sandbox(people=200, seed=7, variant="lists"))


def read(sandbox: Sandbox, connect: Connect, query: Query, **options: object) -> list[str]:
    variables = options.pop("variables", None)
    pages = list(connect(sandbox, **options).pages(query, variables=variables))
    return pa.concat_tables([page.tables["changed"] for page in pages])["profile_id"].to_pylist()


def expected(sandbox: Sandbox, start: str | None = None, end: str | None = None) -> list[str]:
    return [p["profileId"] for p in sandbox._graph._lists.within(start, end)]


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("page_size", [1, 7, 200, 500])
def test_all_rows_come_once_in_the_servers_order(
    rows: str, page_size: int, lists: Sandbox, connect: Connect
) -> None:
    assert read(lists, connect, list_query(rows), page_size=page_size) == expected(lists)


def test_a_window_bounds_the_list(lists: Sandbox, connect: Connect) -> None:
    window = ("2025-01-01T00:00:00Z", "2025-07-01T00:00:00Z")
    found = read(lists, connect, list_query(), variables={"from": window[0], "to": window[1]})
    assert found == expected(lists, *window)
    assert 0 < len(found) < 200


def test_a_server_that_caps_the_page_loses_no_row(stack: ExitStack, connect: Connect) -> None:
    capped = stack.enter_context(Sandbox(people=50, seed=7, variant="lists", max_page_size=3))
    assert read(capped, connect, list_query(), page_size=20) == expected(capped)


def test_with_an_identity_a_row_that_moves_between_pages_comes_once(lists: Sandbox, connect: Connect) -> None:
    text = print_ast(list_query().document)
    query = Query.parse(text, schema=SCHEMA, path="changed.graphql", name="changed", identity="profileId")
    lists.faults.field_overrides = {"profileId": "the same"}
    assert read(lists, connect, query, page_size=30) == ["the same"]


def test_an_empty_list_gives_a_typed_empty_table(lists: Sandbox, connect: Connect) -> None:
    query = list_query()
    window = {"from": "2000-01-01T00:00:00Z", "to": "2000-01-02T00:00:00Z"}
    (page,) = connect(lists).pages(query, variables=window)
    assert page.tables["changed"].num_rows == 0
    assert page.tables["changed"].schema.equals(query.tables["changed"])


BY_OFFSET = (
    "query changed($offset: Int!, $limit: Int!) { profilesByOffset(offset: $offset, limit: $limit) {"
    " items { profileId } totalCount } }"
)
BY_PAGE = (
    "query changed($page: Int!, $size: Int!) { profilesByPage(page: $page, pageSize: $size) {"
    " items { profileId } hasMore totalPages } }"
)


@pytest.mark.parametrize("text", [print_ast(list_query().document), BY_OFFSET, BY_PAGE])
def test_faults_change_nothing(text: str, stack: ExitStack, connect: Connect) -> None:
    kinds = ["429", "503", "drop", "truncated", "graphql-error"]
    faults = Faults(every=4, kinds=kinds, retry_after=0.1)
    faulty = stack.enter_context(
        Sandbox(people=200, seed=7, variant="lists", faults=faults, token_seconds=1.0, claimed_seconds=3600)
    )
    query = Query.parse(text, schema=SCHEMA, path="changed.graphql", name="changed")
    assert read(faulty, connect, query, page_size=8) == expected(faulty)
    assert {r.fault for r in faulty.requests if r.fault} == set(kinds)


def test_a_fault_does_not_make_pages_smaller_that_the_server_has_answered(
    lists: Sandbox, connect: Connect
) -> None:
    lists.faults.every, lists.faults.kinds = 3, ["graphql-error"]
    assert read(lists, connect, list_query(), page_size=40) == expected(lists)
    asked = [r for r in lists.requests if r.path == "/graphql"]
    assert len([r for r in asked if not r.fault]) == 200 / 40


def test_a_page_with_an_error_beside_its_rows_is_asked_for_again(lists: Sandbox, connect: Connect) -> None:
    lists.faults.every, lists.faults.kinds = 2, ["data-and-error"]
    assert read(lists, connect, list_query(), page_size=50) == expected(lists)
    assert any(r.fault for r in lists.requests)


def test_a_page_that_is_too_complex_is_asked_for_smaller(stack: ExitStack, connect: Connect) -> None:
    sandbox = stack.enter_context(Sandbox(people=40, seed=7, variant="lists"))
    assert read(sandbox, connect, list_query(), page_size=40, max_response_bytes=1500) == expected(sandbox)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"endCursor": None}, "says there are more rows but gives no cursor"),
        ({"endCursor": "cG9zaXRpb246NQ=="}, "gives the same cursor again"),
        (
            {"hasNextPage": None},
            r"does not say whether there are more rows \(profiles.pageInfo",
        ),
        ({"nodes": None}, "answered profiles.nodes with null, not with a list"),
        ({"nodes": [None]}, "row 1 of a page of profiles.nodes is null"),
    ],
)
def test_a_list_that_would_lose_rows_or_never_end_is_refused(
    overrides: dict[str, object], message: str, lists: Sandbox, connect: Connect
) -> None:
    lists.faults.field_overrides = overrides
    with pytest.raises(QueryError, match=message):
        read(lists, connect, list_query(), page_size=5)

"""Lists in the forms of public APIs are read to their end, with what their documents say alone."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from resources.errors import QueryError
from resources.graphql.client import Client
from resources.graphql.page import Page
from resources.graphql.plan import Listed, Paging
from resources.graphql.query import Query
from resources.graphql.sending.settings import Settings
from tests.engine.public_lists import SCHEMA, ListServer

CURSOR = "query ($first: Int, $after: String) "
OFFSET = "query ($limit: Int, $offset: Int) "
PAGE = "query ($page: Int, $size: Int) "
FORMS = {
    "GitHub, edges with a field of their own": (
        "query ($owner: String!, $name: String!, $first: Int, $after: String) {"
        " repository(owner: $owner, name: $name) { stargazers(first: $first, after: $after) {"
        " totalCount pageInfo { hasNextPage endCursor } edges { starredAt node { id } } } } }",
        "cursor",
    ),
    "GitHub, a literal size, another count beside": (
        "query ($login: String!, $after: String) { organization(login: $login) { members { totalCount }"
        " repositories(first: 8, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } } }",
        "cursor",
    ),
    "Shopify": (
        "query ($first: Int!, $after: String) { products(first: $first, after: $after) {"
        " edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }",
        "cursor",
    ),
    "Saleor, the cursor of the last edge": (
        "query ($first: Int!, $after: String) { products(first: $first, after: $after) {"
        " edges { cursor node { id } } pageInfo { hasNextPage } } }",
        "cursor",
    ),
    "Linear": (
        "query ($n: Int, $c: String, $since: DateTime) { issues(first: $n, after: $c,"
        " filter: { updatedAt: { after: $since } }) { nodes { id } pageInfo { hasNextPage endCursor } } }",
        "cursor",
    ),
    "monday": (
        "query ($ids: [ID!], $cursor: String) {"
        " boards(ids: $ids) { items_page(limit: 7, cursor: $cursor) { cursor items { id } } } }",
        "cursor",
    ),
    "AppSync": (
        "query ($limit: Int, $nextToken: String) {"
        " listTodos(limit: $limit, nextToken: $nextToken) { items { id } nextToken } }",
        "cursor",
    ),
    "Hasura": (
        OFFSET + '{ users(limit: $limit, offset: $offset, order_by: { id: "asc" }) { id } }',
        "offset",
    ),
    "Contentful": (
        "query ($skip: Int, $limit: Int) {"
        " articleCollection(skip: $skip, limit: $limit) { total items { id } } }",
        "offset",
    ),
    "commercetools": (
        OFFSET + "{ customers(limit: $limit, offset: $offset) { total count results { id } } }",
        "offset",
    ),
    "The Graph": ("query ($skip: Int!) { tokens(first: 9, skip: $skip) { id } }", "offset"),
    "HotChocolate": (
        "query ($skip: Int, $take: Int) { books(skip: $skip, take: $take) {"
        " items { id } pageInfo { hasNextPage } totalCount } }",
        "offset",
    ),
    "an API below one more object": (
        OFFSET + "{ public { clients(offset: $offset, limit: $limit) { items { id } has_more } } }",
        "offset",
    ),
    "AniList": (
        "query ($page: Int, $perPage: Int) { Page(page: $page, perPage: $perPage) {"
        " pageInfo { hasNextPage lastPage total } media { id } } }",
        "page",
    ),
    "Rick and Morty, no size": (
        "query ($page: Int) { characters(page: $page) { info { count pages next } results { id } } }",
        "page",
    ),
    "Rick and Morty, the number of pages only": (
        "query ($page: Int) { characters(page: $page) { info { pages } results { id } } }",
        "page",
    ),
    "Strapi": (
        PAGE + "{ articles(pagination: { page: $page, pageSize: $size }) {"
        " data { id } meta { pagination { total pageCount } } } }",
        "page",
    ),
    "Magento": (
        "query ($page: Int, $n: Int) { catalog(pageSize: $n, currentPage: $page) {"
        " items { id } total_count page_info { total_pages } } }",
        "page",
    ),
    "Lighthouse": (
        "query ($first: Int!, $page: Int) { posts(first: $first, page: $page) {"
        " data { id } paginatorInfo { hasMorePages total } } }",
        "page",
    ),
    "Spring": (
        PAGE + "{ orders(page: $page, size: $size) { content { id } totalElements totalPages } }",
        "page",
    ),
    "GraphQLZero": (
        "query ($page: Int, $limit: Int) { photos(options: { paginate: { page: $page, limit: $limit } }) {"
        " data { id } meta { totalCount } } }",
        "page",
    ),
    "snake case throughout": (
        "query ($first: Int, $after: String) { all_pets(first: $first, after: $after) {"
        " total_count edges { node { id } } page_info { has_next_page end_cursor } } }",
        "cursor",
    ),
    "Fauna": (
        "query ($n: Int, $c: String) { allStores(_size: $n, _cursor: $c) { data { id } after } }",
        "cursor",
    ),
    "Countries": ("{ countries { id } }", "whole"),
}
GIVEN = {"owner": "known", "name": "any", "login": "known", "ids": ["7"]}


@pytest.fixture(scope="module")
def server() -> Iterator[ListServer]:
    with ListServer() as running:
        yield running


def load(text: str, *, identity: str | None = None, paging: Paging | None = None) -> Query:
    return Query.parse(text, schema=SCHEMA, path="q.graphql", name="q", identity=identity, paging=paging)


def pages(server: ListServer, query: Query, *, page_size: int = 7, **variables: object) -> list[Page]:
    with Client(Settings(url=server.url, page_size=page_size)) as client:
        return list(client.pages(query, variables=variables))


def ids(found: list[Page]) -> list[str]:
    return pa.concat_tables([page.tables["q"] for page in found])["id"].to_pylist()


@pytest.mark.parametrize(("text", "strategy"), FORMS.values(), ids=FORMS)
def test_all_rows_come_once_and_in_order(text: str, strategy: str, server: ListServer) -> None:
    query = load(text)
    assert isinstance(query.plan, Listed)
    given = {name: value for name, value in GIVEN.items() if f"${name}:" in text}
    for page_size in (4, 20):  # less than the server's largest page, and more
        assert ids(pages(server, query, page_size=page_size, **given)) == server.shelf.ids
    assert query.plan.strategy == strategy


def test_what_an_edge_says_of_its_row_is_a_column(server: ListServer) -> None:
    query = load(FORMS["GitHub, edges with a field of their own"][0])
    assert query.tables["q"].names == ["id", "starred_at", "fetched_at"]
    found = pages(server, query, owner="known", name="any")
    days = [at.day for page in found for at in page.tables["q"]["starred_at"].to_pylist()]
    assert days == list(range(1, 26))
    clash = FORMS["GitHub, edges with a field of their own"][0].replace("starredAt", "id: starredAt")
    with pytest.raises(QueryError, match="two columns would be named id"):
        load(clash)


def test_a_list_is_read_along_its_own_order_where_the_server_has_no_cursor(server: ListServer) -> None:
    graph = 'query ($last: ID! = "") { tokens(first: 4, where: { id_gt: $last }) { id } }'
    paging = Paging(strategy="cursor", position="last", cursor="tokens.id")
    assert ids(pages(server, load(graph, paging=paging))) == server.shelf.ids
    hasura = 'query ($last: ID = "", $n: Int) { users(limit: $n, where: { id: { _gt: $last } }) { id } }'
    paging = Paging(strategy="cursor", position="last", cursor="users.id", size="n")
    assert ids(pages(server, load(hasura, paging=paging))) == server.shelf.ids
    assert {asked["n"] for asked in server.asked[-4:]} == {7}

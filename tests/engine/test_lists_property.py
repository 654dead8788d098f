"""Whatever a list's length, its pages and its holes: all rows, once, in order, in few requests."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.graphql.client import Client
from resources.graphql.plan import Paging
from resources.graphql.query import Query
from resources.graphql.sending.settings import Settings
from tests.engine.public_lists import ListServer, Shelf
from tests.engine.test_public_lists import ids, load

HEADS = {
    "cursor": "query ($first: Int, $after: String) { things(first: $first, after: $after) ",
    "offset": "query ($first: Int, $offset: Int) { things(first: $first, offset: $offset) ",
    "page": "query ($first: Int, $page: Int) { things(first: $first, page: $page) ",
}
SIGNALS = {
    "cursor": ["nextCursor", "hasMore next_cursor", "next_cursor total"],
    "offset": ["", "hasMore", "total", "has_more total"],
    "page": ["", "has_more", "total", "total_pages", "hasMore totalPages total"],
}


@pytest.fixture(scope="module")
def server() -> Iterator[ListServer]:
    with ListServer() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: ListServer) -> Iterator[Client]:
    with Client(Settings(url=server.url)) as opened:
        yield opened


@st.composite
def lists(draw: st.DrawFn) -> tuple[Query, Shelf, int]:
    """Draw a document, a list, and a page size.

    Where more is said there are holes: whole pages, or single rows that a page lacks.
    """
    strategy = draw(st.sampled_from(sorted(HEADS)))
    signals = draw(st.sampled_from(SIGNALS[strategy]))
    shelf = Shelf(draw(st.integers(0, 60)))
    shelf.cap = draw(st.integers(1, 30))
    shelf.first_page = draw(st.integers(0, 1))
    size = draw(st.integers(1, 40))
    stride = min(size, shelf.cap)
    if signals:
        for start in draw(st.sets(st.integers(1, 4).map(lambda n: n * stride), max_size=3)):
            shelf.rows[start : start + stride] = [None] * len(shelf.rows[start : start + stride])
        for page in draw(st.sets(st.integers(0, 4), max_size=3)) if strategy != "cursor" else ():
            row = page * 3 * stride + draw(st.integers(0, stride - 1))
            shelf.rows[row : row + 1] = [None] * len(shelf.rows[row : row + 1])
    paging = Paging(first_page=shelf.first_page)
    return load(HEADS[strategy] + f"{{ items {{ id }} {signals} }} }}", paging=paging), shelf, size


def test_a_hidden_first_row_of_a_server_that_caps_pages_hides_no_other(
    server: ListServer, client: Client
) -> None:
    server.shelf = Shelf(2)
    server.shelf.cap, server.shelf.rows[0] = 1, None
    query = load(HEADS["offset"] + "{ items { id } hasMore } }")
    assert ids(list(client.pages(query, variables={"first": 2}))) == ["0001"]


@given(lists())
@settings(max_examples=60)
def test_all_rows_come_once_and_in_order(
    server: ListServer, client: Client, drawn: tuple[Query, Shelf, int]
) -> None:
    query, server.shelf, size = drawn
    found = list(client.pages(query, variables={"first": size}))
    assert ids(found) == server.shelf.ids
    holes = server.shelf.rows.count(None)
    assert server.shelf.requests <= len(server.shelf.rows) / min(size, server.shelf.cap) + 2 + holes

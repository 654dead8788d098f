"""What a list may do while it is read: change, cap, repeat, contradict itself. No row is lost in silence."""

import logging
from collections.abc import Iterator

import pytest

from resources.errors import AccountingError, ConfigurationError, QueryError
from resources.graphql.plan import Paging
from tests.engine.public_lists import ListServer, Shelf, row
from tests.engine.test_public_lists import ids, load, pages

OFFSET = "query ($first: Int, $offset: Int) { things(first: $first, offset: $offset) "
PAGE = "query ($first: Int, $page: Int) { things(first: $first, page: $page) "
CURSOR = "query ($first: Int, $after: String) { things(first: $first, after: $after) "


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.graphql.paging.source.PAUSE_SECONDS", 0.01)


@pytest.fixture
def server() -> Iterator[ListServer]:
    with ListServer() as running:
        yield running


def notes(found: list) -> str:  # type: ignore[type-arg]
    return " ".join(note for page in found for note in page.notes)


@pytest.mark.parametrize("head", [OFFSET, PAGE])
@pytest.mark.parametrize("said", ["hasMore", "has_more", "total", "id: __typename"])
@pytest.mark.parametrize("cap", [3, 25])
def test_a_server_that_caps_the_page_loses_no_row(head: str, said: str, cap: int, server: ListServer) -> None:
    server.shelf.cap = cap
    query = load(head + f"{{ items {{ id }} {said} }} }}")
    assert ids(pages(server, query, page_size=10)) == server.shelf.ids


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CURSOR, "hasMore nextCursor"),
        (CURSOR, "next_cursor"),
        (OFFSET, "hasMore"),
        (PAGE, "has_more"),
        (PAGE, "totalPages"),
    ],
)
def test_an_empty_page_in_the_middle_ends_nothing(text: str, said: str, server: ListServer) -> None:
    server.shelf.rows[10:20] = [None] * 10
    query = load(text + f"{{ items {{ id }} {said} }} }}")
    found = pages(server, query, page_size=5)
    assert ids(found) == server.shelf.ids
    assert ("5 rows were passed over" in notes(found)) == (text == OFFSET)


def test_empty_pages_without_an_end_are_an_error(server: ListServer) -> None:
    server.shelf.rows[10:] = [None] * 1000
    with pytest.raises(QueryError, match="says there are more rows, but 10 pages in a row are empty"):
        pages(server, load(PAGE + "{ items { id } hasMore } }"))


@pytest.mark.parametrize("text", [OFFSET, PAGE])
@pytest.mark.parametrize("said", ["total", "hasMore", "name: __typename"])
def test_a_server_that_ignores_the_position_is_an_error(text: str, said: str, server: ListServer) -> None:
    server.shelf.ignores_position = True
    with pytest.raises(QueryError, match="gives the same page again, whatever"):
        pages(server, load(text + f"{{ items {{ id }} {said} }} }}"))


@pytest.mark.parametrize("text", [OFFSET, PAGE, CURSOR])
@pytest.mark.parametrize("total", [0, 24, 26, 200])
def test_a_total_that_is_not_that_of_the_rows_is_refused(text: str, total: int, server: ListServer) -> None:
    server.shelf.total = total
    signals = "hasMore total nextCursor" if text == CURSOR else "hasMore total"
    with pytest.raises(AccountingError, match=rf"has {total} rows \(things.total\) and gave 25. If that is"):
        pages(server, load(text + f"{{ items {{ id }} {signals} }} }}"))


def test_a_total_alone_ends_a_list_and_is_checked(server: ListServer) -> None:
    server.shelf.total = 28
    with pytest.raises(AccountingError, match="28 rows"):
        pages(server, load(OFFSET + "{ items { id } total } }"))
    server.shelf.total = None
    server.asked.clear()
    assert ids(pages(server, load(OFFSET + "{ items { id } total } }"), page_size=5)) == server.shelf.ids
    assert [asked["offset"] for asked in server.asked] == [0, 5, 10, 15, 20]


def test_progress_knows_the_total(server: ListServer) -> None:
    found = pages(server, load(OFFSET + "{ items { id } total } }"))
    assert {page.list_total for page in found} == {25}
    assert sum(page.asked for page in found) == 25


def grow(rows: list) -> None:  # type: ignore[type-arg]
    rows.insert(0, row(900))


def shrink(rows: list) -> None:  # type: ignore[type-arg]
    del rows[0]


@pytest.mark.parametrize("text", [OFFSET, PAGE])
@pytest.mark.parametrize("change", [grow, shrink])
def test_a_total_that_changes_under_an_offset_is_said(text: str, change: object, server: ListServer) -> None:
    server.shelf.changes = {3: change}  # type: ignore[dict-item]
    found = pages(server, load(text + "{ items { id } total hasMore } }"), page_size=5)
    assert "the list changed while it was read (its total went from 25 to" in notes(found)


def test_rows_that_shift_are_dropped_by_their_identity_and_said(server: ListServer) -> None:
    server.shelf.changes = {3: grow}
    text = OFFSET + "{ items { id } } }"
    found = pages(server, load(text, identity="id"), page_size=5)
    assert ids(found) == [one for one in server.shelf.ids if one != "0900"]
    assert "1 rows came again and were dropped" in notes(found)


def test_along_a_cursor_a_list_may_change(server: ListServer, caplog: pytest.LogCaptureFixture) -> None:
    server.shelf.changes = {3: lambda rows: rows.append(row(900))}
    caplog.set_level(logging.INFO, logger="resources.graphql")
    found = pages(server, load(CURSOR + "{ items { id } total nextCursor } }"), page_size=5)
    assert ids(found) == server.shelf.ids
    assert notes(found) == ""
    assert "the list changed while it was read: its total went from 25 to 26" in caplog.text


@pytest.mark.parametrize("first_page", [0, 1])
def test_pages_may_be_counted_from_zero(first_page: int, server: ListServer) -> None:
    server.shelf.first_page = first_page
    text = "{ items { id } totalPages total } }"
    chosen = load(PAGE + text, paging=Paging(first_page=first_page))
    by_default = load(PAGE.replace("$page: Int", f"$page: Int = {first_page}") + text)
    for query in (chosen, by_default):
        server.asked.clear()
        assert ids(pages(server, query, page_size=10)) == server.shelf.ids
        assert [asked["page"] for asked in server.asked] == [first_page, first_page + 1, first_page + 2]


@pytest.mark.parametrize("rows", [0, 3, 25])
def test_that_pages_count_from_zero_is_found_out(rows: int, server: ListServer) -> None:
    server.shelf = Shelf(rows)
    server.shelf.first_page = 0
    found = pages(server, load(PAGE + "{ items { id } hasMore } }"), page_size=10)
    assert ids(found) == server.shelf.ids


@pytest.mark.parametrize("rows", [0, 3, 25])
@pytest.mark.parametrize("page_zero", ["nothing", "first", "last", "error"])
def test_that_pages_count_from_one_is_found_out(rows: int, page_zero: str, server: ListServer) -> None:
    server.shelf = Shelf(rows)
    server.shelf.before_first = page_zero
    found = pages(server, load(PAGE + "{ items { id } hasMore } }"), page_size=10)
    assert ids(found) == server.shelf.ids


def test_where_page_zero_breaks_the_server_it_has_to_be_said(server: ListServer) -> None:
    server.breaks_on = {"page": 0}
    text = PAGE + "{ items { id } hasMore } }"
    with pytest.raises(ConfigurationError, match=r"say it with Paging\(first_page=1\)"):
        pages(server, load(text))
    assert ids(pages(server, load(text, paging=Paging(first_page=1)))) == server.shelf.ids


def test_an_error_behind_the_end_says_what_to_select(server: ListServer) -> None:
    def refuse(_: object) -> None:
        raise ValueError

    server.shelf.changes = dict.fromkeys(range(4, 20), refuse)
    with pytest.raises(QueryError, match="if the list ends here, select what says so"):
        pages(server, load("query ($offset: Int) { things(first: 9, offset: $offset) { items { id } } }"))


@pytest.mark.parametrize("text", [CURSOR, OFFSET, PAGE])
def test_a_page_that_is_too_large_is_asked_for_smaller(text: str, server: ListServer) -> None:
    server.refuses_above = 6
    assert ids(pages(server, load(text + "{ items { id } nextCursor } }"), page_size=20)) == server.shelf.ids
    assert [asked["first"] for asked in server.asked[:3]] == [20, 10, 5]


def test_pages_that_shrink_in_the_middle_go_on_where_they_were(server: ListServer) -> None:
    refuse_later(server, 3, above=5)
    assert ids(pages(server, load(PAGE + "{ items { id } hasMore } }"), page_size=9)) == server.shelf.ids
    assert {asked["first"] for asked in server.asked} == {9, 3}


def test_pages_that_shrink_where_the_server_capped_them_are_refused_with_advice(server: ListServer) -> None:
    refuse_later(server, 3, above=5)
    server.shelf.cap = 7
    with pytest.raises(QueryError, match="gives at most 7 at once: set the page size to that or less"):
        pages(server, load(PAGE + "{ items { id } hasMore } }"), page_size=9)


def refuse_later(server: ListServer, request: int, *, above: int) -> None:
    """Refuse large pages from the n-th request on."""

    def refuse(_: object) -> None:
        server.refuses_above = above
        raise ValueError("too large")

    server.shelf.changes = {request: refuse}


def test_the_size_is_that_of_the_caller_or_of_the_document_or_of_the_setting(server: ListServer) -> None:
    tail = "{ items { id } hasMore } }"
    pages(server, load(OFFSET + tail), page_size=7)
    pages(server, load(OFFSET.replace("$first: Int", "$first: Int = 6") + tail), page_size=7)
    pages(server, load(OFFSET + tail), page_size=7, first=5)
    assert [asked["first"] for asked in server.asked if asked["offset"] == 0] == [7, 6, 5]
    with pytest.raises(ConfigurationError, match="first is a number of rows"):
        pages(server, load(OFFSET + tail), first=0)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"organization": None}, "organization is null in the answer, so its list cannot be read"),
        ({"organization": {"repositories": None}}, "organization.repositories is null in the answer"),
        (
            {"organization": {"repositories": {"nodes": []}}},
            "the answer lacks organization.repositories",
        ),
        (
            {"organization": {"repositories": {"nodes": {}, "pageInfo": {}}}},
            "answered organization.repositories.nodes with an object, not with a list",
        ),
        (
            {"organization": {"repositories": {"nodes": [], "pageInfo": None}}},
            "organization.repositories.pageInfo is null in the answer",
        ),
    ],
)
def test_what_is_missing_on_the_way_is_an_error(answer: object, message: str, server: ListServer) -> None:
    query = load(
        'query ($after: String) { organization(login: "known") { repositories(first: 8, after: $after) {'
        " nodes { id } pageInfo { endCursor hasNextPage } } } }"
    )
    server.broken.append({"data": answer})
    with pytest.raises(QueryError, match=message):
        pages(server, query)


@pytest.mark.parametrize("boards", [[], ["1", "2"]])
def test_a_list_of_lists_is_refused_unless_it_has_one(boards: list[str], server: ListServer) -> None:
    query = load(
        "query ($ids: [ID!], $cursor: String) { boards(ids: $ids) {"
        " items_page(cursor: $cursor) { cursor items { id } } } }"
    )
    with pytest.raises(QueryError, match=f"boards has {len(boards)} elements, each with a list of its own"):
        pages(server, query, ids=boards)


def test_one_answer_that_says_there_is_more_is_refused(server: ListServer) -> None:
    text = "{ things(first: 7) { items { id } hasMore } }"
    with pytest.raises(QueryError, match="no variable to ask for them"):
        pages(server, load(text, paging=Paging(strategy="whole")))
    with pytest.raises(AccountingError, match="25 rows"):
        pages(server, load(text.replace("hasMore", "total"), paging=Paging(strategy="whole")))


def test_one_object_is_one_row(server: ListServer) -> None:
    query = load("{ me { name address { city } } }")
    (page,) = pages(server, query)
    assert page.tables["q"].drop_columns(["fetched_at"]).to_pylist() == [
        {"name": "me", "address": {"city": "Bonn"}}
    ]


def test_variables_are_checked_before_the_server_is_asked(server: ListServer) -> None:
    text = (
        "query ($login: String!, $note: String, $after: String) {"
        " organization(login: $login) { repositories(first: 8, after: $after) {"
        " nodes { id } pageInfo { endCursor } } } }"
    ).replace(", $note: String", "")
    with pytest.raises(ConfigurationError, match="q needs a value for login"):
        pages(server, load(text))
    with pytest.raises(ConfigurationError, match="q has no variable logins"):
        pages(server, load(text), login="known", logins="x")
    with pytest.raises(ConfigurationError, match="after is filled by the extraction itself"):
        pages(server, load(text), login="known", after="5")
    assert server.asked == []


def test_a_total_may_come_as_text(server: ListServer) -> None:
    query = load(OFFSET + "{ items { id } total } }")
    server.broken += [{"data": {"things": {"items": [row(1)], "total": total}}} for total in ("1", "many")]
    assert ids(pages(server, query)) == ["0001"]
    with pytest.raises(
        QueryError, match=r"answered things\.total with a text of 4 characters, not with a number"
    ):
        pages(server, query)


def test_an_empty_list_is_a_typed_table(server: ListServer) -> None:
    server.shelf = Shelf(0)
    for text in (CURSOR, OFFSET, PAGE):
        query = load(text + "{ items { id } nextCursor total } }")
        (page,) = pages(server, query)
        assert page.tables["q"].schema.equals(query.tables["q"])
        assert page.tables["q"].num_rows == 0

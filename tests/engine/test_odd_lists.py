"""Lists of servers that hide rows or give one page for another: no row is lost or doubled in silence."""

from dataclasses import replace
from itertools import count

import pytest

from resources.errors import AccountingError, ConfigurationError, QueryError
from resources.graphql.client import Client
from resources.graphql.plan import Paging
from resources.graphql.sending.settings import Settings
from tests.engine.odd_lists import ROWS, OddServer, notes_of, read, rows_of

THING = "type T { id: ID name: String url: String } "
SDL = THING + (
    "scalar Any type C { items: [T] hasMore: Boolean total: Int totalPages: Int pages: Int lastPage: Int"
    " isLast: Boolean next: Any } type Query { ts(page: Int, offset: Int, size: Int): C }"
)
OFFSET = "query ($offset: Int, $size: Int) { ts(offset: $offset, size: $size) "
PAGE = "query ($page: Int = 1, $size: Int) { ts(page: $page, size: $size) "
ANY_PAGE = PAGE.replace(" = 1", "")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.graphql.paging.source.PAUSE_SECONDS", 0.01)


def by_offset(offset: int = 0, size: int = 5, **_: object) -> dict[str, object]:
    found = ROWS[offset : offset + size]
    return {"items": found, "totalPages": 5, "pages": 5, "total": 23}


def by_page(page: int = 1, size: int = 5, first: int = 1) -> list[dict[str, str]]:
    start = (page - first) * size
    return ROWS[start : start + size]


@pytest.mark.parametrize("said", ["totalPages", "pages", "totalPages total"])
def test_a_number_of_pages_does_not_end_an_offset(said: str) -> None:
    found, _ = read(SDL, OFFSET + f"{{ items {{ id name }} {said} }} }}", by_offset)
    assert rows_of(found) == ROWS


@pytest.mark.parametrize("said", ["", "total"])
@pytest.mark.parametrize("page_size", [4, 5])
def test_rows_that_a_server_leaves_out_of_a_page_double_no_others(said: str, page_size: int) -> None:
    kept = [row for row in ROWS if row["id"] not in ("2", "9")]

    def resolve(offset: int = 0, size: int = 5) -> object:
        return {"items": [row for row in ROWS[offset : offset + size] if row in kept], "total": len(kept)}

    found, _ = read(SDL, OFFSET + f"{{ items {{ id name }} {said} }} }}", resolve, page_size=page_size)
    assert rows_of(found) == kept
    assert "2 rows came again and were dropped: if the list changed while it was read" in notes_of(found)


def test_a_total_is_held_against_distinct_rows() -> None:
    def resolve(offset: int = 0, size: int = 5) -> object:
        return {"items": [row for row in ROWS[offset : offset + size] if row["id"] != "2"], "total": 23}

    with pytest.raises(AccountingError, match=r"has 23 rows \(ts.total\) and gave 22 \(1 more came again\)"):
        read(SDL, OFFSET + "{ items { id } total } }", resolve)


def test_equal_rows_without_an_id_are_kept_and_said() -> None:
    names = [{"name": name} for name in "aabccdeef"]
    found, _ = read(
        SDL, OFFSET + "{ items { name } } }", lambda offset=0, size=5: {"items": names[offset : offset + 3]}
    )
    assert rows_of(found) == names
    assert "rows look like those of the page before and were kept" not in notes_of(found)
    names = [{"name": name} for name in "abccde"]
    found, _ = read(
        SDL, OFFSET + "{ items { name } } }", lambda offset=0, size=5: {"items": names[offset : offset + 3]}
    )
    assert rows_of(found) == names
    assert "1 rows look like those of the page before and were kept" in notes_of(found)


def test_rows_of_one_id_with_other_values_are_kept_and_said() -> None:
    versions = [{"id": "1", "name": f"version {n}"} for n in range(4)]
    found, _ = read(
        SDL,
        OFFSET + "{ items { id name } } }",
        lambda offset=0, size=5: {"items": versions[offset : offset + 2]},
    )
    assert rows_of(found) == versions
    assert "2 rows look like those of the page before and were kept" in notes_of(found)


def test_that_no_change_could_be_seen_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    for selection in ("items { id name }", "items { name } total", "items { name }", "items { name }"):
        with OddServer(SDL, by_offset) as server:
            query = replace(server.load(OFFSET + f"{{ {selection} }} }}"), name="unseen")
            with Client(Settings(url=server.url)) as client:
                list(
                    client.pages(replace(query, tables={"unseen": query.tables["q"]}), variables={"size": 5})
                )
    assert [message for message in caplog.messages if "nothing selected" in message] == [
        "unseen is read by numbers, and nothing selected would show a change of the list meanwhile: select "
        "its total, or an id, to be told"
    ]


@pytest.mark.parametrize("said", ["hasMore", "total"])
def test_page_zero_that_is_page_one_is_known_by_its_ids(said: str) -> None:
    signatures = count()

    def resolve(page: int = 1, size: int = 5) -> object:
        items = [{"id": row["id"], "name": next(signatures)} for row in by_page(max(page, 1), size)]
        return {"items": items, "hasMore": max(page, 1) < 5, "total": 23}

    found, _ = read(SDL, ANY_PAGE + f"{{ items {{ id name }} {said} }} }}", resolve)
    assert [row["id"] for row in rows_of(found)] == [row["id"] for row in ROWS]


def test_page_zero_that_is_like_page_one_without_ids_has_to_be_said() -> None:
    signatures = count()

    def resolve(page: int = 1, size: int = 5) -> object:
        items = [{"url": next(signatures), "name": row["name"]} for row in by_page(max(page, 1), size)]
        return {"items": items, "hasMore": max(page, 1) < 5}

    text = ANY_PAGE + "{ items { url name } hasMore } }"
    with pytest.raises(ConfigurationError, match=r"not known whether pages count from 0 or 1: say it with"):
        read(SDL, text, resolve)
    found, _ = read(SDL, text, resolve, paging=Paging(first_page=1))
    assert [row["name"] for row in rows_of(found)] == [row["name"] for row in ROWS]


def test_page_zero_that_is_the_last_one_is_found_in_the_end() -> None:
    def resolve(page: int = 1, size: int = 5) -> object:
        return {"items": by_page(5 if page < 1 else page, size)}

    with pytest.raises(ConfigurationError, match=r"page 0 again: do pages count from 1\? Then say it with"):
        read(SDL, ANY_PAGE + "{ items { id } } }", resolve)


def test_where_page_one_is_an_error_pages_may_count_from_zero() -> None:
    def resolve(page: int = 0) -> object:
        return {"items": ROWS[:3], "hasMore": False} if page == 0 else ValueError("no such page")

    text = "query ($page: Int) { ts(page: $page) { items { id name } hasMore } }"
    with pytest.raises(
        QueryError, match=r"if pages count from 0 and there is one only: Paging\(first_page=0\)"
    ):
        read(SDL, text, resolve)
    found, _ = read(SDL, text, resolve, paging=Paging(first_page=0))
    assert rows_of(found) == ROWS[:3]


def test_page_zero_with_a_null_row_is_not_passed_over() -> None:
    def resolve(page: int = 0, size: int = 5) -> object:
        return {"items": [None, *ROWS[:4]] if page == 0 else by_page(page, size, 0)}

    with pytest.raises(QueryError, match=r"row 1 of a page of ts\.items is null"):
        read(SDL, ANY_PAGE + "{ items { id } } }", resolve)


@pytest.mark.parametrize("first", [0, 1])
def test_the_default_of_the_schema_says_where_pages_begin(first: int) -> None:
    sdl = SDL.replace("page: Int,", f"page: Int = {first},")

    def resolve(page: int, size: int) -> object:
        return {"items": by_page(page, size, first)}

    found, server = read(sdl, ANY_PAGE + "{ items { id name } } }", resolve)
    assert rows_of(found) == ROWS
    assert [asked["page"] for asked in server.asked] == list(range(first, first + 6))


@pytest.mark.parametrize(("first", "last"), [(0, 4), (0, 5), (1, 5)])
def test_the_last_page_is_a_number_of_pages_where_they_count_from_one(first: int, last: int) -> None:
    def resolve(page: int, size: int) -> object:
        return {"items": by_page(page, size, first), "lastPage": last}

    text = PAGE.replace("= 1", f"= {first}") + "{ items { id name } lastPage } }"
    found, server = read(SDL, text, resolve)
    assert rows_of(found) == ROWS
    assert len(server.asked) == (5 if first else 6)


@pytest.mark.parametrize("columns", ["id url", "name url"])
def test_a_last_page_over_and_over_is_an_error_though_values_change(columns: str) -> None:
    signatures = count()

    def resolve(page: int, size: int) -> object:
        return {"items": [{**row, "url": next(signatures)} for row in by_page(min(page, 5), size)]}

    with pytest.raises(QueryError, match="gives the same page again, whatever"):
        read(SDL, PAGE + f"{{ items {{ {columns} }} }} }}", resolve)


def test_a_last_page_is_one_by_its_own_word() -> None:
    def resolve(page: int, size: int) -> object:
        return (
            {"items": by_page(page, size), "isLast": page == 5} if page < 6 else ValueError("behind the end")
        )

    found, _ = read(SDL, PAGE + "{ items { id name } isLast } }", resolve)
    assert rows_of(found) == ROWS


@pytest.mark.parametrize("end", [None, "", False])
def test_a_next_that_is_nothing_ends_a_list(end: object) -> None:
    def resolve(page: int, size: int) -> object:
        return {"items": by_page(page, size), "next": page + 1 if page < 4 else end}

    found, server = read(SDL, PAGE + "{ items { id name } next } }", resolve)
    assert rows_of(found) == ROWS[:20], "the server says so, whatever lies behind"
    assert len(server.asked) == 4


def test_the_next_page_is_the_one_that_is_named() -> None:
    def resolve(page: int, size: int) -> object:
        return {"items": by_page(page, size), "next": {1: 3, 3: 5}.get(page)}

    found, server = read(SDL, PAGE + "{ items { id name } next } }", resolve)
    assert [asked["page"] for asked in server.asked] == [1, 3, 5]
    assert rows_of(found) == ROWS[:5] + ROWS[10:15] + ROWS[20:]
    with pytest.raises(QueryError, match="gives a page again as the next one"):
        read(SDL, PAGE + "{ items { id } next } }", lambda page, size: {"items": [], "next": page})


@pytest.mark.parametrize("said", ["totalPages", "lastPage", "next"])
def test_one_answer_that_is_not_the_only_page_is_refused(said: str) -> None:
    whole = Paging(strategy="whole")
    text = f"{{ ts {{ items {{ id name }} {said} }} }}"
    with pytest.raises(QueryError, match="no variable to ask for them"):
        read(SDL, text, lambda: {"items": ROWS, said: 2}, paging=whole)
    found, _ = read(SDL, text, lambda: {"items": ROWS, said: None if said == "next" else 1}, paging=whole)
    assert rows_of(found) == ROWS


@pytest.mark.parametrize("value", [None, "no"])
def test_whether_there_is_more_has_to_be_a_boolean(value: object) -> None:
    sdl = SDL.replace("hasMore: Boolean", "hasMore: Any")
    with pytest.raises(QueryError, match=r"does not say whether there are more rows \(ts.hasMore\)"):
        read(sdl, OFFSET + "{ items { id } hasMore } }", lambda **_: {"items": ROWS[:3], "hasMore": value})


def test_page_zero_with_an_error_beside_its_rows_is_not_passed_over() -> None:
    def resolve(page: int = 0, size: int = 5) -> object:
        name = ValueError("a link cannot be resolved") if page == 0 else "good"
        return {"items": [{**row, "name": name} for row in by_page(page, size, 0)], "hasMore": page < 4}

    text = ANY_PAGE + "{ items { id name } hasMore } }"
    with pytest.raises(ConfigurationError, match="page 0 has rows and an error beside them"):
        read(SDL, text, resolve)
    found, _ = read(SDL, text, resolve, paging=Paging(errors="null"))
    assert [row["id"] for row in rows_of(found)] == [row["id"] for row in ROWS]

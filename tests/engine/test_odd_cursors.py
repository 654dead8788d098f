"""Cursors that end too early, or not at all; rows and fields that are null."""

from typing import Any

import pytest

from resources.errors import AccountingError, QueryError
from resources.graphql.plan import Paging
from tests.engine.odd_lists import ROWS, notes_of, read, rows_of

SDL = (
    "type T { id: ID! name: String } type E { cursor: String node: T } type P { hasNextPage: Boolean"
    " endCursor: String } type C { nodes: [T] edges: [E] pageInfo: P total: Int }"
    " type Query { ts(first: Int, after: String): C }"
)
HEAD = "query ($first: Int, $after: String) { ts(first: $first, after: $after) "
NODES = HEAD + "{ nodes { id name } pageInfo { endCursor } } }"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.graphql.paging.source.PAUSE_SECONDS", 0.01)


def connection(rows: list[Any], first: int = 5, after: str | None = None, **said: object) -> dict[str, Any]:
    start = int(after or 0)
    found = rows[start : start + first]
    edges = [{"cursor": str(start + n + 1), "node": row} for n, row in enumerate(found)]
    end = str(start + first) if start + first < len(rows) else None
    return {"nodes": found, "edges": edges, "pageInfo": {"endCursor": end, "hasNextPage": bool(end)}, **said}


def test_a_null_cursor_within_the_rows_is_no_end() -> None:
    def resolve(first: int, after: str | None = None) -> object:
        found = connection(ROWS, first, after)
        for edge in found["edges"]:
            edge["cursor"] = None if edge["cursor"] == "10" else edge["cursor"]
        return found

    text = HEAD + "{ edges { cursor node { id name } } } }"
    with pytest.raises(QueryError, match=r"within the rows \(ts.edges.cursor\) is null at the end of a page"):
        read(SDL, text, resolve)
    found, _ = read(SDL, text, resolve, page_size=4)
    assert rows_of(found) == ROWS


@pytest.mark.parametrize("value", [None, ""])
def test_a_list_along_a_column_ends_at_no_null(value: str | None) -> None:
    sdl = "type T { name: String } type Query { ts(first: Int, above: String): [T] }"
    text = 'query ($first: Int, $above: String = "") { ts(first: $first, above: $above) { name } }'
    with pytest.raises(QueryError, match=r"within the rows \(ts.name\) is null"):
        read(
            sdl,
            text,
            lambda **_: [{"name": "a"}, {"name": value}],
            paging=Paging(strategy="cursor", position="above", cursor="ts.name", size="first"),
        )


@pytest.mark.parametrize(("totals", "rows"), [((40000, 40001), 20), ((22, 21), 20)])
def test_fewer_rows_than_any_total_are_refused_though_it_changes(totals: tuple[int, int], rows: int) -> None:
    def resolve(first: int, after: str | None = None) -> object:
        return connection(ROWS[:rows], first, after, total=totals[1 if after else 0])

    with pytest.raises(AccountingError, match=f"at least {min(totals)} rows .* gave 20"):
        read(SDL, HEAD + "{ nodes { id } pageInfo { endCursor } total } }", resolve)


def test_a_list_along_a_cursor_may_shrink_while_it_is_read() -> None:
    def resolve(first: int, after: str | None = None) -> object:
        return connection(ROWS, first, after, total=22 if after == "20" else 23)

    found, _ = read(SDL, HEAD + "{ nodes { id name } pageInfo { endCursor } total } }", resolve)
    assert rows_of(found) == ROWS
    assert notes_of(found) == ""


def test_more_rows_than_any_total_are_said() -> None:
    def resolve(first: int, after: str | None = None) -> object:
        return connection(ROWS, first, after, total=20 if after == "20" else 19)

    found, _ = read(SDL, HEAD + "{ nodes { id name } pageInfo { endCursor } total } }", resolve)
    assert rows_of(found) == ROWS
    assert "its total went from 19 to 20, 23 rows came" in notes_of(found)


def test_a_cursor_that_comes_back_on_an_empty_page_is_the_end() -> None:
    def resolve(first: int, after: str | None = None) -> object:
        start = int(after or 0)
        found = ROWS[start : start + first]
        return {"nodes": found, "pageInfo": {"endCursor": str(start + len(found))}}

    found, _ = read(SDL, NODES, resolve)
    assert rows_of(found) == ROWS
    with pytest.raises(QueryError, match="gives the same cursor again"):
        read(SDL, NODES, lambda **_: {"nodes": ROWS[:2], "pageInfo": {"endCursor": "2"}})


def test_the_first_page_is_asked_for_without_a_cursor() -> None:
    def resolve(first: int, **given: str | None) -> object:
        return connection(ROWS, first, **given) if given.get("after", "0") else ValueError("after is null")

    found, server = read(SDL, NODES, resolve)
    assert rows_of(found) == ROWS
    assert "after" not in server.asked[0]


@pytest.mark.parametrize("rows", ["nodes { id name }", "edges { node { id name } }"])
def test_a_null_row_is_refused_or_left_out_and_counted(rows: str) -> None:
    holed = [*ROWS[:4], None, *ROWS[5:]]
    text = HEAD + f"{{ {rows} pageInfo {{ endCursor }} total }} }}"
    with pytest.raises(QueryError, match=r"row 5 of a page of ts\.\w+(\.node)? is null: it may be gone"):
        read(SDL, text, lambda **given: connection(holed, **given))
    found, _ = read(
        SDL, text, lambda **given: connection(holed, **given, total=23), paging=Paging(null_rows="drop")
    )
    assert rows_of(found) == [*ROWS[:4], *ROWS[5:]]
    assert notes_of(found) == "1 rows were null and left out"


def failing(bad: int, *, whole: bool = False) -> list[Any]:
    """Give rows of which one has a name, or is itself, an error."""
    error = ValueError("a link cannot be resolved")
    return [(error if whole else {**row, "name": error}) if row["id"] == str(bad) else row for row in ROWS]


@pytest.mark.parametrize("rows", ["nodes { id name }", "edges { node { id name } }"])
def test_an_error_within_a_row_is_named_or_kept_as_null_and_counted(rows: str) -> None:
    text = HEAD + f"{{ {rows} pageInfo {{ endCursor }} }} }}"
    with pytest.raises(
        QueryError, match=r'may hold personal data, at ts\.\w+\.0.*name. .*Paging\(errors="null"'
    ):
        read(SDL, text, lambda **given: connection(failing(7), **given))
    found, server = read(
        SDL, text, lambda **given: connection(failing(7), **given), paging=Paging(errors="null")
    )
    assert rows_of(found) == [{**row, "name": None} if row["id"] == "7" else row for row in ROWS]
    assert notes_of(found) == "1 values are null because the server answered them with an error"
    assert [asked.get("after") for asked in server.asked].count("5") == 3, "it may have been a moment's"


def test_an_error_that_is_not_within_a_row_is_refused_all_the_same() -> None:
    whole_row = [connection(failing(7, whole=True), 20)]
    beside = {"nodes": ROWS, "pageInfo": ValueError("no")}
    all_rows = {"nodes": ValueError("no"), "pageInfo": {"endCursor": None}}
    for answer in (*whole_row, beside, all_rows):
        with pytest.raises(QueryError, match="the server refuses the query"):
            read(SDL, NODES, lambda answer=answer, **_: answer, paging=Paging(errors="null"))
    both = Paging(errors="null", null_rows="drop")
    found, _ = read(SDL, NODES, lambda **given: connection(failing(7, whole=True), **given), paging=both)
    assert rows_of(found) == [row for row in ROWS if row["id"] != "7"]
    assert "1 rows were null and left out" in notes_of(found)


def test_a_decimal_goes_back_as_a_number() -> None:
    scored = [{"id": str(n), "score": n + 0.5} for n in range(12)]
    sdl = (
        "type T { id: ID! score: Float } input I { _gt: Float } input W { _and: [W!] score: I }"
        " type Query { ts(limit: Int, where: W): [T!]! }"
    )
    text = (
        "query ($limit: Int, $last: Float = -1) {"
        " ts(limit: $limit, where: { _and: [{ score: { _gt: $last } }] }) { id score } }"
    )

    def resolve(limit: int, where: Any) -> object:
        return [row for row in scored if row["score"] > where["_and"][0]["score"]["_gt"]][:limit]  # type: ignore[operator]

    paging = Paging(strategy="cursor", position="last", cursor="ts.score", size="limit")
    found, server = read(sdl, text, resolve, paging=paging)
    assert rows_of(found) == scored
    assert [asked.get("last") for asked in server.asked] == [None, 4.5, 9.5, 11.5]

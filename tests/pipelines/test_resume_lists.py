"""Lists that were ended in the middle go on along their cursor; by numbers they are read anew."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from pipelines.extraction import open_slice
from pipelines.extraction.staging import Staging
from resources.errors import AccountingError, QueryError
from resources.graphql.client import Client
from resources.graphql.query import Query
from resources.graphql.sending.settings import Settings
from tests.engine.odd_lists import OddServer
from tests.engine.test_odd_cursors import connection

SDL = (
    "type T { id: ID! name: String } type P { hasNextPage: Boolean endCursor: String } type C { nodes: [T]"
    " pageInfo: P total: Int }"
    " type Query { ts(first: Int, after: String): C all(limit: Int, offset: Int): [T] }"
)
CURSOR = (
    "query ($first: Int, $after: String) { ts(first: $first, after: $after)"
    " { nodes { id name } total pageInfo { endCursor hasNextPage } } }"
)
OFFSET = "query ($limit: Int, $offset: Int) { all(limit: $limit, offset: $offset) { id name } }"
ROWS = [{"id": str(n), "name": f"name {n}"} for n in range(60)]
Resolve = Callable[..., object]
Take = Callable[..., Staging]


def resolve(first: int = 0, after: str | None = None, limit: int = 0, offset: int = 0) -> object:
    return ROWS[offset : offset + limit] if limit else connection(ROWS, first, after, total=len(ROWS))


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_slice, "SLICE_KEYS", 20)
    monkeypatch.setattr("resources.graphql.paging.source.PAUSE_SECONDS", 0.01)


@pytest.fixture
def server() -> Iterator[OddServer]:
    with OddServer(SDL, resolve) as running:
        yield running


@pytest.fixture
def take(server: OddServer, tmp_path: Path) -> Take:
    def taken(query: Query, pages: int | None = None, page_size: int = 5) -> Staging:
        """Read so many pages of five rows, or all, as a run does that ends there."""
        staging = Staging(tmp_path, query, [""], run="run", partitions=[""])
        with Client(Settings(url=server.url, page_size=page_size)) as client:
            found = client.pages(query, resume=staging)
            try:
                for page in islice(found, pages):
                    staging.add(page, "")
            except QueryError as error:
                staging.leave(error)
                raise
            found.close()  # type: ignore[attr-defined]
        if pages is None:
            staging.complete()
        else:
            staging.leave(KeyboardInterrupt())
        return staging

    return taken


def rows(staging: Staging) -> list[object]:
    return [row for _, table in staging.tables("") for row in table.drop_columns(["fetched_at"]).to_pylist()]


@pytest.mark.parametrize("identity", [None, "id"])
def test_a_list_goes_on_along_its_cursor(server: OddServer, take: Take, identity: str | None) -> None:
    query = server.load(CURSOR, identity=identity)
    take(query, 7)
    asked_before = len(server.asked)
    done = take(query)
    assert rows(done) == ROWS
    assert done.sums.tallies[""].staged == 35
    assert server.asked[asked_before]["after"] == "35"
    assert len(server.asked) - asked_before == 5


def test_a_list_that_was_read_to_its_end_is_not_asked_for_again(server: OddServer, take: Take) -> None:
    query = server.load(CURSOR)
    take(query, 12)
    asked_before = len(server.asked)
    assert rows(take(query)) == ROWS
    assert len(server.asked) == asked_before


def test_with_an_identity_a_row_of_before_comes_once(server: OddServer, take: Take) -> None:
    query = server.load(CURSOR, identity="id")
    take(query, 7)
    server._root["ts"] = lambda _, **how: connection([ROWS[0], *ROWS], **how, total=len(ROWS) + 1)
    assert rows(take(query)) == ROWS


def test_the_total_of_the_whole_list_is_held_against_both_parts(server: OddServer, take: Take) -> None:
    query = server.load(CURSOR)
    take(query, 7)
    server._root["ts"] = lambda _, **how: connection(ROWS[:50], **how, total=len(ROWS))
    with pytest.raises(AccountingError, match=r"has 60 rows \(ts.total\) and gave 50"):
        take(query)


def test_a_cursor_that_the_server_has_forgotten_starts_the_list_anew(server: OddServer, take: Take) -> None:
    query = server.load(CURSOR)
    take(query, 7)
    known: set[str | None] = {None}

    def forgetful(_: object, first: int, after: str | None = None) -> object:
        if after not in known:
            raise ValueError("unknown cursor")
        found = connection(ROWS, first, after, total=len(ROWS))
        known.add(found["pageInfo"]["endCursor"])
        return found

    server._root["ts"] = forgetful
    done = take(query)
    assert rows(done) == ROWS
    assert done.sums.tallies[""].staged == 0


def test_a_list_by_numbers_is_read_anew_as_its_rows_may_have_shifted(server: OddServer, take: Take) -> None:
    query = server.load(OFFSET)
    take(query, 7)
    done = take(query)
    assert rows(done) == ROWS
    assert done.sums.tallies[""].staged == 0


def test_a_short_trouble_of_the_server_gives_up_nothing(server: OddServer, take: Take) -> None:
    query = server.load(CURSOR)
    take(query, 7)

    def broken(_: object, **how: object) -> object:
        raise ValueError("not now")

    server._root["ts"] = broken
    with pytest.raises(QueryError):
        take(query)
    server._root["ts"] = lambda _, **how: resolve(**how)
    done = take(query)
    assert rows(done) == ROWS
    assert done.sums.tallies[""].staged == 35


def test_a_smaller_page_size_counts_for_what_is_left(server: OddServer, take: Take) -> None:
    query = server.load(CURSOR)
    take(query, 7)
    asked_before = len(server.asked)
    assert rows(take(query, page_size=2)) == ROWS
    assert {asked["first"] for asked in server.asked[asked_before:]} == {2}

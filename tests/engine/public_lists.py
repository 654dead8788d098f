"""A server with lists in the forms of public APIs, over rows that a test can cap, hide and change."""

import json
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from graphql import build_schema, graphql_sync

from tests.conftest import ROOT

SDL = (ROOT / "tests" / "public_lists.graphql").read_text(encoding="utf-8")
SCHEMA = build_schema(SDL)
Row = dict[str, Any]


class Shelf:
    """The rows of the server; None among them is a row that is passed over, as if the account may not see it.

    `cap` is the largest page. `changes` are done to the rows before the n-th request is answered.
    """

    def __init__(self, number: int = 25) -> None:
        self.rows: list[Row | None] = [row(n) for n in range(number)]
        self.cap = 10
        self.first_page = 1
        self.total: int | None = None  # what is said, where it is not the truth
        self.ignores_position = False
        self.before_first = "nothing"  # what page 0 gives where pages count from 1; or first, last, error
        self.changes: dict[int, Callable[[list[Row | None]], None]] = {}
        self.requests = 0

    @property
    def ids(self) -> list[str]:
        return [found["id"] for found in self.rows if found]

    def page(self, size: int, start: int) -> "Slice":
        """Give the page that begins at a row."""
        self.requests += 1
        if change := self.changes.get(self.requests):
            change(self.rows)
        start = 0 if self.ignores_position else start
        return Slice(self, start, min(size, self.cap))

    def numbered(self, size: int, page: int | None) -> "Slice":
        number = self.first_page if page is None else page
        if number < self.first_page:
            number = self._instead(number, min(size, self.cap))
        return self.page(size, (number - self.first_page) * min(size, self.cap))

    def _instead(self, number: int, size: int) -> int:
        if self.before_first == "error":
            raise ValueError("there is no such page")
        last = self.first_page + max(0, len(self.rows) - 1) // size
        return {"nothing": last + 1, "first": self.first_page, "last": last}[self.before_first]


class Slice:
    """One page, and what may be said of it."""

    def __init__(self, shelf: Shelf, start: int, size: int) -> None:
        found = shelf.rows[start : start + size]
        self.items = [found_row for found_row in found if found_row]
        self.start, self.size = start, size
        self.number = start // size + shelf.first_page
        self.more = start + size < len(shelf.rows)
        self.end = str(start + len(found)) if found else None
        self.total = len(shelf.ids) if shelf.total is None else shelf.total
        self.pages = -(-len(shelf.rows) // size)
        self.next = self.number + 1 if self.more else None

    @property
    def info(self) -> Row:
        return {"hasNextPage": self.more, "hasPreviousPage": self.start > 0, "endCursor": self.end}

    @property
    def relay(self) -> Row:
        edges = [
            {"cursor": str(self.start + n + 1), "node": item, "starredAt": item["at"]}
            for n, item in enumerate(self.items)
        ]
        return {"edges": edges, "nodes": self.items, "pageInfo": self.info, "totalCount": self.total}


def row(n: int) -> Row:
    return {"id": f"{n:04}", "name": f"name {n}", "at": f"2026-11-{1 + n % 28:02}T00:00:00Z"}


def root(shelf: Shelf) -> dict[str, Any]:
    """Give the resolvers: graphql-core calls what a dictionary holds."""
    forms = Forms(shelf)
    return {name: getattr(forms, name) for name in dir(forms) if not name.startswith("_")}


class Forms:
    """A resolver for each field of Query."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def _relay(self, _: Any, first: int = 20, after: str | None = None, **__: Any) -> Row:
        return self._shelf.page(first, int(after or 0)).relay

    def repository(self, _: Any, owner: str, name: str) -> Row | None:
        return {"stargazers": self._relay} if owner == "known" else None

    def organization(self, _: Any, login: str) -> Row | None:
        members = {"totalCount": 3}
        return {"name": login, "members": members, "repositories": self._relay} if login == "known" else None

    def products(self, info: Any, **arguments: Any) -> Row:
        return self._relay(info, **arguments)

    def issues(self, info: Any, **arguments: Any) -> Row:
        return self._relay(info, **arguments)

    def Page(self, _: Any, page: int | None = None, perPage: int = 50) -> Row:  # noqa: N802, N803
        found = self._shelf.numbered(perPage, page)
        said = {"currentPage": found.number, "lastPage": found.pages, "hasNextPage": found.more}
        return {"pageInfo": {**said, "total": found.total}, "media": found.items}

    def characters(self, _: Any, page: int | None = None, filter: Any = None) -> Row:
        found = self._shelf.numbered(20, page)
        said = {"count": found.total, "pages": found.pages, "next": found.next}
        return {"info": said, "results": found.items}

    def users(self, _: Any, limit: int = 1000, offset: int = 0, where: Any = None, **__: Any) -> list[Row]:
        above = ((where or {}).get("id") or {}).get("_gt")
        return self._above(above, limit) if above is not None else self._shelf.page(limit, offset).items

    def _above(self, above: str, limit: int) -> list[Row]:
        behind = sum(found <= above for found in self._shelf.ids)
        return self._shelf.page(limit, behind).items

    def articles(self, _: Any, pagination: Row | None = None, filters: Any = None) -> Row:
        chosen = pagination or {}
        found = self._shelf.numbered(chosen.get("pageSize", 10), chosen.get("page"))
        said = {"page": found.number, "pageSize": found.size, "pageCount": found.pages, "total": found.total}
        return {"data": found.items, "meta": {"pagination": said}}

    def articleCollection(self, _: Any, skip: int = 0, limit: int = 100) -> Row:  # noqa: N802
        found = self._shelf.page(limit, skip)
        return {"total": found.total, "skip": skip, "limit": found.size, "items": found.items}

    def catalog(self, _: Any, search: str = "", pageSize: int = 20, currentPage: int = 1) -> Row:  # noqa: N803
        found = self._shelf.numbered(pageSize, currentPage)
        said = {"current_page": found.number, "page_size": found.size, "total_pages": found.pages}
        labels = [{"label": "price"}, {"label": "colour"}]
        return {"items": found.items, "aggregations": labels, "total_count": found.total, "page_info": said}

    def customers(self, _: Any, limit: int = 20, offset: int = 0, where: Any = None) -> Row:
        found = self._shelf.page(limit, offset)
        return {"offset": offset, "count": len(found.items), "total": found.total, "results": found.items}

    def boards(self, _: Any, ids: list[str] | None = None) -> list[Row]:
        return [{"id": board, "items_page": self._items_page} for board in ids or []]

    def _items_page(self, _: Any, limit: int = 25, cursor: str | None = None) -> Row:
        found = self._shelf.page(limit, int(cursor or 0))
        return {"cursor": found.end if found.more else None, "items": found.items}

    def tokens(self, _: Any, first: int = 100, skip: int = 0, where: Row | None = None) -> list[Row]:
        above = (where or {}).get("id_gt")
        return self._above(above, first) if above is not None else self._shelf.page(first, skip).items

    def books(self, _: Any, skip: int = 0, take: int = 10) -> Row:
        found = self._shelf.page(take, skip)
        return {"items": found.items, "pageInfo": found.info, "totalCount": found.total}

    def posts(self, _: Any, first: int = 10, page: int | None = None) -> Row:
        found = self._shelf.numbered(first, page)
        said = {"currentPage": found.number, "lastPage": found.pages, "hasMorePages": found.more}
        return {"data": found.items, "paginatorInfo": {**said, "total": found.total, "perPage": found.size}}

    def listTodos(self, _: Any, limit: int = 100, nextToken: str | None = None) -> Row:  # noqa: N802, N803
        found = self._shelf.page(limit, int(nextToken or 0))
        return {"items": found.items, "nextToken": found.end if found.more else None}

    def countries(self, _: Any) -> list[Row]:
        return [found for found in self._shelf.rows if found]

    def orders(self, _: Any, page: int | None = None, size: int = 20) -> Row:
        found = self._shelf.numbered(size, page)
        said = {"totalElements": found.total, "totalPages": found.pages, "number": found.number}
        return {"content": found.items, **said}

    def public(self, _: Any) -> Row:
        return {"clients": self._clients}

    def _clients(self, _: Any, offset: int = 0, limit: int = 20) -> Row:
        found = self._shelf.page(limit, offset)
        return {"items": found.items, "has_more": found.more}

    def photos(self, _: Any, options: Row | None = None) -> Row:
        chosen = (options or {}).get("paginate") or {}
        found = self._shelf.numbered(chosen.get("limit", 10), chosen.get("page"))
        return {"data": found.items, "meta": {"totalCount": found.total}}

    def all_pets(self, info: Any, **arguments: Any) -> Row:
        found = self._relay(info, **arguments)
        said = {
            "has_next_page": found["pageInfo"]["hasNextPage"],
            "end_cursor": found["pageInfo"]["endCursor"],
        }
        return {"edges": found["edges"], "page_info": said, "total_count": found["totalCount"]}

    def allStores(self, _: Any, _size: int = 64, _cursor: str | None = None) -> Row:  # noqa: N802
        found = self._shelf.page(_size, int(_cursor or 0))
        return {"data": found.items, "after": found.end if found.more else None}

    def things(
        self,
        _: Any,
        first: int = 20,
        after: str | None = None,
        offset: int | None = None,
        page: int | None = None,
    ) -> Row:
        numbered = page is not None
        found = (
            self._shelf.numbered(first, page)
            if numbered
            else self._shelf.page(first, offset or int(after or 0))
        )
        cursor = found.end if found.more else None
        pages = found.pages
        return {
            "items": found.items,
            "total": found.total,
            **dict.fromkeys(("hasMore", "has_more"), found.more),
            **dict.fromkeys(("totalPages", "total_pages"), pages),
            **dict.fromkeys(("nextCursor", "next_cursor"), cursor),
        }

    def me(self, _: Any) -> Row:
        items = [found for found in self._shelf.rows[:3] if found]
        return {"name": "me", "posts": items, "tags": items, "address": {"city": "Bonn"}}


class ListServer:
    """The server, on a free port of loopback, in a `with`; `shelf` may be replaced while it runs.

    `asked` are the variables of each request. `broken` are answers to give in place of the next ones.
    """

    def __init__(self, shelf: Shelf | None = None) -> None:
        self.shelf = shelf or Shelf()
        self.asked: list[Row] = []
        self.broken: deque[Row] = deque()
        self.refuses_above: int | None = None  # a page size
        self.breaks_on: Row | None = None  # variables that are answered with 500
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                body = json.dumps(server.answer(payload)).encode()
                broken = server.breaks_on
                is_broken = broken is not None and broken.items() <= payload["variables"].items()
                self.send_response(500 if is_broken else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=lambda: self._http.serve_forever(0.01), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/graphql"

    def answer(self, payload: Row) -> Row:
        variables = payload.get("variables") or {}
        self.asked.append(variables)
        if self.broken:
            return self.broken.popleft()
        if self.refuses_above is not None and variables.get("first", 0) > self.refuses_above:
            return {"errors": [{"message": f"first may be {self.refuses_above} at most"}]}
        result = graphql_sync(SCHEMA, payload["query"], root(self.shelf), variable_values=variables)
        return dict(result.formatted)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(10)

"""Another API than TargetData: a bookshop with lookups, a list, an interface, and a token and a header."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from graphql import build_schema, graphql_sync

TOKEN, SHOP = "token-of-the-bookshop", "header-of-the-bookshop"
TORN = "torn"  # an item that the server fails on
SCHEMA = build_schema(
    """
    scalar DateTime
    enum Binding { HARD SOFT }
    interface Item { item_id: ID! title: String! }
    type Book implements Item { item_id: ID! title: String! binding: Binding pages: Int author: Author }
    type Record implements Item { item_id: ID! title: String! minutes: Float pages: String }
    type Author { name: String! born_at: DateTime books: [Book!]! }
    type PageInfo { has_next_page: Boolean! end_cursor: String }
    type ItemPage { nodes: [Item!]! page_info: PageInfo! }
    type Query {
      items(first: Int, after: String): ItemPage!
      books(limit: Int, offset: Int): [Book!]!
      item(item_id: ID!): Item
      shelf(name: String!): [Item!]!
    }
    """
)
ITEMS: list[dict[str, Any]] = [
    {"__typename": "Book", "item_id": str(n), "title": f"Book {n}", "binding": "SOFT", "pages": 100 + n}
    | {"author": {"name": f"Author {n % 3}", "born_at": "1950-01-01T00:00:00Z"}}
    if n % 4
    else {"__typename": "Record", "item_id": str(n), "title": f"Record {n}", "minutes": 40.5, "pages": "none"}
    for n in range(1, 31)
]
BOOKS = [item for item in ITEMS if item["__typename"] == "Book"]


class Query:
    """Root values: graphql-core calls them with the arguments."""

    def items(
        self, _: object, first: int = 7, after: str | None = None, binding: str | None = None
    ) -> object:
        found = [item for item in ITEMS if binding in (None, item.get("binding"))]
        begin = int(after or 0)
        end = begin + min(first, 7)
        info = {"has_next_page": end < len(found), "end_cursor": str(end)}
        return {"nodes": found[begin:end], "page_info": info}

    def books(self, _: object, limit: int = 5, offset: int = 0) -> object:
        return BOOKS[offset : offset + min(limit, 5)]

    def item(self, _: object, item_id: str) -> object:
        if item_id == TORN:
            raise ValueError("this one cannot be read")
        return next((item for item in ITEMS if item["item_id"] == item_id), None)

    def shelf(self, _: object, name: str) -> object:
        return ITEMS[: len(name)]


class Bookshop:
    """The server on loopback, in a `with`; `open_to_all` wants no token, `introspection` may be off."""

    def __init__(self, *, open_to_all: bool = False, introspection: bool = True) -> None:
        self.open_to_all = open_to_all
        self.introspection = introspection
        self.refused = 0
        self.documents: list[str] = []  # in the order in which they came
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, authorization: str | None, shop: str | None, asked: dict[str, Any]) -> dict[str, Any]:
        self.documents.append(asked["query"])
        if not self.open_to_all and (authorization, shop) != (f"Bearer {TOKEN}", SHOP):
            self.refused += 1
            return {"errors": [{"message": "who are you?"}]}
        if "__schema" in asked["query"] and not self.introspection:
            return {"errors": [{"message": "introspection is off"}]}
        answer = graphql_sync(SCHEMA, asked["query"], Query(), variable_values=asked.get("variables"))
        return dict(answer.formatted)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = shop._answer(self.headers.get("Authorization"), self.headers.get("X-Shop"), asked)
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

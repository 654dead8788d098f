"""Servers with lists that behave oddly: each a schema and a resolver, on a free port of loopback."""

from collections.abc import Callable
from typing import Any

from graphql import build_schema, graphql_sync

from resources.graphql.page import Page
from resources.graphql.plan import Paging
from resources.graphql.query import Query
from tests.engine.public_lists import ListServer, Row
from tests.engine.test_public_lists import pages

ROWS = [{"id": str(n), "name": f"name {n}"} for n in range(23)]


class OddServer(ListServer):
    """Answers one root field by a function of its arguments."""

    def __init__(self, sdl: str, resolve: Callable[..., object]) -> None:
        super().__init__()
        self.schema = build_schema(sdl)
        assert self.schema.query_type is not None
        self._root = {name: lambda _, **found: resolve(**found) for name in self.schema.query_type.fields}

    def answer(self, payload: Row) -> Row:
        variables = payload.get("variables") or {}
        self.asked.append(variables)
        return dict(
            graphql_sync(self.schema, payload["query"], self._root, variable_values=variables).formatted
        )

    def load(self, text: str, paging: Paging | None = None, identity: str | None = None) -> Query:
        return Query.parse(
            text, schema=self.schema, path="q.graphql", name="q", paging=paging, identity=identity
        )


def read(
    sdl: str,
    text: str,
    resolve: Callable[..., object],
    *,
    paging: Paging | None = None,
    page_size: int = 5,
    **variables: Any,
) -> tuple[list[Page], OddServer]:
    """Read a list to its end; give its pages, and the server for what it was asked."""
    with OddServer(sdl, resolve) as server:
        return pages(server, server.load(text, paging), page_size=page_size, **variables), server


def rows_of(found: list[Page]) -> list[Row]:
    return [row for page in found for row in page.tables["q"].drop_columns(["fetched_at"]).to_pylist()]


def notes_of(found: list[Page]) -> str:
    return " ".join(note for page in found for note in page.notes)

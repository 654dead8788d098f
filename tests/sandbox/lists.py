"""Lists of profiles in three usual forms: cursor, offset and page number."""

import re
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any

from tests.sandbox.people import Person


def changed(person: Person) -> datetime:
    """Give when a person changed, to the microsecond."""
    return moment(person["changeDate"])


def moment(text: str) -> datetime:
    """Read an instant."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text).replace("Z", "+00:00"))


class Lists:
    """Resolvers of the list fields over people in the order of their change."""

    def __init__(self, people: list[Person], max_page_size: int) -> None:
        self._people = sorted(people, key=lambda p: (changed(p), p["profileId"]))
        self._max = max_page_size

    def within(self, start: str | None, end: str | None) -> list[Person]:
        """Give the people who changed from start to before end."""
        first = moment(start) if start else None
        last = moment(end) if end else None
        return [
            p
            for p in self._people
            if (first is None or changed(p) >= first) and (last is None or changed(p) < last)
        ]

    def connection(self, first: int, after: str | None, start: str | None, end: str | None) -> dict[str, Any]:
        """Give a page behind a cursor."""
        found = self.within(start, end)
        begin = _position(after) if after else 0
        page = found[begin : begin + min(first, self._max)]
        last = begin + len(page)
        return {
            "edges": [{"cursor": _cursor(begin + i + 1), "node": person} for i, person in enumerate(page)],
            "nodes": page,
            "pageInfo": {"hasNextPage": last < len(found), "endCursor": _cursor(last) if page else None},
            "totalCount": len(found),
        }

    def offset(self, offset: int, limit: int, start: str | None, end: str | None) -> dict[str, Any]:
        """Give a page at an offset."""
        found = self.within(start, end)
        return {"items": found[offset : offset + min(limit, self._max)], "totalCount": len(found)}

    def numbered(self, page: int, size: int) -> dict[str, Any]:
        """Give the page of a number, from 1."""
        size = min(size, self._max)
        total = -(-len(self._people) // size)
        items = self._people[(page - 1) * size : page * size]
        return {"items": items, "page": page, "totalPages": total, "hasMore": page < total}


def _cursor(position: int) -> str:
    return b64encode(f"position:{position}".encode()).decode()


def _position(cursor: str) -> int:
    return int(b64decode(cursor).decode().removeprefix("position:"))

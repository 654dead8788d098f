"""Answers as bytes, joined from rows that are text already."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tests.benchmarks.asked import CURSOR, LOOKUP, Root, roots
from tests.benchmarks.rows import Rows

PING = b'{"data":{"__typename":"Query"}}'


@dataclass(slots=True)
class Answer:
    """A body, how many rows are in it, and the keys asked for: numbers of rows, or nobody's texts."""

    body: bytes
    rows: int = 0
    keys: tuple[int | str, ...] = ()


class Answers:
    """Answers requests from rows; every profile is answered whole, whatever is selected of it."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def answer(self, document: str, variables: Mapping[str, object]) -> Answer:
        """Give the answer to a document of lookups, or of one list."""
        found = roots(document)
        if not found:
            return Answer(PING if "__typename" in document else _error("nothing that is known is asked for"))
        if found[0].field == LOOKUP:
            return self._lookups(found, variables)
        try:
            return self._list(document, found[0], variables)
        except (TypeError, ValueError):
            return Answer(_error("the arguments of the list are no numbers"))

    def _lookups(self, found: tuple[Root, ...], variables: Mapping[str, object]) -> Answer:
        umids = [str(root.value("umid", variables)) for root in found]
        keys = tuple(self._rows.index(umid) for umid in umids)
        texts = [
            b'"%b":%b' % (root.alias.encode(), b"null" if isinstance(key, str) else self._rows.text(key))
            for root, key in zip(found, keys, strict=True)
        ]
        rows = sum(isinstance(key, int) for key in keys)
        return Answer(b'{"data":{%b}}' % b",".join(texts), rows, keys)

    def _list(self, document: str, root: Root, variables: Mapping[str, object]) -> Answer:
        is_cursor = root.field == CURSOR
        start = int(str(root.value("after" if is_cursor else "offset", variables) or 0))
        size = int(str(root.value("first" if is_cursor else "limit", variables)))
        stop = min(start + size, self._rows.number)
        signals = b""
        if is_cursor:
            more = b"true" if stop < self._rows.number else b"false"
            signals += b'"pageInfo":{"hasNextPage":%b,"endCursor":"%d"},' % (more, stop)
        if "totalCount" in document:
            signals += b'"totalCount":%d,' % self._rows.number
        body = b'{"data":{"%b":{%b"%b":[%b]}}}' % (
            root.alias.encode(),
            signals,
            b"nodes" if is_cursor else b"items",
            self._rows.joined(start, stop),
        )
        return Answer(body, max(0, stop - start))


def _error(message: str) -> bytes:
    return json.dumps({"errors": [{"message": message}]}).encode()

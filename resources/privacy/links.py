"""Which row of a page each of its lookups leads to, and pages without some of their rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from resources.graphql.page import Page
from resources.graphql.query import Query
from resources.graphql.sending.answer import ServerError
from resources.graphql.tables import LOOKUPS
from resources.graphql.texts import joined

Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Links:
    """`identities` are those of the lookups; `rows` are places of rows, -1 for none in this page."""

    identities: Sequence[str | None]
    rows: npt.NDArray[np.int64]

    @classmethod
    def of(cls, query: Query, identity: str | None, page: Page) -> "Links":
        """Find them: by the identity, and in their order where there is none."""
        own, lookups = page.tables[query.name], page.tables[query.name + LOOKUPS]
        found = pc.equal(lookups["status"], "found").to_numpy()
        rows = np.full(len(found), -1, np.int64)
        texts = own[identity].cast(pa.string()) if identity else pa.chunked_array([], pa.string())
        unnamed = np.flatnonzero(pc.is_null(texts).to_numpy()) if identity else np.arange(own.num_rows)
        named = pc.is_valid(lookups["identity"]).to_numpy()
        rows[found & ~named] = unnamed  # each such key has a row of its own
        if identity:
            places = pc.index_in(lookups["identity"], value_set=texts.combine_chunks(), skip_nulls=True)
            rows[named] = pc.fill_null(places, -1).to_numpy()[named]
        return cls(lookups["identity"].to_pylist(), rows)

    def to_rows(self, lookups: Marks, number: int) -> Marks:
        """Mark the rows that marked lookups lead to."""
        marks = np.zeros(number, np.bool_)
        marks[self.rows[lookups & (self.rows >= 0)]] = True
        return marks

    def to_lookups(self, rows: Marks) -> Marks:
        """Mark the lookups that lead to marked rows."""
        marks: Marks = np.append(rows, False)[self.rows]  # the last one for those that lead to none
        return marks


def without_rows(query: Query, tables: Mapping[str, pa.Table], gone: Marks) -> dict[str, pa.Table]:
    """Leave rows out of an extract's own table, and their elements out of the tables of its lists."""
    own = tables[query.name]
    left = {**tables, query.name: own.filter(pa.array(~gone))}
    keys = next((list(child.keys) for child in query.children if child.parent == query.name), [])
    theirs = joined(own.filter(pa.array(gone)).select(keys)).combine_chunks() if keys else None
    for child in query.children:
        elements = tables[child.name]
        left[child.name] = elements.filter(
            pc.invert(pc.is_in(joined(elements.select(keys)), value_set=theirs))
        )
    return left


def with_fewer_found(page: Page, lookups: pa.Table, tables: Mapping[str, pa.Table]) -> Page:
    """Give a page without some of its lookups, which are counted as suppressed."""
    counts = Counter(lookups["status"].to_pylist())
    codes = lookups.filter(pc.equal(lookups["status"], "failed"))["code"].to_pylist()
    return replace(
        page,
        tables=tables,
        found=page.found - counts["found"],
        filtered=page.filtered - counts["filtered"],
        not_found=page.not_found - counts["not_found"],
        failures=page.failures - Counter(ServerError("", code or "", ()).plain_code for code in codes),
        suppressed=page.suppressed + lookups.num_rows,
    )

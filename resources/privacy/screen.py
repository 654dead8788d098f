"""What every page of a run passes before anything of it is stored."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resources.errors import ErasedMeanwhile
from resources.graphql.page import Page
from resources.graphql.paging.identities import Identities
from resources.graphql.paging.keys import sorted_keys
from resources.graphql.plan import Keyed
from resources.graphql.tables import LOOKUPS
from resources.privacy.keys import suppressed_keys, without_suppressed
from resources.privacy.links import Links, Marks, with_fewer_found, without_rows
from resources.privacy.pseudonyms import Pseudonyms, replaced
from resources.privacy.rules import TEST_PROFILE, Privacy, TestProfiles
from resources.privacy.suppression import Suppression

FILTERED = "filtered"
AGAIN_SECONDS = 1.0
NAMES_PERSON = re.compile(r"(.+_)?id")


class Screen:
    """Keeps people out of the pages of one run, and replaces texts by pseudonyms; pages come in their order.

    Only the first key of an identity brings its row. So whoever was left out is remembered, and later keys
    that lead there are too. `key` is that of the pseudonyms; without any it may be missing.
    """

    def __init__(self, privacy: Privacy, suppression: Suppression, key: str) -> None:
        query = privacy.query
        self._query = query
        self._privacy = privacy
        self._suppression = suppression
        self._pseudonyms = Pseudonyms(key) if privacy.pseudonyms else None
        self._identity = query.identity_column
        self._naming = [
            field.name for field in query.tables[query.name] if _names_person(field, self._identity)
        ]
        self._filtered, self._suppressed = Identities(), Identities()

    @property
    def says(self) -> str:
        """Say what is done, for the files' footers, and which key the pseudonyms are made with."""
        check = f" (key {self._pseudonyms.check})" if self._pseudonyms else ""
        return self._privacy.says + check

    @property
    def digest(self) -> str:
        """Name all that the pages depend on here; empty where nothing is done to them."""
        suppressed = self._suppression.digest
        return f"{self._privacy.hash} {self.says} {suppressed}" if self.says or suppressed else ""

    def require_current(self, suppression: Suppression) -> None:
        """Raise ErasedMeanwhile where the list is another by now: what is staged may have people on it."""
        if suppression.digest != self._suppression.digest:
            raise ErasedMeanwhile(
                f"people were put on the suppression list while {self._query.name} was extracted: nothing of "
                "it is published, what was staged is dropped, and it is asked for again without them",
                after_seconds=AGAIN_SECONDS,
            )

    def left(self, keys: object) -> tuple[object, int]:
        """Leave suppressed keys out, before anything is asked; say how many."""
        plan = self._query.plan
        if not len(self._suppression) or not isinstance(plan, Keyed):
            return keys, 0
        table = sorted_keys(keys, plan)
        left = without_suppressed(self._suppression, table, plan)
        return left, table.num_rows - left.num_rows

    def page(self, page: Page) -> Page:
        """Give what may be stored of a page."""
        if len(self._suppression):
            page = self._without_suppressed(page)
        if self._privacy.permission or self._privacy.test_profiles is TestProfiles.EXCLUDE:
            page = self._without_filtered(page)
        if self._pseudonyms:
            page = replace(page, tables=self._pseudonymised(page.tables, self._pseudonyms))
        return page

    def _without_suppressed(self, page: Page) -> Page:
        own = page.tables[self._query.name]
        gone = reduce(np.logical_or, [self._on_list(name, own[name]) for name in self._naming], _none(own))
        if not isinstance(self._query.plan, Keyed):
            number = int(gone.sum())
            tables = self._left(page.tables, gone)
            return replace(
                page, tables=tables, found=page.found - number, suppressed=page.suppressed + number
            )
        lookups = page.tables[self._query.name + LOOKUPS]
        links = Links.of(self._query, self._identity, page)
        marks = pc.fill_null(suppressed_keys(self._suppression, lookups, self._query.plan), False)
        keys = marks.to_numpy(zero_copy_only=False) | self._is_known(links, page, self._suppressed)
        if self._identity:
            keys |= self._on_list(self._identity, lookups["identity"])
        gone |= links.to_rows(keys, own.num_rows)
        keys |= links.to_lookups(gone)
        if not keys.any():
            return page
        self._remember(links, page, keys, self._suppressed)
        tables = self._left(page.tables, gone)
        tables[self._query.name + LOOKUPS] = lookups.filter(pa.array(~keys))
        return with_fewer_found(page, lookups.filter(pa.array(keys)), tables)

    def _without_filtered(self, page: Page) -> Page:
        own = page.tables[self._query.name]
        gone = self._unwanted(page.tables, own)
        if not isinstance(self._query.plan, Keyed):
            number = int(gone.sum())
            tables = self._left(page.tables, gone)
            return replace(page, tables=tables, found=page.found - number, filtered=page.filtered + number)
        links = Links.of(self._query, self._identity, page)
        keys = links.to_lookups(gone) | self._is_known(links, page, self._filtered)
        if not keys.any():
            return page
        self._remember(links, page, keys, self._filtered)
        tables = self._left(page.tables, gone)
        tables[self._query.name + LOOKUPS] = _marked(page.tables[self._query.name + LOOKUPS], keys)
        number = int(keys.sum())
        return replace(page, tables=tables, found=page.found - number, filtered=page.filtered + number)

    def _unwanted(self, tables: Mapping[str, pa.Table], own: pa.Table) -> Marks:
        gone = _none(own)
        if self._privacy.test_profiles is TestProfiles.EXCLUDE:
            gone |= pc.fill_null(own[TEST_PROFILE], False).to_numpy()
        if self._privacy.permission:
            gone |= ~self._privacy.permission.granted(tables, own)
        return gone

    def _left(self, tables: Mapping[str, pa.Table], gone: Marks) -> dict[str, pa.Table]:
        return without_rows(self._query, tables, gone) if gone.any() else dict(tables)

    def _pseudonymised(self, tables: Mapping[str, pa.Table], pseudonyms: Pseudonyms) -> dict[str, pa.Table]:
        found = dict(tables)
        for place in self._privacy.pseudonyms:
            found[place.table] = replaced(found[place.table], place.path, pseudonyms.of)
        return found

    def _on_list(self, kind: str, values: pa.ChunkedArray) -> Marks:
        marks: Marks = self._suppression.holds(kind, values).to_numpy(zero_copy_only=False)
        return marks

    def _is_known(self, links: Links, page: Page, known: Identities) -> Marks:
        return np.array(known.known(_in_group(links, page)), np.bool_)

    def _remember(self, links: Links, page: Page, keys: Marks, known: Identities) -> None:
        known.fresh(name for name, gone in zip(_in_group(links, page), keys, strict=True) if gone)


def _names_person(field: pa.Field, identity: str | None) -> bool:
    is_name = pa.types.is_string(field.type) or pa.types.is_integer(field.type)
    return field.name == identity or (is_name and bool(NAMES_PERSON.fullmatch(field.name)))


def _none(rows: pa.Table) -> Marks:
    return np.zeros(rows.num_rows, np.bool_)


def _in_group(links: Links, page: Page) -> list[str | None]:
    """Name identities in the page's group of keys: in each the first key brings the row."""
    return [None if identity is None else f"{page.group or ''}:{identity}" for identity in links.identities]


def _marked(lookups: pa.Table, filtered: Marks) -> pa.Table:
    """Say of lookups that their row is left out, and not whose it was."""
    marks = pa.array(filtered)
    status = pc.if_else(marks, FILTERED, lookups["status"])
    identity = pc.if_else(marks, pa.scalar(None, pa.string()), lookups["identity"])
    for name, column in (("status", status), ("identity", identity)):
        place = lookups.schema.get_field_index(name)
        lookups = lookups.set_column(place, lookups.schema.field(place), column)
    return lookups

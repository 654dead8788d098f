"""Keys of several partitions in one extraction: each distinct key asked once, its row in each partition."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import ConfigurationError
from resources.graphql.page import Page, Tally
from resources.graphql.paging.keys import GroupedKeys, asked_keys
from resources.graphql.plan import Keyed
from resources.graphql.query import Query
from tests.conftest import PROFILES_QUERY, SCHEMA, Connect
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_lookups, expected_profiles, lookups, plain

DAYS = [str(day) for day in last_days(4)]
FAULTS = ["429", "503", "truncated"]
KEYS = st.lists(st.text("abcdeä😀", max_size=2), max_size=8)
GROUPS = st.dictionaries(st.text(max_size=2), KEYS, min_size=1)


def keys_of(sandbox: Sandbox) -> dict[str, list[str]]:
    """Give each day's umids, and a day that has none."""
    return {day: sandbox.umids_of(date) for day, date in zip(DAYS, last_days(4), strict=True)} | {"empty": []}


def by_group(pages: list[Page], table: str) -> dict[str | None, pa.Table]:
    groups = {page.group for page in pages}
    return {g: pa.concat_tables([p.tables[table] for p in pages if p.group == g]) for g in groups}


@pytest.mark.parametrize("faulty", [False, True])
def test_each_group_gets_what_its_keys_alone_would_and_each_key_is_answered_once(
    faulty: bool, sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    if faulty:
        sandbox.faults.every, sandbox.faults.kinds, sandbox.faults.retry_after = 7, FAULTS, 0.1
    keys = keys_of(sandbox)
    pages = list(connect(sandbox).pages(profiles_query, keys=GroupedKeys(keys)))
    rows, found = by_group(pages, "profiles"), by_group(pages, "profiles__lookups")
    assert rows.keys() == found.keys() == keys.keys()
    for group, umids in keys.items():
        assert plain(rows[group]) == expected_profiles(sandbox, umids)
        assert lookups(found[group]) == expected_lookups(sandbox, umids)
        assert rows[group].schema.equals(profiles_query.tables["profiles"])
    distinct = {umid for umids in keys.values() for umid in umids}
    assert sandbox.answers == dict.fromkeys(distinct, 1)
    assert len(distinct) < sum(map(len, keys.values()))
    assert {r.fault for r in sandbox.requests if r.fault} == set(FAULTS if faulty else [])
    assert sum(page.counts.lookups for page in pages) == len(distinct)


def test_each_groups_pages_add_up(sandbox: Sandbox, connect: Connect, profiles_query: Query) -> None:
    keys = keys_of(sandbox)
    tallies = {group: Tally() for group in keys}
    for page in connect(sandbox).pages(profiles_query, keys=GroupedKeys(keys)):
        assert page.group is not None
        tallies[page.group].add(page)
    for group, tally in tallies.items():
        tally.check(max_failed=0)
        assert tally.asked == tally.total == len(keys[group])
    requests = sum(tally.counts.requests for tally in tallies.values())
    assert requests == sum(r.path == "/graphql" for r in sandbox.requests)


def test_a_person_whose_identifiers_are_in_different_groups_has_a_row_in_each(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sorted(i for i in sandbox._graph._by_umid)
    by_person: dict[str, list[str]] = {}
    for umid in umids:
        by_person.setdefault(sandbox.person_of(umid)["profileId"], []).append(umid)
    person, (first, second, *_) = next((p, u) for p, u in by_person.items() if len(u) > 1)
    keys = GroupedKeys({"one": [first], "two": [second], "both": [first, second]})
    rows = by_group(list(connect(sandbox).pages(profiles_query, keys=keys)), "profiles")
    assert {group: table["profile_id"].to_pylist() for group, table in rows.items()} == {
        "one": [person],
        "two": [person],
        "both": [person],
    }


def test_without_an_identity_each_group_has_a_row_for_each_of_its_keys(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    query = Query.load(PROFILES_QUERY, schema=SCHEMA)
    keys = keys_of(sandbox)
    rows = by_group(list(connect(sandbox).pages(query, keys=GroupedKeys(keys))), "profiles")
    for group, umids in keys.items():
        assert rows[group]["umid"].to_pylist() == [u for u in umids if sandbox.person_of(u)]


@given(groups=GROUPS)
def test_the_distinct_keys_are_sorted_and_know_their_groups(
    groups: dict[str, list[str]], profiles_query: Query
) -> None:
    assert isinstance(profiles_query.plan, Keyed)
    asked = asked_keys(GroupedKeys(groups), profiles_query.plan)
    keys = asked.keys["umid"].to_pylist()
    assert keys == sorted({key for of_group in groups.values() for key in of_group})
    half = len(keys) // 2
    first, second = asked.members_of(0, half), asked.members_of(half, len(keys) - half)
    for position, name in enumerate(asked.groups):
        members = [keys[i] for i in first[position]] + [keys[half + i] for i in second[position]]
        assert name is not None
        assert members == sorted(set(groups[name]))
        assert asked.sizes[position] == len(members)


def test_no_groups_at_all_are_refused(profiles_query: Query) -> None:
    assert isinstance(profiles_query.plan, Keyed)
    with pytest.raises(ConfigurationError, match="there is no group of keys"):
        asked_keys(GroupedKeys({}), profiles_query.plan)

"""Extraction by key: tables equal what the sandbox holds, whatever the server does in between."""

import pytest

from resources.graphql.query import Query
from tests.conftest import Connect
from tests.local import last_days
from tests.sandbox import Faults, Sandbox
from tests.truth import expected_lookups, expected_profiles, extract, lookups, plain

DAY = last_days()[-1]
EVERY_FAULT = [
    "429",
    "429-date",
    "500",
    "502-html",
    "503",
    "drop",
    "truncated",
    "truncated-json",
    "html",
    "empty",
]


def all_umids(sandbox: Sandbox) -> list[str]:
    return sorted({umid for day in last_days() for umid in sandbox.umids_of(day)})


def test_the_tables_equal_what_the_sandbox_holds(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)
    profiles, found, tally = extract(connect(sandbox), profiles_query, umids)
    assert plain(profiles) == expected_profiles(sandbox, umids)
    assert lookups(found) == expected_lookups(sandbox, umids)
    assert profiles.schema.equals(profiles_query.tables["profiles"])
    tally.check(max_failed=0)
    assert tally.asked == len(umids) > tally.found > 0 < tally.not_found


@pytest.mark.journey
def test_faults_and_short_tokens_change_nothing_and_each_key_is_answered_once(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = all_umids(sandbox)
    expected = extract(connect(sandbox), profiles_query, umids)
    faults = Faults(every=10, kinds=EVERY_FAULT, retry_after=0.2, latency=0.02)
    with Sandbox(people=200, seed=7, token_seconds=2.0, claimed_seconds=3600, faults=faults) as faulty:
        profiles, found, tally = extract(connect(faulty, max_batch=2), profiles_query, umids)
    assert faulty.answers == dict.fromkeys(umids, 1)
    assert {r.fault for r in faulty.requests if r.fault} == set(EVERY_FAULT)
    assert any(r.status == 401 for r in faulty.requests), "the token ended before it said"
    assert plain(profiles) == plain(expected[0])
    assert lookups(found) == lookups(expected[1])
    assert tally.counts.retries["unavailable"] >= len(EVERY_FAULT) - 2


@pytest.mark.parametrize("refusal", ["400", "200-message", "413-html"])
def test_a_batch_with_too_many_aliases_is_split(
    refusal: str, sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)
    sandbox.faults.max_aliases, sandbox.faults.alias_refusal = 1, refusal
    profiles, _, _ = extract(connect(sandbox), profiles_query, umids)
    assert plain(profiles) == expected_profiles(sandbox, umids)
    assert set(sandbox.answers.values()) == {1}
    assert 2 <= max(r.aliases for r in sandbox.requests) <= 4, "the first step, and none after it"


def test_a_batch_that_is_too_complex_is_split(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)
    sandbox.faults.max_complexity = 50  # of some forty fields a key
    _, found, _ = extract(connect(sandbox), profiles_query, umids)
    assert lookups(found) == expected_lookups(sandbox, umids)


def test_keys_are_asked_sorted_once_and_without_nulls(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)[:5]
    _, found, tally = extract(connect(sandbox), profiles_query, [umids[3], None, *umids, umids[0]])  # type: ignore[list-item]
    assert [row["umid"] for row in found.to_pylist()] == sorted(umids)
    assert tally.asked == 5


def test_no_keys_give_typed_empty_tables_and_no_request(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    profiles, found, tally = extract(connect(sandbox), profiles_query, [])
    assert (profiles.num_rows, found.num_rows, tally.asked) == (0, 0, 0)
    assert profiles.schema.equals(profiles_query.tables["profiles"])
    assert sandbox.requests == []


def test_three_lines_give_a_frame_in_a_notebook(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)[:20]
    frame = connect(sandbox).table(profiles_query, keys=umids).to_pandas()
    assert list(frame["profile_id"]) == [row["profile_id"] for row in expected_profiles(sandbox, umids)]

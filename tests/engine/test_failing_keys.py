"""Failures beside good answers: laid on a key only where it is the key's own, and on no other."""

import pytest

from resources.errors import QueryError, ServerUnavailable, TooManyFailed
from resources.graphql.query import Query
from tests.conftest import Connect
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_lookups, expected_profiles, extract, lookups, plain

DAY = last_days()[-1]


def test_a_key_whose_alias_failed_is_asked_again_alone_and_the_others_are_not(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)
    once, nested = umids[40], umids[41]
    sandbox.faults.alias_errors, sandbox.faults.nested_errors = {once: 1}, {nested: 1}
    sandbox.faults.latency = 0.02
    profiles, found, tally = extract(connect(sandbox), profiles_query, umids)
    assert plain(profiles) == expected_profiles(sandbox, umids)
    assert lookups(found) == expected_lookups(sandbox, umids)
    attempts = {row["umid"]: row["attempts"] for row in found.to_pylist()}
    assert {umid for umid, number in attempts.items() if number == 2} == {once, nested}
    assert set(sandbox.answers.values()) == {1}
    tally.check(max_failed=0)


def test_a_key_that_goes_on_failing_is_failed_with_code_and_message_and_stops_the_publication(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)
    sandbox.faults.alias_errors, sandbox.faults.alias_error_code = {umids[7]: -1}, "DATA_FETCHING"
    _, found, tally = extract(connect(sandbox), profiles_query, umids)
    failed = [row for row in found.to_pylist() if row["status"] == "failed"]
    assert [(r["umid"], r["code"], r["attempts"]) for r in failed] == [(umids[7], "DATA_FETCHING", 3)]
    assert failed[0]["message"]
    with pytest.raises(TooManyFailed, match=rf"1 of {len(umids)} keys failed \(1 DATA_FETCHING\), 0 may"):
        tally.check(max_failed=0)
    tally.check(max_failed=1)


def test_a_key_that_breaks_the_server_is_found_alone_and_the_others_are_answered(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)
    sandbox.faults.poison, sandbox.faults.latency = [umids[30]], 0.02
    _, found, _ = extract(connect(sandbox, max_attempts=3), profiles_query, umids)
    failed = [row["umid"] for row in found.to_pylist() if row["status"] == "failed"]
    assert failed == [umids[30]]


@pytest.mark.parametrize("pathless", [False, True])
def test_an_error_beside_data_costs_no_key_its_answer(
    pathless: bool, sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)
    found = [umid for umid in umids if sandbox.person_of(umid)]
    sandbox.faults.alias_errors, sandbox.faults.pathless = dict.fromkeys(found[::5], 1), pathless
    profiles, outcomes, _ = extract(connect(sandbox), profiles_query, umids)
    assert plain(profiles) == expected_profiles(sandbox, umids)
    assert lookups(outcomes) == expected_lookups(sandbox, umids)


def test_an_answer_without_the_fields_that_were_asked_for_is_never_taken_for_nobody(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)
    sandbox.faults.every, sandbox.faults.kinds = 4, ["no-fields"]
    _, outcomes, _ = extract(connect(sandbox), profiles_query, umids)
    wrong = set(lookups(outcomes)) - set(expected_lookups(sandbox, umids))
    assert {status for _, status, _ in wrong} <= {"failed"}
    assert any(r.fault for r in sandbox.requests)


@pytest.mark.parametrize(("code", "kind"), [("THROTTLED", "throttled"), ("UNAUTHENTICATED", "unauthorized")])
def test_a_code_on_the_only_alias_is_about_the_request_not_the_key(
    code: str, kind: str, sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)[:6]
    sandbox.faults.alias_errors, sandbox.faults.alias_error_code = {umids[0]: 1, umids[3]: 1}, code
    _, outcomes, tally = extract(connect(sandbox, max_batch=1), profiles_query, umids)
    assert lookups(outcomes) == expected_lookups(sandbox, umids)
    assert tally.counts.retries[kind] == 2


def test_a_key_that_may_not_be_seen_fails_alone(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)
    sandbox.faults.alias_errors, sandbox.faults.alias_error_code = {umids[12]: -1}, "UNAUTHORIZED"
    _, outcomes, tally = extract(connect(sandbox), profiles_query, umids)
    assert [(key, status) for key, status, _ in lookups(outcomes) if status == "failed"] == [
        (umids[12], "failed")
    ]
    assert tally.failed == 1


def test_seldom_refusals_do_not_make_batches_smaller(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    faults = sandbox.faults
    faults.every, faults.kinds, faults.latency = 8, ["graphql-error"], 0.2
    extract(connect(sandbox, max_batch=2), profiles_query, sandbox.umids_of(DAY)[:60])
    assert sum(r.fault is not None for r in sandbox.requests) >= 3
    assert sum(r.aliases == 2 for r in sandbox.requests) >= 15  # of 30 at most


def test_an_outage_that_ends_is_laid_on_no_key_and_batches_grow_again(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)
    pages = connect(sandbox, max_attempts=3, max_in_flight=1, max_batch=4).pages(profiles_query, keys=umids)
    sandbox.faults.latency = 0.03  # so that batches have grown by then, on a busy machine too
    sandbox.faults.outage_after, sandbox.faults.outage = 12, 10
    statuses = [row["status"] for page in pages for row in page.tables["profiles__lookups"].to_pylist()]
    assert set(statuses) == {"found", "not_found"}
    assert sandbox.answers == dict.fromkeys(umids, 1)
    last_failure = max(index for index, r in enumerate(sandbox.requests) if r.status == 503)
    assert max(r.aliases for r in sandbox.requests[last_failure + 1 :]) > 1


def test_neighbours_that_break_the_server_fail_alone_if_it_answers_others(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.graphql.sending.retry.BACKOFF", lambda _: 0.01)
    umids = sandbox.umids_of(DAY)
    sandbox.faults.poison = umids[-6:]
    _, outcomes, tally = extract(connect(sandbox, max_attempts=2), profiles_query, umids)
    assert sorted(key for key, status, _ in lookups(outcomes) if status == "failed") == sorted(umids[-6:])
    assert tally.failed == 6


def test_what_lies_behind_a_server_that_is_up_may_be_out(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.graphql.sending.retry.BACKOFF", lambda _: 0.01)
    umids = sandbox.umids_of(DAY)
    pages = connect(sandbox, max_attempts=2).pages(profiles_query, keys=umids)
    sandbox.faults.poison_after, sandbox.faults.poison = 10, umids
    with pytest.raises(ServerUnavailable, match="went on failing: POST /graphql answered 500"):
        list(pages)


def test_an_outage_that_lasts_is_left_to_the_orchestrator(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    sandbox.faults.outage_after, sandbox.faults.outage = 12, 10_000
    with pytest.raises(ServerUnavailable, match="went on failing: POST /graphql answered 503"):
        extract(connect(sandbox, max_attempts=2), profiles_query, sandbox.umids_of(DAY))


def test_what_a_server_says_of_a_profile_is_not_repeated(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)[:5]
    sandbox.faults.alias_errors = dict.fromkeys(umids, -1)
    sandbox.faults.alias_error_message = f"no access to {umids[0].upper()} of jane.doe@example.com"
    sandbox.faults.alias_error_code = f"NO_{umids[1]}"
    with pytest.raises(QueryError, match=r"refuses the query: an error of \d+ characters") as caught:
        extract(connect(sandbox), profiles_query, umids)
    said = str(caught.value)
    assert "jane" not in said
    assert not any(umid.lower() in said.lower() for umid in umids)


def test_a_server_that_is_down_is_not_laid_on_the_keys(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    sandbox.faults.status = 503
    said = r"went on failing: POST /graphql answered 503.*\. Attempts: 3, over [0-9]+ s"
    with pytest.raises(ServerUnavailable, match=said):  # two for the key, one for what any server answers
        extract(connect(sandbox, max_attempts=2), profiles_query, ["a", "b"])


def test_what_came_before_a_failure_is_given_before_it_is_raised(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    sandbox.faults.outage_after, sandbox.faults.outage = 12, 10_000
    asked = 0
    with pytest.raises(ServerUnavailable):
        for page in connect(sandbox, max_attempts=2, max_batch=2).pages(
            profiles_query, keys=sandbox.umids_of(DAY)
        ):
            asked += page.asked
    assert asked > len(sandbox.answers) / 2 > 0


def test_what_came_before_a_pause_is_given_while_it_lasts(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.graphql.paging.batches.PAGE_SECONDS", 0.2)
    faults = sandbox.faults
    faults.every, faults.kinds, faults.retry_after = 10, ["429"], 20.0
    pages = connect(sandbox, max_in_flight=1, max_batch=4).pages(profiles_query, keys=sandbox.umids_of(DAY))
    asked = 0
    while not any(request.status == 429 for request in sandbox.requests):
        asked += next(pages).asked
    if asked < len(sandbox.answers):
        asked += next(pages).asked
    assert asked == len(sandbox.answers)
    assert sandbox.requests[-1].status == 429, "the pause is not over"
    pages.close()  # type: ignore[attr-defined]

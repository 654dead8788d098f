"""(b) Each fault of the sandbox alone, and all together: the tables are what the sandbox holds."""

import time

import pytest

from resources.graphql.query import Query
from tests.chaos.figures import show
from tests.conftest import Connect
from tests.sandbox import Sandbox
from tests.sandbox.faults import GOOD, KINDS
from tests.truth import expected_lookups, expected_profiles, extract, lookups, plain

SHARE = 0.05  # of each kind, of all answers
MOST_FAILED = 0.02  # where four of five answers are faults
WHOLE_SECONDS = ["429-date"]  # a date has no smaller unit: each takes a second
FAULTS = [kind for kind in KINDS if kind != GOOD]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.graphql.sending.retry.BACKOFF", lambda _: 0.002)
    monkeypatch.setattr("resources.graphql.paging.lookup.PAUSE_SECONDS", 0.002)
    monkeypatch.setattr("resources.graphql.sending.throttle.FIRST_PAUSE_SECONDS", 0.002)


@pytest.mark.parametrize(
    ("number", "share", "every"),
    [(150, 0.0, 9), pytest.param(20_000, SHARE, 0, marks=pytest.mark.chaos)],
    ids=["short", "long"],
)
def test_tables_are_the_truth_under_each_fault_and_all_of_them(
    number: int, share: float, every: int, connect: Connect, profiles_query: Query
) -> None:
    with Sandbox(people=number, seed=5) as sandbox:
        umids = sorted(sandbox._umids)[:number]
        rows, found = expected_profiles(sandbox, umids), dict(_by_key(expected_lookups(sandbox, umids)))
        for kinds in [*([kind] for kind in FAULTS), FAULTS]:
            sandbox.clear()
            sandbox.faults.kinds, sandbox.faults.retry_after = kinds, 0.002
            sandbox.faults.share = share * len(kinds)  # they take turns
            sandbox.faults.every = every * (5 if kinds == WHOLE_SECONDS else 1)
            began = time.monotonic()
            api = connect(sandbox, max_batch=10, max_attempts=100)
            profiles, outcomes, tally = extract(api, profiles_query, umids)
            faults = sum(request.fault is not None for request in sandbox.requests)
            show(
                " + ".join(kinds) if len(kinds) == 1 else "all faults together",
                keys=number,
                requests=len(sandbox.requests),
                faults=faults,
                failed=tally.failed,
                seconds=round(time.monotonic() - began, 1),
            )
            assert faults
            said = dict(_by_key(lookups(outcomes)))
            wrong = {key for key in umids if said[key] != found[key]}
            assert {said[key][0] for key in wrong} <= {"failed"}
            if len(kinds) == 1 or not share:  # alone, none comes three times in a row for one key
                assert not wrong
                assert plain(profiles) == rows
            assert len(wrong) == tally.failed <= MOST_FAILED * number
            assert max(sandbox.answers.values()) == 1, "no key is answered twice"


def _by_key(rows: list[tuple[str, str, str | None]]) -> list[tuple[str, tuple[str, str | None]]]:
    return [(key, (status, identity)) for key, status, identity in rows]

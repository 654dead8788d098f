"""A run that was ended goes on where it was: what is staged is not asked again, and nothing else differs."""

import importlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import islice
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.extraction import open_slice
from pipelines.extraction.staging import Staging
from resources.errors import AccountingError, ConfigurationError, TooManyFailed
from resources.graphql.page import Tally, read_max_failed
from resources.graphql.paging.keys import GroupedKeys
from resources.graphql.query import Query
from resources.graphql.texts import joined
from resources.lake import stage as stage_module
from resources.lake.slices import Slice
from resources.lake.stage import RESUMABLE, Started
from resources.targetdata import TargetDataResource
from tests.conftest import ROOT, Connect
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_lookups, expected_profiles, lookups, plain

DAY, OTHER_DAY = last_days(2)
Stage = Callable[..., Staging]


@pytest.fixture
def umids(sandbox: Sandbox) -> list[str]:
    return sandbox.umids_of(DAY)


@pytest.fixture
def connect(connect: Connect) -> Connect:
    """Ask for one key at a time, so that pages and slices have the same keys on any machine."""
    return lambda sandbox, **settings: connect(sandbox, **({"max_batch": 1} | settings))


@pytest.fixture
def stage(tmp_path: Path, profiles_query: Query, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Open what a run gathers its pages in; slices are of 20 keys."""
    monkeypatch.setattr(open_slice, "SLICE_KEYS", 20)
    monkeypatch.setattr("resources.graphql.paging.batches.PAGE_KEYS", 5)
    numbers = iter(range(100))

    def opened(*groups: str, query: Query = profiles_query, partition: str = "") -> Staging:
        return Staging(
            tmp_path, query, groups or [""], run=f"run-{next(numbers)}", partitions=groups or [partition]
        )

    return opened


def take(
    api: TargetDataResource, query: Query, staging: Staging, pages: int | None = None, **how: object
) -> Staging:
    """Take in so many pages, or all, as a run does that ends there."""
    found = api.pages(query, resume=staging, **how)  # type: ignore[arg-type]
    for page in islice(found, pages):
        staging.add(page, page.group or "")
    found.close()  # type: ignore[attr-defined]
    if pages is None:
        staging.complete()
    else:
        staging.leave(KeyboardInterrupt())
    return staging


def tables(query: Query, staging: Staging, group: str = "") -> dict[str, pa.Table]:
    rows: dict[str, list[pa.Table]] = {name: [schema.empty_table()] for name, schema in query.tables.items()}
    for name, table in staging.tables(group):
        rows[name].append(table)
    return {name: pa.concat_tables(parts) for name, parts in rows.items()}


def test_the_next_run_asks_only_for_the_keys_that_are_left(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage, umids: list[str]
) -> None:
    first = take(connect(sandbox), profiles_query, stage(), 9, keys=umids)
    answered = set(sandbox.answers)
    staged = first.sums.tallies[""].asked
    assert 40 <= staged < len(umids)
    second = take(connect(sandbox), profiles_query, stage(), keys=umids)
    assert second.sums.tallies[""].staged == staged
    again = [umid for umid, times in sandbox.answers.items() if times > 1]
    assert len(again) == len(answered) - staged, "at most what was in flight when the run was ended"
    found = tables(profiles_query, second)
    assert plain(found["profiles"]) == expected_profiles(sandbox, umids)
    assert lookups(found["profiles__lookups"]) == expected_lookups(sandbox, umids)


@pytest.mark.parametrize("step", ["resources.lake.stage.write_table", "resources.lake.slices.replace"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_interrupt_while_a_slice_is_staged_loses_and_doubles_nothing(
    step: str,
    after: bool,
    sandbox: Sandbox,
    connect: Connect,
    profiles_query: Query,
    stage: Stage,
    umids: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = stage()
    for page in islice(connect(sandbox).pages(profiles_query, keys=umids, resume=first), 3):
        first.add(page, "")
    module, _, name = step.rpartition(".")
    real = getattr(importlib.import_module(module), name)

    def interrupted(*given: object) -> object:
        monkeypatch.setattr(step, real)
        if after:
            real(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        first.flush()
    first.leave(KeyboardInterrupt())
    second = take(connect(sandbox), profiles_query, stage(), keys=umids)
    assert second.sums.tallies[""].staged == first.sums.tallies[""].asked == 15
    assert lookups(tables(profiles_query, second)["profiles__lookups"]) == expected_lookups(sandbox, umids)


def test_a_run_over_several_partitions_goes_on_in_all_of_them(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage
) -> None:
    days = {str(day): sandbox.umids_of(day) for day in (DAY, OTHER_DAY)}
    keys = {day: pa.table({"umid": umids}) for day, umids in days.items()}
    first = take(connect(sandbox), profiles_query, stage(*days), 12, keys=GroupedKeys(keys))
    asked = {day: tally.asked for day, tally in first.sums.tallies.items()}
    sandbox.clear()
    second = take(connect(sandbox), profiles_query, stage(*days), keys=GroupedKeys(keys))
    assert {day: tally.staged for day, tally in second.sums.tallies.items()} == asked
    assert all(asked.values())
    assert len(sandbox.answers) < len({umid for umids in days.values() for umid in umids})
    for day, umids in days.items():
        found = tables(profiles_query, second, day)
        assert plain(found["profiles"]) == expected_profiles(sandbox, umids)
        assert lookups(found["profiles__lookups"]) == expected_lookups(sandbox, umids)


def test_other_keys_another_query_or_another_api_start_afresh(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage, umids: list[str]
) -> None:
    take(connect(sandbox), profiles_query, stage(), 9, keys=umids)
    by_key = Query.load(
        ROOT / "pipelines/defs/profiles/profiles.graphql", schema=ROOT / "pipelines/schema.graphql"
    )
    other = connect(sandbox, base_url=sandbox.url.replace("127.0.0.1", "localhost"))
    assert take(connect(sandbox), profiles_query, stage(), keys=umids[1:]).sums.tallies[""].staged == 0
    assert take(connect(sandbox), by_key, stage(query=by_key), keys=umids).sums.tallies[""].staged == 0
    assert take(other, profiles_query, stage(), keys=umids).sums.tallies[""].staged == 0
    assert take(connect(sandbox), profiles_query, stage(), keys=umids).sums.tallies[""].staged > 0


def test_what_is_older_than_a_day_is_not_gone_on_with(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage, umids: list[str], tmp_path: Path
) -> None:
    take(connect(sandbox), profiles_query, stage(), 9, keys=umids)
    (begun,) = tmp_path.rglob(stage_module.STARTED)
    long_ago = Started(datetime.now(UTC) - RESUMABLE - timedelta(seconds=1))
    begun.write_bytes(msgspec.json.encode(long_ago))
    assert take(connect(sandbox), profiles_query, stage(), keys=umids).sums.tallies[""].staged == 0


def test_a_key_that_failed_is_asked_again(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage, umids: list[str]
) -> None:
    poison = umids[3]
    sandbox.faults.alias_errors = {poison: -1}
    first = take(connect(sandbox), profiles_query, stage(), keys=umids)
    assert first.sums.tallies[""].failed == 1
    path = first.write_failed("", "date=2026-11-22")
    assert pa.parquet.read_table(path)["umid"].to_pylist() == [poison]
    first.leave(KeyboardInterrupt())
    sandbox.faults.alias_errors = {}
    sandbox.clear()
    second = take(connect(sandbox), profiles_query, stage(), keys=umids)
    assert sandbox.answers == {poison: 1}
    assert (second.sums.tallies[""].failed, second.sums.tallies[""].staged) == (0, len(umids) - 1)
    found = tables(profiles_query, second)
    assert sorted(lookups(found["profiles__lookups"])) == expected_lookups(sandbox, umids)
    second.sums.tallies[""].check(max_failed=0)


def test_a_damaged_slice_is_asked_again_with_those_behind_it(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage, umids: list[str], tmp_path: Path
) -> None:
    take(connect(sandbox), profiles_query, stage(), 20, keys=umids)
    files = sorted(tmp_path.rglob("*-profiles.arrow"))
    assert len(files) > 3
    files[2].write_bytes(files[2].read_bytes()[:-1] + b"x")
    second = take(connect(sandbox), profiles_query, stage(), keys=umids)
    assert 40 <= second.sums.tallies[""].staged < 60
    assert lookups(tables(profiles_query, second)["profiles__lookups"]) == expected_lookups(sandbox, umids)


def test_a_slice_that_is_damaged_while_its_run_lives_is_not_published(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage, umids: list[str], tmp_path: Path
) -> None:
    staging = stage()
    for page in connect(sandbox).pages(profiles_query, keys=umids, resume=staging):
        staging.add(page, "")
    file = min(tmp_path.rglob("*-profiles.arrow"))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(AccountingError, match="is not what was written; nothing is published"):
        staging.complete()


def test_what_a_living_run_has_staged_is_its_own(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage, umids: list[str]
) -> None:
    living = stage()
    for page in islice(connect(sandbox).pages(profiles_query, keys=umids, resume=living), 9):
        living.add(page, "")
    other = take(connect(sandbox), profiles_query, stage(), keys=umids)
    assert other.sums.tallies[""].staged == 0
    assert lookups(tables(profiles_query, other)["profiles__lookups"]) == expected_lookups(sandbox, umids)


def test_what_is_published_is_removed_and_a_run_without_resume_leaves_nothing(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage, umids: list[str], tmp_path: Path
) -> None:
    take(connect(sandbox), profiles_query, stage(), keys=umids).remove()
    assert list((tmp_path / "_staging").rglob("*")) == []
    without = stage()
    for page in islice(connect(sandbox).pages(profiles_query, keys=umids), 9):
        without.add(page, "")
    assert list(tmp_path.rglob("*.arrow"))
    without.leave(KeyboardInterrupt())
    assert list((tmp_path / "_staging").rglob("*")) == []


def test_two_calls_of_pages_cannot_share_what_is_staged(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage, umids: list[str]
) -> None:
    staging = take(connect(sandbox), profiles_query, stage(), keys=umids[:5])
    with pytest.raises(ConfigurationError, match="resume= is for one call of pages"):
        next(iter(connect(sandbox).pages(profiles_query, keys=umids[5:], resume=staging)))


def test_a_limit_of_failed_keys_may_be_a_share() -> None:
    tally = Tally(asked=1000, found=995, failures=Counter({"INTERNAL": 5}))
    tally.check(max_failed=read_max_failed("0.5%"))
    with pytest.raises(TooManyFailed, match=r"5 of 1,000 keys failed \(5 INTERNAL\), 0.4% may") as caught:
        tally.check(max_failed=read_max_failed("0.4%"))
    assert caught.value.details == {"keys_failed": 5, "codes": {"INTERNAL": 5}}


@pytest.mark.parametrize("text", ["-1", "101%", "-0.1%", "0.5", "many", "", "%"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a number of keys, or a share of them"):
        read_max_failed(text)


@pytest.mark.parametrize("way", ["alias_errors", "poison"])
def test_many_keys_that_fail_again_are_failed_and_no_broken_server(
    way: str,
    sandbox: Sandbox,
    connect: Connect,
    profiles_query: Query,
    stage: Stage,
    umids: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("resources.graphql.sending.retry.BACKOFF", lambda _: 0.001)
    monkeypatch.setattr("resources.graphql.paging.lookup.PAUSE_SECONDS", 0.001)
    bad = umids[3::10]
    setattr(sandbox.faults, way, dict.fromkeys(bad, -1) if way == "alias_errors" else bad)
    first = take(connect(sandbox, max_attempts=2), profiles_query, stage(), keys=umids)
    assert first.sums.tallies[""].failed == len(bad) > 3
    first.leave(TooManyFailed("more than may"))
    second = take(connect(sandbox, max_attempts=2), profiles_query, stage(), keys=umids)
    assert (second.sums.tallies[""].failed, second.sums.tallies[""].staged) == (
        len(bad),
        len(umids) - len(bad),
    )


def test_what_does_not_add_up_is_not_gone_on_with(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage, umids: list[str]
) -> None:
    take(connect(sandbox), profiles_query, stage(), keys=umids).leave(AccountingError("keys do not add up"))
    assert take(connect(sandbox), profiles_query, stage(), keys=umids).sums.tallies[""].staged == 0


def test_another_partition_with_the_same_keys_starts_afresh(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage, umids: list[str]
) -> None:
    take(connect(sandbox), profiles_query, stage(partition="2026-11-21"), 9, keys=umids)
    other = take(connect(sandbox), profiles_query, stage(partition="2026-11-22"), keys=umids)
    assert other.sums.tallies[""].staged == 0
    same = take(connect(sandbox), profiles_query, stage(partition="2026-11-21"), keys=umids)
    assert same.sums.tallies[""].staged > 0


def test_an_index_that_is_damaged_anywhere_is_asked_again(
    sandbox: Sandbox, connect: Connect, profiles_query: Query, stage: Stage, umids: list[str], tmp_path: Path
) -> None:
    take(connect(sandbox), profiles_query, stage(), 20, keys=umids)
    index = sorted(tmp_path.rglob("slice-*.json"))[1]
    good = index.read_bytes()
    for place in range(0, len(good), 7):
        for byte in (b"0", b"\xff"):
            index.write_bytes(good[:place] + byte + good[place + 1 :])
            read = Slice.read(index)
            assert read is None or good[place : place + 1] == byte
    index.write_bytes(b"\xff" + good[1:])
    second = take(connect(sandbox), profiles_query, stage(), keys=umids)
    assert 20 <= second.sums.tallies[""].staged < 40
    assert lookups(tables(profiles_query, second)["profiles__lookups"]) == expected_lookups(sandbox, umids)


@pytest.mark.parametrize("share", ["0.7%", "1.4%", "0.1%", "33%"])
@pytest.mark.parametrize("asked", [1_000, 10_000, 1_000_000])
def test_a_share_is_exact_at_its_border(share: str, asked: int) -> None:
    may = Fraction(share[:-1]) / 100 * asked
    assert may.denominator == 1
    limit = read_max_failed(share)
    assert not Tally(asked=asked, failures=Counter({"A": int(may)})).exceeds(limit)
    assert Tally(asked=asked, failures=Counter({"A": int(may) + 1})).exceeds(limit)


@given(st.lists(st.tuples(st.text(), st.none() | st.text()), unique=True, min_size=2))
def test_rows_of_several_columns_are_never_taken_for_each_other(rows: list[tuple[str, str | None]]) -> None:
    columns = [pa.array([row[i] for row in rows], pa.string()) for i in range(2)]
    texts = joined(pa.table({"a": columns[0], "b": columns[1]})).to_pylist()
    assert len(set(texts)) == len(rows)

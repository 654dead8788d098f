"""Whoever is to be left out is in no page, and every key is accounted for."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.extraction import open_slice
from pipelines.extraction.staging import Staging
from resources.errors import ConfigurationError
from resources.graphql.page import Page, Tally
from resources.graphql.paging.keys import GroupedKeys
from resources.graphql.query import Query, load_schema
from resources.privacy import Privacy, Screen, Suppression
from tests.conftest import PROFILES_QUERY, ROOT, SCHEMA, Connect
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.sandbox.people import Person
from tests.truth import expected, newest, plain, root_field

KEY = "a key of the tests, long enough"
RULES = {"test_profiles": "exclude", "only_permission": "CS-OM=GRANTED"}
ANY_ID = """
query people($idName: String!, $idValue: String!) {
  personTargetDataByAnyId(idName: $idName, idValue: $idValue) { profileId testProfile }
}
"""
LIST = """
query people($after: String) {
  profiles(first: 7, after: $after) {
    nodes { profileId testProfile permissions { name value changeDate } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
Rows = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.graphql.paging.batches.PAGE_KEYS", 5)


@pytest.fixture
def umids(sandbox: Sandbox) -> list[str]:
    return sandbox.umids_of(last_days(1)[0])


def may_stay(person: Person) -> bool:
    granted = newest(person["permissions"], "CS-OM", "name", "value", "changeDate") == "GRANTED"
    return granted and person["testProfile"] is not True


def load(identity: str | None = "profileId", explode: Sequence[str] = ()) -> Query:
    return Query.load(PROFILES_QUERY, schema=SCHEMA, identity=identity, explode=explode)


def screened(screen: Screen, pages: Iterable[Page]) -> tuple[dict[str, pa.Table], Tally]:
    """Take in pages as a run does; give all tables and what was counted."""
    tally, parts = Tally(), []
    for page in map(screen.page, pages):
        tally.add(page)
        parts.append(page.tables)
    tally.check(max_failed=0)
    return {name: pa.concat_tables([part[name] for part in parts]) for name in parts[0]}, tally


def first_keys(sandbox: Sandbox, umids: list[str], keep: Callable[[Person], bool]) -> Rows:
    """Give the rows of those who are to be kept: the key that brings each, and the person."""
    people = {}
    for umid in sorted(umids):
        person = sandbox.person_of(umid)
        if person is not None and keep(person):
            people.setdefault(person["profileId"], (umid, person))
    return [{"umid": umid} | expected(person, root_field()) for umid, person in people.values()]


def expected_statuses(sandbox: Sandbox, umids: list[str], identity: str | None) -> list[tuple[Any, ...]]:
    rows = []
    for umid in sorted(umids):
        person = sandbox.person_of(umid)
        status = "not_found" if person is None else "found" if may_stay(person) else "filtered"
        found = person["profileId"] if person and status == "found" and identity else None
        rows.append((umid, status, found))
    return rows


@pytest.mark.parametrize("explode", [(), ("permissions",), ("*",)], ids=str)
@pytest.mark.parametrize("identity", ["profileId", None])
def test_who_is_filtered_is_in_no_table_and_each_key_says_so(
    identity: str | None, explode: Sequence[str], sandbox: Sandbox, connect: Connect, umids: list[str]
) -> None:
    query = load(identity, explode)
    privacy = Privacy.of(query, **RULES)  # type: ignore[arg-type]
    pages = list(connect(sandbox, max_batch=1).pages(query, keys=umids))
    assert len(pages) > 5
    tables, tally = screened(Screen(privacy, Suppression(KEY, ()), ""), pages)
    lookups = [(r["umid"], r["status"], r["identity"]) for r in tables["profiles__lookups"].to_pylist()]
    assert lookups == expected_statuses(sandbox, umids, identity)
    assert tally.filtered == sum(status == "filtered" for _, status, _ in lookups) > 20
    assert (tally.asked, tally.suppressed) == (len(umids), 0)
    whole, _ = screened(Screen(Privacy.of(query), Suppression(KEY, ()), ""), pages)
    key = "profile_id" if identity else "umid"
    stay = {row[key] for row in plain(tables["profiles"])}
    people = first_keys(sandbox, umids, may_stay)
    if identity:
        assert stay == {row["profile_id"] for row in people}
    else:
        assert stay == {umid for umid, status, _ in lookups if status == "found"}
    for name in query.tables.keys() - {"profiles__lookups"}:
        kept = [row for row in plain(whole[name]) if row[key] in stay]
        assert kept
        assert plain(tables[name]) == kept, name


def test_a_person_with_several_keys_is_filtered_under_each(
    sandbox: Sandbox, connect: Connect, umids: list[str]
) -> None:
    query = load()
    pages = connect(sandbox, max_batch=1).pages(query, keys=umids)
    tables, _ = screened(Screen(Privacy.of(query, **RULES), Suppression(KEY, ()), ""), pages)  # type: ignore[arg-type]
    owners = [sandbox.person_of(u) for u in sorted(umids)]
    several = [p for p in owners if p and sum(q is p for q in owners) > 1 and not may_stay(p)]
    filtered = (
        tables["profiles__lookups"].filter(pa.compute.field("status") == "filtered")["umid"].to_pylist()
    )
    assert len(several) > 4
    assert {u for u in umids if sandbox.person_of(u) in several} <= set(filtered)


def test_groups_are_filtered_each_by_itself(sandbox: Sandbox, connect: Connect) -> None:
    query, days = load(), last_days(2)
    keys = {str(day): sandbox.umids_of(day) for day in days}
    screen = Screen(Privacy.of(query, **RULES), Suppression(KEY, ()), "")  # type: ignore[arg-type]
    found: dict[str, list[Page]] = {day: [] for day in keys}
    for page in connect(sandbox, max_batch=1).pages(query, keys=GroupedKeys(keys)):
        found[page.group or ""].append(screen.page(page))
    for day, pages in found.items():
        lookups = pa.concat_tables([page.tables["profiles__lookups"] for page in pages]).to_pylist()
        seen = [(row["umid"], row["status"], row["identity"]) for row in lookups]
        assert seen == expected_statuses(sandbox, keys[day], "profileId")


def test_a_list_leaves_rows_out_and_counts_them(connect: Connect, tmp_path: Path) -> None:
    with Sandbox(people=60, seed=7, variant="lists") as lists:
        schema = load_schema(ROOT / "tests" / "sandbox" / "lists.graphql")
        erased = lists.people[0]["profileId"]
        listed = Suppression.add(tmp_path, KEY, [("profile_id", erased)])
        for explode in ((), ("permissions",)):
            query = Query.parse(
                LIST, schema=schema, path="q", name="people", identity="profileId", explode=explode
            )
            screen = Screen(Privacy.of(query, **RULES), listed, "")  # type: ignore[arg-type]
            tables, tally = screened(screen, connect(lists).pages(query))
            stay = {p["profileId"] for p in lists.people if may_stay(p)} - {erased}
            assert set(tables["people"]["profile_id"].to_pylist()) == stay
            assert (tally.asked, tally.found, tally.suppressed) == (60, len(stay), 1)
            assert tally.filtered == 59 - len(stay)
            if explode:
                assert set(tables["people__permissions"]["profile_id"].to_pylist()) <= stay


@pytest.mark.parametrize("explode", [(), ("*",)], ids=str)
@pytest.mark.parametrize("identity", ["profileId", None])
def test_whoever_was_erased_is_in_no_table_under_any_key(
    identity: str | None,
    explode: Sequence[str],
    sandbox: Sandbox,
    connect: Connect,
    umids: list[str],
    tmp_path: Path,
) -> None:
    query = load(identity, explode)
    owned = {umid: person for umid in umids if (person := sandbox.person_of(umid))}
    ids = sorted({person["profileId"] for person in owned.values()})[::9]
    nobody = next(umid for umid in umids if umid not in owned)
    by_id = [("profile_id", id_) for id_ in ids]
    listed = Suppression.add(tmp_path, KEY, [*by_id, ("umid", nobody), ("umid", "another")])
    screen = Screen(Privacy.of(query), listed, "")
    pages = connect(sandbox, max_batch=1).pages(query, keys=umids)  # nobody was left out before asking
    tables, tally = screened(screen, pages)
    gone = {umid for umid, person in owned.items() if person["profileId"] in ids} | {nobody}
    assert len(gone) > len(ids) + 1, "some have several keys"
    assert set(tables["profiles__lookups"]["umid"].to_pylist()) == set(umids) - gone
    assert (tally.asked, tally.suppressed) == (len(umids), len(gone))
    assert not set(tables["profiles"]["profile_id"].to_pylist()) & set(ids)
    for name in query.tables.keys() - {"profiles__lookups"}:
        key = tables[name].column_names[0]
        assert not set(tables[name][key].to_pylist()) & (set(ids) | gone)


@pytest.mark.parametrize("identity", ["profileId", None])
def test_a_key_that_was_asked_all_the_same_takes_its_person_along(
    identity: str | None, sandbox: Sandbox, connect: Connect, umids: list[str], tmp_path: Path
) -> None:
    person = next(
        p for p in map(sandbox.person_of, umids) if p and sum(sandbox.person_of(u) is p for u in umids) > 1
    )
    first, *others = sorted(umid for umid in umids if sandbox.person_of(umid) is person)
    screen = Screen(Privacy.of(load(identity)), Suppression.add(tmp_path, KEY, [("umid", first)]), "")
    tables, tally = screened(screen, connect(sandbox, max_batch=1).pages(load(identity), keys=umids))
    left = set(umids) - {first} - set(others if identity else [])
    assert set(tables["profiles__lookups"]["umid"].to_pylist()) == left
    assert tally.suppressed == len(umids) - len(left)


def test_a_failed_key_of_the_erased_is_not_written_either(
    sandbox: Sandbox, connect: Connect, umids: list[str], tmp_path: Path
) -> None:
    sandbox.faults.alias_errors = {umids[3]: -1}
    screen = Screen(Privacy.of(load()), Suppression.add(tmp_path, KEY, [("umid", umids[3])]), "")
    pages = list(connect(sandbox).pages(load(), keys=umids))
    assert sum(page.failed for page in pages) == 1
    tables, tally = screened(screen, pages)
    assert umids[3] not in tables["profiles__lookups"]["umid"].to_pylist()
    assert (tally.failed, tally.suppressed) == (0, 1)


@pytest.mark.parametrize("kinds", [(), ("umid", "customer-id")], ids=["kind and value", "kinds in turn"])
def test_identifiers_of_any_kind_are_left_out_before_anything_is_asked(
    kinds: Sequence[str], sandbox: Sandbox, tmp_path: Path
) -> None:
    query = Query.parse(ANY_ID, schema=load_schema(SCHEMA), path="people", name="people", kinds=kinds)
    listed = Suppression.add(tmp_path, KEY, [("customer-id", "c1"), ("umid", "u2")])
    if kinds:
        keys = pa.table({"umid": ["u1", "u2", "u3", None], "customer_id": ["c2", None, "c1", "c3"]})
        left = [{"umid": "u1", "customer_id": "c2"}, {"umid": None, "customer_id": "c3"}]
    else:
        names, values = ["umid", "umid", "customer-id", "customer-id"], ["u1", "u2", "u2", "c1"]
        keys = pa.table({"id_name": names, "id_value": values})
        left = [{"id_name": "customer-id", "id_value": "u2"}, {"id_name": "umid", "id_value": "u1"}]
    found, number = Screen(Privacy.of(query), listed, "").left(keys)
    assert isinstance(found, pa.Table)
    assert (found.to_pylist(), number) == (left, 2)


def test_with_nothing_configured_a_page_is_the_same_page(
    sandbox: Sandbox, connect: Connect, umids: list[str]
) -> None:
    screen = Screen(Privacy.of(load()), Suppression("", ()), "")
    assert all(screen.page(page) is page for page in connect(sandbox).pages(load(), keys=umids))
    assert screen.left(umids) == (umids, 0)
    assert (screen.says, screen.digest, Privacy.of(load()).hash) == ("", "", load().hash)


def test_what_is_done_is_named_by_the_digests(tmp_path: Path) -> None:
    query, none = load(), Suppression(KEY, ())
    settings: list[dict[str, Any]] = [
        {},
        {"pseudonymise": ["owner"]},
        {"pseudonymise": ["owner", "source"]},
        {"test_profiles": "exclude"},
        {"only_permission": "CS-OM=GRANTED"},
        {"only_permission": "CS-OM=DENIED"},
        {"only_permission": "CS-OM=GRANTED", "fields": "permissions=name:value"},
    ]
    privacies = [Privacy.of(query, **wanted) for wanted in settings]
    assert len({privacy.hash for privacy in privacies}) == len(settings)
    digests = {Screen(privacy, none, KEY).digest for privacy in privacies}
    others = {Screen(privacies[1], none, KEY + "!").digest}
    others.add(Screen(privacies[0], Suppression.add(tmp_path, KEY, [("umid", "a")]), KEY).digest)
    others.add(Screen(privacies[0], Suppression.add(tmp_path, KEY, [("umid", "b")]), KEY).digest)
    assert len(digests | others) == len(settings) + 3
    assert all(KEY not in digest for digest in digests | others)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"only_permission": "CS-OM"}, "CS-OM should look like CS-OM=GRANTED"),
        ({"only_permission": "CS-OM=GRANTED", "fields": "permissions=name:valu"}, "has no field valu"),
        ({"test_profiles": "drop"}, "test_profiles is 'drop'; it may be keep or exclude"),
        ({"test_profiles": "exclude"}, "select testProfile in people"),
        (
            {"only_permission": "CS-OM=GRANTED"},
            "there is no list permissions with fields: people cannot keep",
        ),
    ],
)
def test_what_the_query_does_not_have_is_refused(wanted: dict[str, str], said: str) -> None:
    text = ANY_ID.replace(" testProfile", "")
    bare = Query.parse(text, schema=load_schema(SCHEMA), path="people", name="people")
    with pytest.raises(ConfigurationError, match=said):
        Privacy.of(load() if "fields" in wanted else bare, **wanted)  # type: ignore[arg-type]


def test_a_list_that_was_ended_goes_on_with_what_was_left_out_counted(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_slice, "SLICE_KEYS", 10)
    monkeypatch.setenv("TARGETDATA_PRIVACY_KEY", KEY)  # a run looks at the list again
    with Sandbox(people=60, seed=7, variant="lists") as lists:
        schema = load_schema(ROOT / "tests" / "sandbox" / "lists.graphql")
        query = Query.parse(LIST, schema=schema, path="q", name="people", identity="profileId")
        listed = Suppression.add(tmp_path, KEY, [("profile_id", p["profileId"]) for p in lists.people[:40]])
        for pages in (5, None):
            screen = Screen(Privacy.of(query, **RULES), listed, "")  # type: ignore[arg-type]
            staging = Staging(tmp_path, query, [""], run=f"run {pages}", partitions=[""], screen=screen)
            found = connect(lists).pages(query, resume=staging)
            for page in islice(found, pages):
                staging.add(page, "")
            found.close()  # type: ignore[attr-defined]
            staging.leave(KeyboardInterrupt()) if pages else staging.complete()
    tally = staging.sums.tallies[""]
    tally.check(max_failed=0)
    stay = {p["profileId"] for p in lists.people[40:] if may_stay(p)}
    assert (tally.asked, tally.staged, tally.suppressed, tally.found) == (60, 35, 40, len(stay))
    assert {row["profile_id"] for _, rows in staging.tables("") for row in rows.to_pylist()} == stay

"""What the look-alike holds: people with all that real data has, in three variants, and a feed of events."""

import csv
import gzip
import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.plain_client import FIELDS, LOOKUPS, PING, PlainClient, batch, opened
from tests.sandbox import Sandbox
from tests.sandbox.lists import changed
from tests.sandbox.people import umids

DAYS = [date(2026, 3, 1) + timedelta(days=n) for n in range(4)]
SUFFIXES = [".jsonl", ".jsonl.gz", ".csv", ".csv.gz"]
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
EVENT = ["timestamp", "transaction_id", "umid", "device", "location", "isp", "pipeline_name", "domain", "cv"]
FOREIGN_FIELDS = """identifiers { name kind id primary } attributes { fieldName fieldValue score updated }
  permissions { permission granted timestamp } notifications { title version }
  usedApps { zzBundle zzInstalls } cookieConsents { domain details { purpose given } }"""
CONNECTION = """query ($after: String, $from: Instant, $to: Instant) {
  profiles(first: 7, after: $after, changedFrom: $from, changedTo: $to) {
    edges { cursor node { profileId } } nodes { profileId }
    pageInfo { hasNextPage endCursor } totalCount } }"""
OFFSET = """query ($offset: Int!, $from: Instant, $to: Instant) {
  profilesByOffset(offset: $offset, limit: 7, changedFrom: $from, changedTo: $to) {
    items { profileId } totalCount } }"""
PAGE = """query ($page: Int!) {
  profilesByPage(page: $page, pageSize: 7) { items { profileId } page totalPages hasMore } }"""


def values_in(value: Any) -> Iterator[Any]:
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from values_in(part)


MANY = Sandbox(300, 7)  # never started: its people and its feed need no server
VALUES = list(values_in(MANY.people))
TEXTS = [value for value in VALUES if isinstance(value, str)]


def test_the_same_seed_makes_the_same_people() -> None:
    first, again, other = Sandbox(30, 1), Sandbox(30, 1), Sandbox(30, 2)
    assert (first.people, first.refresh_token) == (again.people, again.refresh_token)
    assert not {p["profileId"] for p in first.people} & {p["profileId"] for p in other.people}
    assert Sandbox(40, 1).people[:30] == first.people


@pytest.mark.parametrize("value", [None, [], True, False, "", "null", "true", "1234567890123456789"])
def test_people_have_values_that_are_easily_lost(value: object) -> None:
    assert any(type(found) is type(value) and found == value for found in VALUES)


@pytest.mark.parametrize("part", ["ë", "Ł", "山", "م", "👩‍👩‍👧", "e\u0301", '"', "\\", "'", "\n", "\t"])
def test_people_have_texts_that_are_easily_broken(part: str) -> None:
    assert any(part in text for text in TEXTS)


@pytest.mark.parametrize("name", ["identifiers", "attributes", "permissions"])
def test_some_lists_hold_a_null(name: str) -> None:
    assert any(None in (person[name] or []) for person in MANY.people)


def test_instants_have_up_to_nine_digits_and_offsets() -> None:
    found = [match for text in TEXTS if (match := INSTANT.fullmatch(text))]
    assert {len(m[1] or "") for m in found} == set(range(10))
    assert {m[2] for m in found} == {"Z", "+00:00", "+05:30", "-03:00"}


def test_some_people_have_several_umids() -> None:
    assert {len(umids(person)) for person in MANY.people} == {1, 2, 3}


def test_some_umids_of_the_feed_are_nobodys() -> None:
    asked = {umid for day in DAYS for umid in MANY.umids_of(day)}
    assert 0.02 < sum(MANY.person_of(umid) is None for umid in asked) / len(asked) < 0.2


def test_all_people_are_answered_as_they_are() -> None:
    with opened(people=100) as (sandbox, client):
        found = client.data(batch([umids(p)[-1] for p in sandbox.people], FIELDS))
    assert list(found.values()) == sandbox.people


@pytest.mark.parametrize("variant", ["targetdata", "foreign", "lists"])
def test_three_lookups_give_the_same_person(variant: str) -> None:
    with opened(variant=variant) as (sandbox, client):
        person = sandbox.people[3]
        for name, arguments in LOOKUPS.items():
            given = arguments.format(umid=umids(person)[-1], profileId=person["profileId"])
            found = client.data(f"{{ {name}({given}) {{ profileId changeDate }} }}")
            assert found[name] == {field: person[field] for field in ("profileId", "changeDate")}


@pytest.mark.parametrize("variant", ["targetdata", "lists"])
def test_members_of_lists_are_found_by_name(variant: str) -> None:
    fields = 'attributesByNames(names: ["city"]) { name } identifiersByName(names: ["umid"]) { value }'
    with opened(variant=variant) as (sandbox, client):
        found = client.data(batch([umids(p)[0] for p in sandbox.people], fields))
        assert [[i["value"] for i in p["identifiersByName"]] for p in found.values()] == [
            umids(p) for p in sandbox.people
        ]
    assert {a["name"] for p in found.values() for a in p["attributesByNames"]} == {"city"}


def test_the_foreign_account_refuses_introspection() -> None:
    with opened(variant="foreign") as (_, client):
        assert client.data(PING) == {"__typename": "Query"}
        answer = client.ask("{ __schema { queryType { name } } }")
    assert answer.status == 400
    assert "introspection" in answer.json["errors"][0]["message"]


def test_the_foreign_account_takes_five_aliases() -> None:
    with opened(variant="foreign") as (_, client):
        assert client.ask(batch(["x"] * 5)).status == 200
        answer = client.ask(batch(["x"] * 6))
    assert answer.status == 400
    assert answer.json["errors"][0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


def test_the_foreign_account_refuses_a_token_with_a_page() -> None:
    with opened(variant="foreign") as (_, client):
        client.token = "bad"
        answer = client.ask(PING)
    assert (answer.status, answer.headers.get_content_type()) == (401, "text/html")


def test_the_foreign_account_has_other_fields_inside_the_lists() -> None:
    with opened(variant="foreign") as (sandbox, client):
        keys = [umids(p)[0] for p in sandbox.people]
        people = [client.data(batch([key], FOREIGN_FIELDS))["k0"] for key in keys]
        assert client.ask(batch(keys[:1], "identifiers { value }")).status == 400
    found = [item for person in people for item in person["identifiers"] if item]
    assert [item["id"] for item in found if item["primary"]] == [u for p in sandbox.people for u in umids(p)]


def in_order(sandbox: Sandbox) -> list[str]:
    return [p["profileId"] for p in sorted(sandbox.people, key=lambda p: (changed(p), p["profileId"]))]


def ids(people: list[dict[str, Any]]) -> list[str]:
    return [person["profileId"] for person in people]


def by_cursor(client: PlainClient, **window: str) -> Iterator[dict[str, Any]]:
    """Walk a connection: give its pages."""
    page = client.data(CONNECTION, **window)["profiles"]
    yield page
    for _ in range(20):
        if not page["pageInfo"]["hasNextPage"]:
            return
        page = client.data(CONNECTION, after=page["pageInfo"]["endCursor"], **window)["profiles"]
        yield page


def test_a_walk_along_the_cursor_meets_all_people_once_and_in_order() -> None:
    with opened(people=30, variant="lists") as (sandbox, client):
        pages = list(by_cursor(client))
    assert [len(page["nodes"]) for page in pages] == [7, 7, 7, 7, 2]
    assert [node for page in pages for node in ids(page["nodes"])] == in_order(sandbox)
    assert all([edge["node"] for edge in page["edges"]] == page["nodes"] for page in pages)
    assert all(page["edges"][-1]["cursor"] == page["pageInfo"]["endCursor"] for page in pages)
    assert {page["totalCount"] for page in pages} == {30}


def test_offsets_and_page_numbers_give_the_people_of_the_cursor() -> None:
    with opened(people=30, variant="lists") as (sandbox, client):
        offsets = [client.data(OFFSET, offset=n)["profilesByOffset"] for n in range(0, 36, 7)]
        numbers = [client.data(PAGE, page=n)["profilesByPage"] for n in range(1, 6)]
    assert [p for page in offsets for p in ids(page["items"])] == in_order(sandbox)
    assert offsets[-1] == {"items": [], "totalCount": 30}
    assert [p for page in numbers for p in ids(page["items"])] == in_order(sandbox)
    assert [page["hasMore"] for page in numbers] == [True, True, True, True, False]
    assert [(page["page"], page["totalPages"]) for page in numbers] == [(n, 5) for n in range(1, 6)]


def test_a_window_holds_its_start_and_not_its_end() -> None:
    with opened(people=30, variant="lists") as (sandbox, client):
        by_id = {person["profileId"]: person for person in sandbox.people}
        start, end = (by_id[in_order(sandbox)[n]]["changeDate"] for n in (4, 20))
        pages = list(by_cursor(client, **{"from": start, "to": end}))
        offset = client.data(OFFSET, offset=0, **{"from": start, "to": end})["profilesByOffset"]
    assert [node for page in pages for node in ids(page["nodes"])] == in_order(sandbox)[4:20]
    assert (ids(offset["items"]), offset["totalCount"]) == (in_order(sandbox)[4:11], 16)


def test_a_server_may_give_shorter_pages_than_asked_for() -> None:
    with opened(people=10, variant="lists", max_page_size=4) as (_, client):
        assert [len(page["nodes"]) for page in by_cursor(client)] == [4, 4, 2]
        assert len(client.data(OFFSET, offset=0)["profilesByOffset"]["items"]) == 4
        assert client.data(PAGE, page=3)["profilesByPage"]["totalPages"] == 3


@pytest.mark.parametrize("cursor", ["???", "bm8="])
def test_a_cursor_that_is_none_is_an_error_without_data(cursor: str) -> None:
    with opened(variant="lists") as (_, client):
        answer = client.ask(CONNECTION, after=cursor)
    assert (answer.status, list(answer.json)) == (200, ["data", "errors"])


def events_in(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    if ".csv" in path.name:
        rows = list(csv.DictReader(text.splitlines()))
        return [row | {"umid": row["umid"] or None, "cv": json.loads(row["cv"])} for row in rows]
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_of_the_feed_holds_the_umids_of_its_day(suffix: str, tmp_path: Path) -> None:
    paths = MANY.write_feed(tmp_path / "feed", DAYS, suffix)
    assert [path.name for path in paths] == [f"events-{day}{suffix}" for day in DAYS]
    assert set(paths) == set((tmp_path / "feed").iterdir())
    for day, path in zip(DAYS, paths, strict=True):
        found = [event.get("umid") for event in events_in(path)]
        assert sorted({umid for umid in found if umid}) == MANY.umids_of(day)
        assert 0 < found.count(None) < len(found) / 20


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_events_have_the_documented_fields_in_the_order_of_time(suffix: str, tmp_path: Path) -> None:
    events = events_in(MANY.write_feed(tmp_path, DAYS[:1], suffix)[0])
    assert all([name for name in EVENT if name in event or name == "umid"] == EVENT for event in events)
    assert {len(event) for event in events} <= {len(EVENT), len(EVENT) - 1}
    times = [datetime.fromisoformat(event["timestamp"]) for event in events]
    assert all(a <= b for a, b in pairwise(times))
    assert {(str(time.date()), str(time.tzinfo)) for time in times} == {(str(DAYS[0]), "UTC")}
    assert len({event["transaction_id"] for event in events}) == len(events)
    assert all(isinstance(event["cv"], dict) for event in events)


def test_lines_without_a_umid_have_a_null_or_nothing(tmp_path: Path) -> None:
    events = events_in(MANY.write_feed(tmp_path, DAYS[:1], ".jsonl")[0])
    assert {"umid" in event for event in events if event.get("umid") is None} == {True, False}


def test_the_events_of_one_person_are_scattered_over_the_day(tmp_path: Path) -> None:
    found = [e.get("umid") for e in events_in(MANY.write_feed(tmp_path, DAYS[:1], ".jsonl")[0])]
    assert sum(a == b for a, b in pairwise(found)) < len(found) / 20
    assert max(found.count(umid) for umid in MANY.umids_of(DAYS[0])) == 3


def test_people_return_on_other_days_and_not_on_all() -> None:
    first, second = (set(MANY.umids_of(day)) for day in DAYS[:2])
    assert first & second
    assert first - second
    assert second - first


def test_the_feed_of_a_seed_is_always_the_same(tmp_path: Path) -> None:
    paths = [Sandbox(50, seed).write_feed(tmp_path / str(n), DAYS[:1])[0] for n, seed in enumerate([1, 1, 2])]
    first, again, other = (path.read_bytes() for path in paths)
    assert first == again != other

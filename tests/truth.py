"""What the tables hold, and what they should, made from the sandbox's people in plain Python."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from graphql import FieldNode, parse

from resources.graphql.page import Page, Tally
from resources.graphql.query import Query
from resources.targetdata import TargetDataResource
from tests.conftest import PROFILES_QUERY
from tests.sandbox import Sandbox

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def micros(text: str) -> int:
    """Read an instant as microseconds since 1970, digits beyond six cut off."""
    kept = re.sub(r"(\.\d{6})\d+", r"\1", text).replace("Z", "+00:00")
    return (datetime.fromisoformat(kept) - EPOCH) // timedelta(microseconds=1)


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), name)


def expected(value: Any, field: FieldNode) -> Any:
    """Give a value of the API as the table has it: selected fields, snake case, instants as microseconds."""
    if isinstance(value, list):
        return [expected(item, field) for item in value]
    if isinstance(value, Mapping):
        assert field.selection_set
        return {
            snake(f.name.value): expected(value[f.name.value], f)
            for f in field.selection_set.selections
            if isinstance(f, FieldNode)
        }
    if isinstance(value, str) and INSTANT.fullmatch(value) and is_instant(field.name.value):
        return micros(value)
    return value


def is_instant(name: str) -> bool:
    return name.endswith("Date") or name in ("lastSeen", "firstSeenByMasterFeed")


def root_field() -> FieldNode:
    """Give the root field of the shipped query."""
    root = parse(PROFILES_QUERY.read_text()).definitions[0].selection_set.selections[0]
    assert isinstance(root, FieldNode)
    return root


def expected_profiles(sandbox: Sandbox, umids: Iterable[str]) -> list[Any]:
    """Give the rows of `profiles`: one a person, in the order of the first umid that leads there."""
    people = {}
    for umid in sorted(umids):
        person = sandbox.person_of(umid)
        if person is not None:
            people.setdefault(person["profileId"], person)
    return [expected(person, root_field()) for person in people.values()]


ENTRIES = {
    "targetdata": {
        "attributes": ("name", "value", "changeDate"),
        "permissions": ("name", "value", "changeDate"),
        "identifiers": ("name", "value", "lastSeen"),
    },
    "foreign": {
        "attributes": ("fieldName", "fieldValue", "updated"),
        "permissions": ("permission", "granted", "timestamp"),
        "identifiers": ("name", "id", None),
    },
}


WIDE_NAMES = {  # the columns that the sandbox's environment and the defaults make
    "attributes": {
        name: f"attribute_{name}" for name in ("city", "segment", "visits_30d", "age_band", "churn_score")
    },
    "permissions": {"CS-OM": "permission_cs_om", "CS-NBA": "permission_cs_nba"},
    "identifiers": {
        "umid": "identifier_umid",
        "customer-id": "identifier_customer_id",
        "gaid": "identifier_gaid",
        "idfa": "identifier_idfa",
        "ttdId": "identifier_ttd_id",
        "gclid": "identifier_gclid",
    },
}


def expected_wide(
    sandbox: Sandbox,
    umids: Iterable[str],
    names: Mapping[str, Mapping[str, str]] = WIDE_NAMES,
    variant: str = "targetdata",
) -> list[Any]:
    """Give the rows of `profiles_wide`; `names` maps each list to its names and their columns."""
    flat = [f for f in root_field().selection_set.selections if not f.selection_set]
    rows = {}
    for umid in sorted(umids):
        person = sandbox.person_of(umid)
        if person is not None and person["profileId"] not in rows:
            row = {snake(f.name.value): expected(person[f.name.value], f) for f in flat}
            for list_, columns in names.items():
                for name, column in columns.items():
                    row[column] = newest(person[list_], name, *ENTRIES[variant][list_])
            rows[person["profileId"]] = row
    return list(rows.values())


def newest(entries: list[Any] | None, name: str, name_key: str, value_key: str, time_key: str | None) -> Any:
    """Give the value of the newest entry of a name; the first of those that are as new."""
    best, best_time = None, -1
    for entry in entries or []:
        if entry is None or entry[name_key] != name:
            continue
        time = micros(entry[time_key]) if time_key and entry[time_key] else 0
        if time > best_time:
            best, best_time = entry[value_key], time
    return best


def expected_lookups(sandbox: Sandbox, umids: Iterable[str]) -> list[tuple[str, str, str | None]]:
    """Give umid, status and identity of each row of `profiles__lookups`."""
    found = [(umid, sandbox.person_of(umid)) for umid in sorted(umids)]
    return [(u, "found" if p else "not_found", p["profileId"] if p else None) for u, p in found]


def plain(table: pa.Table) -> list[Any]:
    """Give a table's rows without fetch times, with instants as microseconds."""
    table = table.drop_columns(["fetched_at"])
    return table.cast(pa.schema([(f.name, counted(f.type)) for f in table.schema])).to_pylist()


def counted(type_: pa.DataType) -> pa.DataType:
    """Replace instants in a type by int64."""
    if pa.types.is_timestamp(type_):
        return pa.int64()
    if pa.types.is_list(type_):
        return pa.list_(counted(type_.value_type))
    if pa.types.is_struct(type_):
        return pa.struct([(f.name, counted(f.type)) for f in type_])
    return type_


def lookups(table: pa.Table) -> list[tuple[str, str, str | None]]:
    """Give the columns of `profiles__lookups` that the sandbox knows."""
    return [(row["umid"], row["status"], row["identity"]) for row in table.to_pylist()]


def extract(resource: TargetDataResource, query: Query, keys: list[str]) -> tuple[pa.Table, pa.Table, Tally]:
    """Extract all pages; give both tables and the sum of the pages."""
    pages: list[Page] = []
    tally = Tally()
    for page in resource.pages(query, keys=keys):
        pages.append(page)
        tally.add(page)
    profiles, found = (pa.concat_tables([p.tables[name] for p in pages]) for name in query.tables)
    return profiles, found, tally

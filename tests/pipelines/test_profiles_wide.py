"""The wide table: a row a profile, and a column for each configured name."""

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads
import pytest
from graphql import build_schema

from pipelines.defs.profiles_wide.names import Name, parse_names
from pipelines.defs.profiles_wide.wide import BATCH_ROWS, Wide, WideDay
from resources.errors import ConfigurationError, LakeError, ValueMisfit
from resources.graphql.query import Query
from resources.privacy.entry_fields import EntryFields, entry_fields, parse_fields
from tests.conftest import ROOT, Connect
from tests.sandbox import Sandbox
from tests.truth import expected_wide, plain

SANDBOX = ROOT / "tests" / "sandbox"
DAY = date(2026, 11, 22)
INSTANT = pa.timestamp("us", tz="UTC")
NAMES = {
    "attributes": {n: f"attribute_{n}" for n in ("city", "visits_30d", "never")},
    "permissions": {"CS-OM": "permission_cs_om", "CS-NBA": "permission_cs_nba"},
    "identifiers": {"customer-id": "identifier_customer_id", "ttdId": "identifier_ttd_id"},
}
FOREIGN = """
query profiles($umid: String!) {
  personTargetDataByUmid(umid: $umid) {
    profileId owner category source testProfile createdDate changeDate lastSeen firstSeenByMasterFeed
    identifiers { kind name primary id }
    attributes { updated fieldValue fieldName score }
    permissions { timestamp granted permission }
    usedApps { zzBundle zzInstalls }
  }
}
"""


def named(**lists: str) -> dict[str, tuple[Name, ...]]:
    return {column: parse_names(text, "TEST") for column, text in lists.items()}


def rows_of(table: pa.Table) -> list[Any]:
    return plain(table) if "fetched_at" in table.column_names else table.to_pylist()


def of_day(wide: Wide, profiles: Any) -> WideDay:
    """Make the day of these profiles, when none was due to be asked again."""
    return wide.day(profiles, pads.dataset(profiles.schema.empty_table()))


def as_table(day: WideDay) -> pa.Table:
    return pa.Table.from_pandas(day.frame, preserve_index=False).replace_schema_metadata()


@pytest.mark.parametrize("variant", ["targetdata", "foreign"])
def test_each_column_has_the_newest_entry_of_its_name(
    variant: str, connect: Connect, profiles_query: Query
) -> None:
    query = profiles_query
    if variant == "foreign":
        schema = build_schema((SANDBOX / "foreign.graphql").read_text())
        query = Query.parse(FOREIGN, schema=schema, path="foreign", name="profiles", identity="profileId")
    names = named(**{column: ",".join(columns) for column, columns in NAMES.items()})
    wide = Wide.plan(query.tables["profiles"], names)
    with Sandbox(people=200, seed=7, variant=variant) as sandbox:
        umids = sandbox.umids_of(DAY)
        profiles = connect(sandbox).table(query, keys=umids)
        made = of_day(wide, pads.dataset(profiles))
        expected = expected_wide(sandbox, umids, NAMES, variant)
    table = as_table(made)
    assert table.schema.equals(wide.schema)
    assert rows_of(table) == expected
    assert wide.left_out == ()
    granted = pa.bool_() if variant == "foreign" else pa.string()
    assert table.schema.field("permission_cs_om").type == granted
    values = [row["permission_cs_om"] for row in expected]
    assert any(values)
    assert None in values


def test_names_without_a_column_are_counted(
    sandbox: Sandbox, connect: Connect, profiles_query: Query
) -> None:
    umids = sandbox.umids_of(DAY)
    wide = Wide.plan(profiles_query.tables["profiles"], named(permissions="CS-OM"))
    made = of_day(wide, pads.dataset(connect(sandbox).table(profiles_query, keys=umids)))
    people = {id(person): person for umid in umids if (person := sandbox.person_of(umid))}
    entries = [e["name"] for person in people.values() for e in person["permissions"] or [] if e]
    assert dict(made.unnamed["permissions"]) == {
        name: entries.count(name) for name in set(entries) - {"CS-OM"}
    }
    assert made.unnamed["attributes"].total() > 0


ENTRY = pa.struct([("name", pa.string()), ("value", pa.string()), ("change_date", INSTANT)])
PROFILES = pa.schema([("profile_id", pa.string()), ("attributes", pa.list_(ENTRY)), ("fetched_at", INSTANT)])


def profiles(*lists: list[Any] | None) -> Any:
    """Give a dataset of profiles with these attributes, written as (name, value, day of the month)."""
    rows = [{"attributes": entries and [entry and made(*entry) for entry in entries]} for entries in lists]
    return pads.dataset(pa.Table.from_pylist(rows, schema=PROFILES))


def made(name: str | None, value: str | None, day: int | None = None) -> dict[str, object]:
    return {"name": name, "value": value, "change_date": day and datetime(2026, 1, day, tzinfo=UTC)}


def attribute(text: str, *lists: list[Any] | None) -> list[object]:
    """Give the only attribute's column of profiles with these attributes."""
    wide = Wide.plan(PROFILES, named(attributes=text))
    return as_table(of_day(wide, profiles(*lists))).column(2).to_pylist()


def test_of_several_entries_the_newest_counts_and_the_first_of_those_as_new() -> None:
    assert attribute(
        "a",
        [("a", "old", 1), ("a", "new", 3), ("a", "middle", 2)],
        [("a", "first", 2), ("a", "second", 2)],
        [("a", "never", None), ("a", "once", 1)],
        [("a", "one", None), ("a", "two", None)],
        [("a", "text", 1), ("a", None, 2)],
        [None, ("b", "x", 9), ("a", "here", 1), (None, "nobody", 9)],
        [],
        None,
    ) == ["new", "first", "once", "one", None, "here", None, None]


def fetched(**days: int) -> Any:
    """Give a dataset of profiles by id and the day of the month on which they were fetched."""
    rows = [
        {"profile_id": id_, "attributes": [made("a", f"{id_}{day}")], "fetched_at": datetime(2026, 1, day)}
        for id_, day in days.items()
    ]
    return pads.dataset(pa.Table.from_pylist(rows, schema=PROFILES))


def test_a_profile_in_both_tables_comes_once_the_newest_and_one_in_either_comes_too() -> None:
    wide = Wide.plan(PROFILES, named(attributes="a"))
    first = fetched(only=1, later=1, earlier=3, same=2)
    again = fetched(refreshed=1, same=2, later=2, earlier=2)
    assert as_table(wide.day(first, again))["attribute_a"].to_pylist() == [
        "only1", "earlier3", "same2", "refreshed1", "later2",
    ]  # fmt: skip
    nobody = [{"attributes": [made("a", "unknown")]}]
    unknown = pads.dataset(pa.Table.from_pylist(nobody, schema=PROFILES))
    assert as_table(wide.day(unknown, unknown)).num_rows == 2


def test_batches_do_not_mix() -> None:
    lists = [[("a", str(i), 1)] if i % 3 else None for i in range(BATCH_ROWS + 10)]
    assert attribute("a=int64", *lists) == [i if i % 3 else None for i in range(BATCH_ROWS + 10)]


def test_a_day_without_profiles_has_all_columns() -> None:
    wide = Wide.plan(PROFILES, named(attributes="a=date"))
    assert as_table(of_day(wide, profiles())).schema.equals(wide.schema)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("text", " 007 ", " 007 "),
        ("int64", "-9007199254740993", -9007199254740993),
        ("float64", "1.5e3", 1500.0),
        ("float64", "0.1", 0.1),
        ("float64", "-0.0", 0.0),
        ("float64", "9007199254740992", 2.0**53),
        ("float64", "1e23", 1e23),
        ("bool", "true", True),
        ("date", "2026-11-22", date(2026, 11, 22)),
        (
            "timestamp",
            "2026-11-22T05:00:00.123456789+05:30",
            datetime(2026, 11, 21, 23, 30, 0, 123456, tzinfo=UTC),
        ),
        ("decimal(10, 2)", "12345678.9", Decimal("12345678.90")),
        ("decimal(10,2)", "1.5e3", Decimal("1500.00")),
    ],
)
def test_values_are_of_the_configured_type(type_: str, text: str, value: object) -> None:
    assert attribute(f"a={type_}", [("a", text)], None) == [value, None]


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("int64", "0x1F"), ("int64", "1.0"), ("int64", "9223372036854775808"), ("int64", ""),
        ("float64", "nan"), ("float64", "9007199254740993"), ("float64", "-1e400"), ("float64", "1e-400"),
        ("bool", "GRANTED"), ("date", "22.11.2026"), ("timestamp", "2026-11-22T05:00:00"),
        ("decimal(5,2)", "1.234"), ("decimal(5,2)", "1234.5"),
        ("decimal(38,9)", "38863656684546268772912734143717026668"), ("decimal(38,9)", "1e-2147483647"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_names_the_column_and_never_the_value(type_: str, text: str) -> None:
    with pytest.raises(ValueMisfit) as error:
        attribute(f"a={type_}", [("a", "1")] if type_ in ("int64", "float64") else None, [("a", text)])
    assert "profiles_wide.attribute_a: 1 of " in str(error.value)
    assert not text or text not in str(error.value)
    assert error.value.__suppress_context__


def test_columns_are_named_in_snake_case() -> None:
    names = parse_names("CS-OM, ttdId, customer-id, a.b  c, Größe, URLPath", "TEST")
    assert [name.column("x") for name in names] == [
        "x_cs_om", "x_ttd_id", "x_customer_id", "x_a_b_c", "x_größe", "x_url_path",
    ]  # fmt: skip


def test_names_may_hold_what_types_are_written_with() -> None:
    assert parse_names("a=b=text, c=decimal(10,2),=, d e=text", "TEST") == (
        Name("a=b", pa.string()), Name("c", pa.decimal128(10, 2)), Name("=", None), Name("d e", pa.string()),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["a=int65", "a=decimal(50,2)", "a=decimal(x)"])
def test_a_type_that_there_is_not_is_named_with_those_there_are(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"TEST: there is no type .*; there are text, int64"):
        parse_names(text, "TEST")


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ({"attributes": "CS-OM, cs_om"}, "two columns attribute_cs_om"),
        ({"attributes": "a, a"}, "two columns attribute_a"),
        ({"attributes": "--"}, "no letter or digit"),
        ({"attributes": "id"}, "two columns attribute_id"),
        ({"permissions": "x=int64"}, "permission_x cannot be int64: permissions.granted is bool"),
    ],
)
def test_a_clash_is_found_before_anything_is_read(names: dict[str, str], reason: str) -> None:
    permission = pa.struct([("permission", pa.string()), ("granted", pa.bool_())])
    schema = PROFILES.append(pa.field("permissions", pa.list_(permission)))
    schema = schema.append(pa.field("attribute_id", pa.string()))
    with pytest.raises(ConfigurationError, match=reason):
        Wide.plan(schema, named(**names))


def entries(column: str, given: str = "", **fields: pa.DataType) -> EntryFields | str:
    schema = pa.schema([(column, pa.list_(pa.struct(list(fields.items()))))])
    return entry_fields(column, schema, parse_fields(given), otherwise="the wide table has no column")


def test_the_fields_are_told_by_their_names() -> None:
    text, instant = pa.string(), INSTANT
    assert entries("attributes", type=text, key=text, value=text) == EntryFields("key", "value", None, text)
    found = entries("permissions", permission=text, granted=pa.bool_(), created=instant, last_seen=instant)
    assert found == EntryFields("permission", "granted", "last_seen", pa.bool_())
    found = entries("identifiers", identifier_name=text, identifier_value=pa.int64(), last_seen=instant)
    assert found == EntryFields("identifier_name", "identifier_value", "last_seen", pa.int64())


def test_what_only_looks_like_a_value_or_a_time_is_not_taken_for_it() -> None:
    found = entries(
        "permissions", name=pa.string(), default_value=pa.bool_(), granted=pa.bool_(), changed_at=INSTANT
    )
    assert found == EntryFields("name", "granted", "changed_at", pa.bool_())
    found = entries("permissions", name=pa.string(), granted=pa.bool_(), valid_until=INSTANT)
    assert found == EntryFields("name", "granted", None, pa.bool_())
    assert isinstance(entries("permissions", name=pa.string(), default_value=pa.bool_()), str)


@pytest.mark.parametrize(
    ("column", "fields", "reason"),
    [
        ("permissions", {"name": pa.string(), "granted": pa.bool_(), "status": pa.string()},
         "granted and status may each hold the value"),
        ("attributes", {"key": pa.string(), "code": pa.string(), "value": pa.string()},
         "key and code may each hold the name"),
        ("attributes", {"name": pa.string(), "value": pa.string(), "changed": INSTANT, "last_seen": INSTANT},
         "changed and last_seen may each hold the time"),
        ("permissions", {"name": pa.string(), "value": pa.list_(pa.string())}, "it has name, value"),
        ("attributes", {"name": pa.int64(), "value": pa.string()}, "it has name, value"),
    ],
)  # fmt: skip
def test_of_two_fields_that_are_as_good_none_is_guessed(
    column: str, fields: dict[str, pa.DataType], reason: str
) -> None:
    message = entries(column, **fields)
    assert isinstance(message, str)
    assert f"cannot be told, {reason}: the wide table has no column" in message
    assert f"Set TARGETDATA_WIDE_FIELDS, for example {column}=" in message


@pytest.mark.parametrize("type_", [pa.string(), pa.int64(), pa.date32()])
def test_a_time_that_is_no_instant_is_named_with_the_ways_out(type_: pa.DataType) -> None:
    fields = {"name": pa.string(), "value": pa.string(), "change_date": type_}
    message = entries("attributes", **fields)
    assert isinstance(message, str)
    assert f"change_date is {type_} and no instant" in message
    assert "Set TARGETDATA_SCALARS=Type.field=timestamp" in message
    assert "or TARGETDATA_WIDE_FIELDS=attributes=name:value to" in message
    told = entries("attributes", "attributes=name:value", **fields)
    assert told == EntryFields("name", "value", None, pa.string())


def test_a_field_that_may_hold_values_is_not_taken_for_the_name() -> None:
    for column, field in (("identifiers", "identifier"), ("attributes", "first_name")):
        assert isinstance(entries(column, **{field: pa.string(), "value": pa.string()}), str)


def test_what_looks_like_values_is_not_shown() -> None:
    many = Counter(map(str, range(1001)))
    day = WideDay(pd.DataFrame(), {"attributes": Counter({"city": 3}), "permissions": many})
    assert day.without_column == {"attributes": {"city": 3}, "permissions": "1001 different names"}


def test_what_cannot_be_told_is_left_out_with_the_setting_that_says_it() -> None:
    message = entries("attributes", zz_a=pa.string(), zz_b=pa.string())
    assert isinstance(message, str)
    assert "cannot be told, it has zz_a, zz_b" in message
    assert "TARGETDATA_WIDE_FIELDS, for example attributes=name:value:time" in message
    wide = Wide.plan(pa.schema([("profile_id", pa.string())]), named(attributes="a"))
    assert wide.schema.names == ["profile_id"]
    assert "there is no list attributes" in wide.left_out[0]
    found = entries("attributes", "attributes=zzA:zzB", zz_a=pa.string(), zz_b=pa.string())
    assert found == EntryFields("zz_a", "zz_b", None, pa.string())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("attributes=a", "should look like attributes=name:value"),
        ("orders=a:b", "the lists are attributes, permissions, identifiers"),
        ("attributes=zzA:zzC", "attributes has no field zz_c; it has zz_a, zz_b"),
        ("attributes=zzA:zzB:zzB", "is not a text, a value and an instant"),
    ],
)
def test_fields_that_cannot_be_are_named(given: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        entries("attributes", given, zz_a=pa.string(), zz_b=pa.string())


def test_a_partition_of_another_query_is_to_be_run_again() -> None:
    wide = Wide.plan(PROFILES, named(attributes="a"))
    with pytest.raises(LakeError, match="no column attributes as today's query has it: run its"):
        of_day(wide, pads.dataset(pa.table({"profile_id": ["a"], "fetched_at": pa.array([None], INSTANT)})))


def test_columns_keep_their_arrow_types_in_pandas() -> None:
    frame = of_day(Wide.plan(PROFILES, named(attributes="a=int64")), profiles([("a", "1")], None)).frame
    assert frame.dtypes["attribute_a"] == pd.ArrowDtype(pa.int64())

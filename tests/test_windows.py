"""Windows: two variables that a partition fills, from its start on and before its end."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from graphql import build_schema

from resources.errors import ConfigurationError, QueryError
from resources.graphql.plan import Keyed
from resources.graphql.query import Query

SCHEMA = build_schema(
    """
    scalar DateTime scalar Date scalar timestamptz scalar AWSDateTime scalar Epoch
    type Query {
      events(a: DateTime, b: DateTime, text: String, other: String, day: Date, last: Date,
        tz: timestamptz, tz2: timestamptz, aws: AWSDateTime, aws2: AWSDateTime,
        epoch: Epoch, until: Epoch): [Event!]!
      counted(n: Int, m: Int): [Event!]!
      flight(from: String!, to: String!): Event
      person(id: ID!, from: DateTime!, to: DateTime!): Event
      report(from: DateTime!, to: DateTime!): Event
    }
    type Event { id: ID! }
    """
)
DAY = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)


def load(text: str, window: tuple[str, str] | None = None) -> Query:
    return Query.parse(text, schema=SCHEMA, path="q.graphql", name="q", window=window)


def events(start: str, end: str, type_: str = "DateTime", arguments: str = "a: ${} b: ${}") -> str:
    bound = arguments.replace("{}", start, 1).replace("{}", end, 1)
    return f"query (${start}: {type_}, ${end}: {type_}) {{ events({bound}) {{ id }} }}"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("from", "to"),
        ("since", "until"),
        ("start", "end"),
        ("windowStart", "windowEnd"),
        ("changed_from", "changed_to"),
        ("updatedFrom", "updatedTo"),
        ("createdAfter", "createdBefore"),
        ("updated_at_gte", "updated_at_lt"),
    ],
)
def test_a_window_is_found_by_its_names(start: str, end: str) -> None:
    query = load(events(start, end))
    assert query.window_variables(*DAY) == {start: "2026-11-22T00:00:00Z", end: "2026-11-23T00:00:00Z"}


def test_two_variables_of_any_name_can_be_the_window() -> None:
    assert load(events("x", "y")).window is None
    assert load(events("x", "y")).window_variables(*DAY) == {}
    query = load(events("x", "y"), ("x", "y"))
    assert query.window_variables(*DAY) == {"x": "2026-11-22T00:00:00Z", "y": "2026-11-23T00:00:00Z"}
    with pytest.raises(QueryError, match="the window's variable z is not in the query"):
        load(events("x", "y"), ("x", "z"))


@pytest.mark.parametrize(
    ("type_", "arguments", "value"),
    [
        ("String", "text: ${} other: ${}", "2026-11-22T00:00:00Z"),
        ("timestamptz", "tz: ${} tz2: ${}", "2026-11-22T00:00:00Z"),
        ("AWSDateTime", "aws: ${} aws2: ${}", "2026-11-22T00:00:00Z"),
        ("Date", "day: ${} last: ${}", "2026-11-22"),
    ],
)
def test_values_are_written_for_the_type(type_: str, arguments: str, value: str) -> None:
    query = load(events("from", "to", type_, arguments))
    assert query.window_variables(*DAY)["from"] == value


def test_a_day_is_that_of_the_partitions_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, end = datetime(2026, 11, 22, tzinfo=berlin), datetime(2026, 11, 23, tzinfo=berlin)
    dates = load(events("from", "to", "Date", "day: ${} last: ${}"))
    assert dates.window_variables(start, end) == {"from": "2026-11-22", "to": "2026-11-23"}
    instants = load(events("from", "to"))
    assert instants.window_variables(start, end)["from"] == "2026-11-21T23:00:00Z"
    with pytest.raises(ConfigurationError, match="the query's window has days only"):
        dates.window_variables(start, start.replace(hour=1))
    with pytest.raises(ConfigurationError, match="need a time zone"):
        instants.window_variables(start.replace(tzinfo=None), end)


@pytest.mark.parametrize(
    ("type_", "arguments"), [("Int", "n: ${} m: ${}"), ("Epoch", "epoch: ${} until: ${}")]
)
def test_a_type_that_is_no_time_is_refused(type_: str, arguments: str) -> None:
    with pytest.raises(QueryError, match=rf"\$from is {type_}, and a window needs a DateTime"):
        load(events("from", "to", type_, arguments).replace("events(n", "counted(n"))


def test_bounds_of_a_lookup_are_no_keys_and_texts_that_are_all_keys_are_no_window() -> None:
    person = load(
        "query ($id: ID!, $from: DateTime!, $to: DateTime!) { person(id: $id, from: $from, to: $to)"
        " { name: id } }"
    )
    assert isinstance(person.plan, Keyed)
    assert person.tables["q"].names == ["id", "name", "fetched_at"]
    assert person.window is not None
    flight = load("query ($from: String!, $to: String!) { flight(from: $from, to: $to) { id } }")
    assert flight.tables["q"].names == ["from", "to", "id", "fetched_at"]
    assert flight.window is None
    report = load("query ($from: DateTime!, $to: DateTime!) { report(from: $from, to: $to) { id } }")
    assert report.tables["q"].names == ["id", "fetched_at"]
    assert report.window is not None

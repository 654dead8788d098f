"""Windows: two variables that a partition fills, from its start on and before its end."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from graphql import build_schema

from resources.errors import ConfigurationError, QueryError
from resources.graphql.plan import Keyed, Listed, Paging, Window
from resources.graphql.plan.window import Form
from resources.graphql.query import Query

SCHEMA = build_schema(
    """
    scalar DateTime scalar Date scalar timestamptz scalar AWSDateTime scalar Epoch
    scalar LocalDateTime scalar timestamp scalar Long
    type Query {
      events(a: DateTime, b: DateTime, text: String, other: String, day: Date, last: Date,
        tz: timestamptz, tz2: timestamptz, aws: AWSDateTime, aws2: AWSDateTime,
        epoch: Epoch, until: Epoch, local: LocalDateTime, local2: LocalDateTime,
        ts: timestamp, ts2: timestamp, yes: Boolean, no: Boolean): [Event!]!
      counted(text: String, other: String, n: Int, m: Int): [Event!]!
      longs(long: Long, long2: Long): [Event!]!
      after(after: timestamp, before: timestamp): [Event!]!
      flight(from: String!, to: String!): Event
      person(id: ID!, from: DateTime!, to: DateTime!): Event
      report(from: DateTime!, to: DateTime!): Event
    }
    type Event { id: ID! }
    """
)
DAY = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)


def load(text: str, window: Window | tuple[str, str] | None = None, **scalars: str) -> Query:
    return Query.parse(text, schema=SCHEMA, path="q.graphql", name="q", window=window, scalars=scalars)


def events(start: str, end: str, type_: str = "DateTime", arguments: str = "a: ${} b: ${}") -> str:
    bound = arguments.replace("{}", start, 1).replace("{}", end, 1)
    field = {"Int": "counted", "Long": "longs"}.get(type_, "events")
    return f"query (${start}: {type_}, ${end}: {type_}) {{ {field}({bound}) {{ id }} }}"


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
        ("LocalDateTime", "local: ${} local2: ${}", "2026-11-22T00:00:00"),
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


def test_a_local_time_is_that_of_the_partitions_zone_and_loses_no_hour() -> None:
    query = load(events("from", "to", "LocalDateTime", "local: ${} local2: ${}"))
    summer_ends = datetime(2026, 10, 24, 22, tzinfo=UTC)
    hours = [(summer_ends + timedelta(hours=n)).astimezone(ZoneInfo("Europe/Berlin")) for n in range(5)]
    bounds = [query.window_variables(*pair) for pair in pairwise(hours)]
    assert bounds[0] == {"from": "2026-10-25T00:00:00", "to": "2026-10-25T01:00:00"}
    assert [b["to"] for b in bounds[:-1]] == [b["from"] for b in bounds[1:]]
    assert bounds[-1]["to"] == "2026-10-25T03:00:00"


@pytest.mark.parametrize(
    ("type_", "arguments", "form", "value"),
    [
        ("Int", "n: ${} m: ${}", "seconds", 1795305600),
        ("Long", "long: ${} long2: ${}", "milliseconds", 1795305600000),
        ("Epoch", "epoch: ${} until: ${}", "seconds", 1795305600),
        ("Epoch", "epoch: ${} until: ${}", "local", "2026-11-22T00:00:00"),
        ("String", "text: ${} other: ${}", "date", "2026-11-22"),
    ],
)
def test_a_user_says_how_the_bounds_are_written(
    type_: str, arguments: str, form: Form, value: object
) -> None:
    query = load(events("from", "to", type_, arguments), Window("from", "to", form))
    assert query.window_variables(*DAY)["from"] == value


@pytest.mark.parametrize(
    ("type_", "arguments", "form", "message"),
    [
        ("Int", "n: ${} m: ${}", "milliseconds", r"\$from is Int, which does not hold milliseconds"),
        ("Int", "n: ${} m: ${}", "instant", r"\$from is Int, which does not hold instant"),
        ("String", "text: ${} other: ${}", "seconds", r"\$from is String, which does not hold seconds"),
        ("Int", "n: ${} m: ${}", "days", "a window's form is one of instant, date, local, seconds, "),
    ],
)
def test_a_form_that_the_type_does_not_hold_is_refused(
    type_: str, arguments: str, form: Form, message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        load(events("from", "to", type_, arguments), Window("from", "to", form))


def test_a_moment_between_two_seconds_is_refused() -> None:
    query = load(events("from", "to", "Int", "n: ${} m: ${}"), Window("from", "to", "seconds"))
    with pytest.raises(ConfigurationError, match=r"window has seconds, and 2026-11-22T00:00:00\.5"):
        query.window_variables(DAY[0].replace(microsecond=500000), DAY[1])


SCALAR_WAY = (
    r"say what the scalar is, as in {0}=timestamp or {0}=local timestamp or {0}=date \(scalars, TARGET"
)
FORM_WAY = r'its form, as in window=Window\("from", "to", "seconds"\)'
RENAME = "; if it is the bound of something else, give the variable another name"


@pytest.mark.parametrize(
    ("type_", "arguments", "ways"),
    [
        ("Int", "n: ${} m: ${}", [f"time, say {FORM_WAY}{RENAME}"]),
        ("Epoch", "epoch: ${} until: ${}", [SCALAR_WAY, f"or {FORM_WAY}{RENAME}"]),
        ("timestamp", "ts: ${} ts2: ${}", [SCALAR_WAY, f"or {FORM_WAY}{RENAME}"]),
        ("Boolean", "yes: ${} no: ${}", [f"a Date or a String{RENAME}"]),
    ],
)
def test_a_type_that_is_no_time_is_refused_with_the_ways_out(
    type_: str, arguments: str, ways: list[str]
) -> None:
    for way in (rf"\$from is {type_}, and a window needs a DateTime", *ways):
        with pytest.raises(QueryError, match=way.replace("{0}", type_)):
            load(events("from", "to", type_, arguments))


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("timestamp", "2026-11-22T00:00:00Z"),
        ("local timestamp", "2026-11-22T00:00:00"),
        ("date", "2026-11-22"),
    ],
)
def test_a_scalar_that_is_configured_is_a_time(word: str, value: str) -> None:
    query = load(events("from", "to", "timestamp", "ts: ${} ts2: ${}"), timestamp=word)
    assert query.window_variables(*DAY)["from"] == value


def test_a_bound_of_a_configured_type_is_no_cursor() -> None:
    text = (
        "query ($createdAfter: timestamp, $createdBefore: timestamp) "
        "{ after(after: $createdAfter, before: $createdBefore) { id } }"
    )
    query = load(text, timestamp="local timestamp")
    assert isinstance(query.plan, Listed)
    assert query.plan.strategy == "whole"
    assert query.window


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("cursorAfter", "cursorBefore"),
        ("startCursor", "endCursor"),
        ("pageTokenFrom", "pageTokenTo"),
        ("idGte", "idLt"),
        ("fromAddress", "toAddress"),
        ("from_currency", "to_currency"),
    ],
)
def test_the_bounds_of_what_is_no_time_are_no_window(start: str, end: str) -> None:
    assert load(events(start, end, "String", "text: ${} other: ${}")).window is None
    assert load(events(start, end)).window, "a DateTime is one, whatever its name"


def test_of_two_windows_that_of_times_counts_and_else_the_user_chooses() -> None:
    text = (
        "query ($nameFrom: String, $nameTo: String, $ageFrom: {0}, $ageTo: {0}) "
        "{ {3}(text: $nameFrom, other: $nameTo, {1}: $ageFrom, {2}: $ageTo) { id } }"
    )
    timed = text.replace("{0}", "DateTime").replace("{1}", "a").replace("{2}", "b")
    timed = timed.replace("{3}", "events")
    window = load(timed).window
    assert window
    assert window.names == ("ageFrom", "ageTo")
    untimed = text.replace("{0}", "Int").replace("{1}", "n").replace("{2}", "m")
    untimed = untimed.replace("{3}", "counted")
    choice = r'window=\("nameFrom", "nameTo"\) or window=\("ageFrom", "ageTo"\)'
    with pytest.raises(QueryError, match=choice):
        load(untimed)
    names, whole = ("nameFrom", "nameTo"), Paging(strategy="whole")
    query = Query.parse(untimed, schema=SCHEMA, path="q.graphql", name="q", window=names, paging=whole)
    assert query.window == Window("nameFrom", "nameTo", "instant")


def test_a_window_has_one_form() -> None:
    text = "query ($from: DateTime, $to: Date) { events(a: $from, last: $to) { id } }"
    with pytest.raises(QueryError, match=r"one form, and \$from has that of instant, \$to that of date"):
        load(text)


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

"""The decoder: what a server answers arrives exactly, or the table is refused."""

import datetime as dt
import json
import re
import traceback
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from graphql import build_schema
from hypothesis import given
from hypothesis import strategies as st

from resources.graphql.columns import Column, ColumnType, ListOf, Scalar, Struct, snake_case
from resources.graphql.decoding.arrow import Misfit, table
from resources.graphql.raw import DECODER
from resources.graphql.scalars import Scalars, unknown_scalars

DECLARED = "Money BigInt BigDecimal DateTime LocalDateTime Date Time"
ANY = build_schema(
    f"scalar {DECLARED.replace(' ', ' scalar ')} enum Kind {{ A }} type Query {{ a: String kind: Kind }}"
)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def column(name: str, type_: ColumnType) -> tuple[Column, ...]:
    return (Column(name, type_),)


def leaf(name: str, **configured: str) -> Scalar:
    return Scalars(ANY, configured).scalar(name)


def decoded(value: object, scalar: str, **configured: str) -> object:
    return table([{"v": value}], column("v", leaf(scalar, **configured)))["v"].to_pylist()[0]


def micros(value: object) -> int:
    """Read an instant as microseconds since 1970; Python's datetimes end before Arrow's."""
    return table([{"v": value}], column("v", leaf("Instant")))["v"].cast(pa.int64()).to_pylist()[0]


SCALAR_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "String": st.text(st.characters(exclude_categories=["Cs"])),
    "ID": st.text(max_size=5),
    "Int": st.integers(-(2**63), 2**63 - 1),
    "Float": st.floats(allow_nan=False, allow_infinity=False).map(Decimal),
    "Boolean": st.booleans(),
}


def types(depth: int = 3) -> st.SearchStrategy[ColumnType]:
    leaves = st.sampled_from(sorted(SCALAR_VALUES)).map(leaf)
    if depth == 0:
        return leaves
    inner = types(depth - 1)
    struct = st.lists(inner, min_size=1, max_size=3).map(
        lambda found: Struct(tuple(Column(f"f{i}", type_) for i, type_ in enumerate(found)))
    )
    return st.one_of(leaves, inner.map(ListOf), struct)


def values(type_: ColumnType) -> st.SearchStrategy[Any]:
    match type_:
        case Scalar():
            found = SCALAR_VALUES[type_.name]
        case ListOf():
            found = st.lists(values(type_.item), max_size=3)
        case Struct():
            found = st.fixed_dictionaries({c.key: values(c.type) for c in type_.fields})
    return st.none() | found


@given(st.data())
def test_a_table_equals_the_answers_it_was_made_from(data: st.DataObject) -> None:
    type_ = data.draw(types())
    rows = data.draw(st.lists(st.fixed_dictionaries({"v": values(type_)}), max_size=5))
    assert table(rows, column("v", type_)).to_pylist() == rows


@given(
    st.datetimes(dt.datetime.min + dt.timedelta(2), dt.datetime.max - dt.timedelta(2)),
    st.integers(0, 9),
    st.integers(0, 999_999_999),
    st.sampled_from(["Z", "+00:00", "+05:30", "-03:00", "+14:00"]),
)
def test_an_instant_keeps_six_digits_of_its_fraction(
    moment: dt.datetime, digits: int, nanos: int, zone: str
) -> None:
    fraction = f"{nanos:09d}"[:digits]
    text = f"{moment:%H:%M:%S}" + (f".{fraction}" if fraction else "") + zone
    text = f"{moment.year:04d}-{moment:%m-%d}T{text}"
    kept = re.sub(r"(\.\d{6})\d+", r"\1", text)
    expected = dt.datetime.fromisoformat(kept) - EPOCH
    assert micros(text) == expected // dt.timedelta(microseconds=1)


def test_the_sentinel_of_the_year_9999_is_kept() -> None:
    assert decoded("9999-12-31T23:59:59Z", "Instant") == dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "scalar", "expected"),
    [
        (12, "ID", "12"),
        ("12", "Int", 12),
        (Decimal("2.0"), "Int", 2),
        ("-0.5e3", "Float", -500.0),
        (7, "Float", 7.0),
        ("9007199254740993", "Long", 9007199254740993),
        ({"a": [1]}, "JSON", '{"a":[1]}'),
        ("text", "JSON", '"text"'),
        ({"a": 1}, "Whatever", '{"a":1}'),
        ("as it is", "Whatever", "as it is"),
        ("2026-11-22", "Date", dt.date(2026, 11, 22)),
        ("2026-11-22", "local_date", dt.date(2026, 11, 22)),
        ("10:15", "Time", dt.time(10, 15)),
        ("23:59:59.123456789", "LocalTime", dt.time(23, 59, 59, 123456)),
        ("2026-11-22T10:15:30.5", "LocalDateTime", dt.datetime(2026, 11, 22, 10, 15, 30, 500000)),
        ("2026-11-22 10:15:30.123456789", "NaiveDateTime", dt.datetime(2026, 11, 22, 10, 15, 30, 123456)),
        ("2026-11-22 10:15+0530", "timestamptz", dt.datetime(2026, 11, 22, 4, 45, tzinfo=dt.UTC)),
        ("2026-11-22T10+05", "timestamptz", dt.datetime(2026, 11, 22, 5, tzinfo=dt.UTC)),
        ("2026-11-22T10:15:30+02:00", "timestamptz", dt.datetime(2026, 11, 22, 8, 15, 30, tzinfo=dt.UTC)),
        (Decimal("0.1"), "Decimal", Decimal("0.1")),
        (Decimal("1.5"), "Timestamp", "1.5"),
        (1700000000000, "Timestamp", "1700000000000"),
        (7, "UUID", "7"),
        ("text", "jsonb", '"text"'),
        ([True], "GenericScalar", "[true]"),
        ('{"a": 1}', "JSONString", '{"a": 1}'),
    ],
)
def test_what_servers_differ_in_is_accepted(value: object, scalar: str, expected: object) -> None:
    assert decoded(value, scalar) == expected


@pytest.mark.parametrize(
    ("value", "scalar"),
    [
        (True, "String"),
        ([], "String"),
        (True, "Int"),
        (2**63, "Int"),
        (Decimal("1e999999999"), "Int"),
        (Decimal("1.5"), "Int"),
        (Decimal("1e400"), "Float"),
        ("1e400", "Float"),
        (Decimal("1.5"), "Boolean"),
        ("1e3", "Int"),
        ("١٢x", "Int"),
        (2**53 + 1, "Float"),
        ("9007199254740993", "Float"),
        (Decimal("9007199254740993.0"), "Float"),
        (Decimal("9007199254740991.5"), "Float"),
        (123456789012345678901234567890, "Float"),
        (10**400, "Float"),
        (Decimal("1e-400"), "Float"),
        ("1e-99999999999999999999", "Float"),
        ("nan", "Float"),
        ("Infinity", "Float"),
        ("-Infinity", "Int"),
        ("NaN", "Int"),
        (False, "Float"),
        (1, "Boolean"),
        ("true", "Boolean"),
        (1700000000, "Instant"),
        ("soon", "Instant"),
        ("", "Instant"),
        ("-0044-03-15T00:00:00Z", "Instant"),
        ("10000-01-01T00:00:00Z", "Instant"),
        ("2026-11-22T24:00:00Z", "Instant"),
        ("2026-11-22T23:59:60Z", "Instant"),
        ("2026-11-22t10:00:00z", "Instant"),
        ("2026-11-22T10:00:00 +01:00", "Instant"),
        ("2026-11-22T10:00:00+24:00", "Instant"),
        ("2026-11-22T10:00:00\u221201:00", "Instant"),
        ("2026-02-29T10:00:00Z", "Instant"),
        (" 2026-11-22T10:00:00Z", "Instant"),
        ("2026-11-22T10:00:00Z[Etc/UTC]", "Instant"),
        ("10000-01-01", "Date"),
        ("2026-11-22Z", "Date"),
        (20261122, "Date"),
        ("2026-03-11T19:02:45", "Instant"),
        ("2026-13-11T19:02:45Z", "Instant"),
        ("22.11.2026", "Date"),
        ("2026-11-22T00:00:00Z", "Date"),
        ("10", "Time"),
        ("10:15:30Z", "Time"),
        ("10:15:30+02:00", "Time"),
        ("24:00", "Time"),
        ("23:59:60", "Time"),
        ("10:15-01", "Time"),
        ("T10:15", "Time"),
        (36000, "Time"),
        ("2026-11-22T10:15:30Z", "LocalDateTime"),
        ("2026-11-22T10:15:30+02:00", "LocalDateTime"),
        ("2026-11-22", "LocalDateTime"),
        ("2026-11-22T24:00", "LocalDateTime"),
        ("2026-11-22T10:15:30-0100", "LocalDateTime"),
        (1700000000, "LocalDateTime"),
        (Decimal("0.0000000001"), "Decimal"),
        (Decimal("1e29"), "Decimal"),
        (Decimal("1e-999999999"), "Decimal"),
        (Decimal("1e999999999"), "Decimal"),
        ("1e99999999999999999999", "Decimal"),
        ("NaN", "Decimal"),
        (True, "Decimal"),
        (10**20, "UnsignedInt64"),
        ({}, "UUID"),
        (True, "URL"),
        ("a \ud800 surrogate", "UUID"),
        ({"a": "\ud800"}, "JSON"),
    ],
)
def test_a_value_that_fits_no_type_is_refused_and_not_shown(value: object, scalar: str) -> None:
    with pytest.raises(Misfit) as caught:
        table([{"v": None}, {"v": value}], column("v", leaf(scalar)))
    assert (caught.value.row, caught.value.path) == (1, "v")
    shown = "".join(traceback.format_exception(caught.value))
    if isinstance(value, str):
        said = re.sub(r"line \d+", "", shown)
        assert not value or value not in said, "an error of Arrow, perhaps, shows the value"


@pytest.mark.parametrize(
    ("sent", "scalar", "expected"),
    [
        ("12345678901234567.89", "BigDecimal", Decimal("12345678901234567.890000000")),
        ("1e28", "Decimal", Decimal("1e28")),
        ("0.10000000000000000000", "numeric", Decimal("0.1")),
        (f"1.{'0' * 400}", "Decimal", Decimal(1)),
        ("-7", "BigFloat", Decimal(-7)),
        (f'"{"9" * 29}.999999999"', "Decimal", Decimal("9" * 29 + ".999999999")),
        ("18446744073709551615", "UnsignedInt64", Decimal(2**64 - 1)),
        ('"18446744073709551615"', "uint64", Decimal(2**64 - 1)),
        ("0.10", "String", "0.10"),
        ('{"net":[0.10,18446744073709551617]}', "JSON", '{"net":[0.10,18446744073709551617]}'),
        ("18446744073709551617", "ID", "18446744073709551617"),
        ("3.0", "Int", 3),
        ("9007199254740993.0", "Long", 9007199254740993),
        ("0.1", "Float", 0.1),
        ("-0.0", "Float", -0.0),
        ("5e-324", "Float", 5e-324),
        ("1e22", "Float", 1e22),
        ("1e23", "Float", 1e23),
        ('"1e23"', "Float", 1e23),
        ("9.9999999999999992e+22", "Float", 1e23),
        ("99999999999999991611392", "Float", 1e23),
        ("1.7976931348623157e308", "Float", 1.7976931348623157e308),
        ("100000000000000000", "Float", 1e17),
        ("123456789012345680000", "Float", 123456789012345680000.0),
        ('"9007199254740994"', "Float", 2.0**53 + 2),
        ("0.10000000000000000555", "Float", 0.1),
        ("0e-400", "Float", 0.0),
        ("-0", "Int", 0),
        ("-0.0", "Int", 0),
        ("1e18", "Int", 10**18),
        ("-0.00", "Decimal", Decimal(0)),
    ],
)
def test_a_number_keeps_the_digits_that_were_sent(sent: str, scalar: str, expected: object) -> None:
    assert decoded(DECODER.decode(sent.encode()), scalar) == expected


@pytest.mark.parametrize(
    ("value", "scalar", "words"),
    [
        (2**63, "BigInt", ["decimal(38,0)", "text"]),
        (Decimal("1.5"), "Int", ["decimal(38,9)", "float64", "text"]),
        ("1.0", "Int", ["decimal(38,0)", "text"]),
        (Decimal("1e-18"), "BigDecimal", ["decimal(38,18)", "float64", "text"]),
        (Decimal("1e29"), "Decimal", ["decimal(38,0)", "text"]),
        ("1.12345678901234567890", "Decimal", ["decimal(38,28)", "text"]),
        (2**53 + 1, "Float", ["int64", "text"]),
        ("NaN", "Float", ["text"]),
        ("2026-11-22T10:15:30", "DateTime", ["local timestamp", "text"]),
        ("2026-11-22", "DateTime", ["date", "text"]),
        ("2026-11-22", "LocalDateTime", ["date", "text"]),
        (1700000000, "DateTime", ["int64", "text"]),
        ("22.11.2026", "Date", ["text"]),
        ("2026-11-22T10:15:30Z", "Date", ["timestamp", "text"]),
        ("2026-11-22T10:15:30Z", "LocalDateTime", ["timestamp", "text"]),
        ("2026-11-22T10:15:30Z", "Time", ["timestamp", "text"]),
        ("10:15:30Z", "Time", ["text"]),
        (1, "Boolean", ["int64", "text"]),
        (True, "String", ["bool", "json"]),
        ({"lat": 1}, "String", ["json"]),
        ([], "String", ["json"]),
    ],
)
def test_a_misfit_names_the_settings_that_keep_such_a_value(
    value: object, scalar: str, words: list[str]
) -> None:
    with pytest.raises(Misfit) as caught:
        decoded(value, scalar)
    settings = " or ".join(f"{scalar}={word}" for word in words)
    setting = f"scalars (TARGETDATA_SCALARS or GRAPHQL_SCALARS) with {settings}"
    advice = f"; if the server means it so, {setting} keeps it"
    assert str(caught.value).endswith(advice)
    for word in words:
        assert decoded(value, scalar, **{scalar: word}) is not None


@pytest.mark.parametrize(
    ("value", "scalar"), [("\ud800", "UUID"), ("\ud800", "Time"), (True, "Kind"), ({}, "Kind")]
)
def test_where_no_setting_helps_none_is_named(value: object, scalar: str) -> None:
    with pytest.raises(Misfit) as caught:
        decoded(value, scalar)
    assert "TARGETDATA_SCALARS" not in str(caught.value)


def test_an_enum_may_be_a_number() -> None:
    assert decoded(7, "Kind") == "7"


def test_dates_before_the_year_1_are_kept_although_python_has_none() -> None:
    cells = table([{"v": "0000-01-01"}], column("v", leaf("Date")))["v"]
    assert cells.cast(pa.string()).to_pylist() == ["0000-01-01"]
    assert micros("0001-01-01T00:00:00+14:00") < micros("0001-01-01T00:00:00Z")


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=2, min_value=-(10**16) + 1, max_value=10**16 - 1
    ),
    st.sampled_from(["number", "text"]),
)
def test_a_decimal_arrives_with_its_digits(value: Decimal, form: str) -> None:
    sent = str(value) if form == "number" else f'"{value}"'
    assert decoded(DECODER.decode(sent.encode()), "Money", Money="decimal(18,2)") == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_arrives_as_it_was_sent(value: float) -> None:
    assert repr(decoded(DECODER.decode(json.dumps(value).encode()), "Float")) == repr(value)


@given(st.integers(-(10**17), 10**17) | st.integers(-(2**10), 2**10).map(lambda near: 2**53 + near))
def test_an_integer_in_a_float_is_exact_or_refused_whatever_its_form(value: int) -> None:
    for sent in (f"{value}", f"{value}.0", f"{value}e0", f'"{value}"', f'"{value}.00"'):
        number = DECODER.decode(sent.encode())
        if int(float(value)) == value:
            assert decoded(number, "Float") == value
        else:
            with pytest.raises(Misfit):
                decoded(number, "Float")


def test_a_misfit_names_the_row_and_the_path_through_lists_and_objects() -> None:
    item = Struct(column("lastSeen", ListOf(leaf("Instant"))))
    rows = [{"xs": []}, {"xs": None}, {"xs": [None, {"lastSeen": None}]}, {"xs": [{"lastSeen": [None, "?"]}]}]
    with pytest.raises(Misfit) as caught:
        table(rows, column("xs", ListOf(item)))
    assert (caught.value.row, caught.value.path) == (3, "xs.last_seen")


def test_a_field_that_the_answer_lacks_is_no_null() -> None:
    with pytest.raises(Misfit, match="lacks this field"):
        table([{"v": 1}, {}], column("v", leaf("Int")))


@pytest.mark.parametrize(("type_", "value"), [(ListOf(leaf("Int")), {}), (Struct(()), [])])
def test_an_answer_of_another_shape_is_refused(type_: ColumnType, value: object) -> None:
    with pytest.raises(Misfit, match="is expected, not"):
        table([{"v": value}], column("v", type_))


def test_zero_rows_have_the_full_types() -> None:
    type_ = ListOf(Struct(column("changeDate", leaf("Instant"))))
    assert (
        table([], column("attributes", type_)).schema
        == table([{"attributes": [{"changeDate": None}]}], column("attributes", type_)).schema
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("profileId", "profile_id"),
        ("umdids", "umdids"),
        ("URLPath", "url_path"),
        ("firstSeenByMasterFeed",) * 1 + ("first_seen_by_master_feed",),
        ("a1B", "a1_b"),
    ],
)
def test_names_become_snake_case(name: str, expected: str) -> None:
    assert snake_case(name) == expected


def test_scalars_of_which_nothing_is_known_are_named() -> None:
    columns = column("a", ListOf(Struct(column("b", leaf("Money"))))) + column("c", leaf("Int"))
    assert unknown_scalars(columns) == {"Money"}


@pytest.mark.parametrize(
    ("value", "scalar", "advice"),
    [
        (True, "String", "Event.day=bool or Event.day=json keeps it"),
        (
            "2026-11-22",
            "DateTime",
            "Event.day=date or Event.day=text keeps it (DateTime=… for all of its fields)",
        ),
    ],
)
def test_advice_names_the_field_and_the_scalar_if_it_is_not_built_in(
    value: object, scalar: str, advice: str
) -> None:
    with pytest.raises(Misfit) as caught:
        table([{"v": value}], column("v", Scalars(ANY).scalar(scalar, "Event.day")))
    assert str(caught.value).endswith(f" with {advice}")

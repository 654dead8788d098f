"""The fast decoder against the exact one: the same table, or none."""

import json
import math
import re
import struct
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from random import Random
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from graphql import build_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.errors import QueryError
from resources.graphql.columns import Column, ColumnType, ListOf, Scalar, Struct
from resources.graphql.decoding import arrow
from resources.graphql.decoding.decoder import MISSES, Decoder
from resources.graphql.decoding.doubles import doubles_in
from resources.graphql.decoding.lines import WORDS, Lines
from resources.graphql.query import Query
from resources.graphql.raw import DECODER, UNDECODABLE, RawRow, opened
from resources.graphql.scalars import ENUM, JSON, TEXT, UNKNOWN, kept_as

randoms = st.integers(0, 2**64).map(Random)
LEAVES = [*(Scalar("X", kept_as(word) or UNKNOWN) for word in sorted(WORDS)), Scalar("X", ENUM)]
DECIMALS = [
    Scalar("X", kept_as(f"decimal({digits})") or UNKNOWN)
    for digits in ("38,9", "18,2", "20,0", "4,4", "38,38")
]
FLOAT = Scalar("X", kept_as("float64") or UNKNOWN)
OWN_TEXT = Scalar("X", TEXT)
TEXTS = ["", "a", "Ä\n", ":", '":', 'x":', '\\":', "null", '{"a":1}', "\u2028", "\U0001f600", "\0", "123"]
FITTING: dict[str, list[Any]] = {
    "int64": [0, -1, 2**53 + 1, 2**63 - 1, -(2**63)],
    "float64": [0, 0.0, -0.0, 0.1, -1.5, 2**53 - 1, 1e-290, 123456.789012345678],
    "decimal": ["0", "-0.0", "0.123456789", "+12.5", "99999999999999999999999999999.", ".5"],
    "bool": [True, False],
    "date": ["2026-11-22", "0001-01-01", "9999-12-31"],
    "time": ["23:59:59", "00:00", "12:00:00.1", "12:00:00.1234567"],
    "timestamp": [
        "2026-11-22T05:06:07Z",
        "2026-11-22T05:06:07.123456789Z",
        "9999-12-31T23:59:59.999999+02:00",
        "0001-01-01 00:00:00.1Z",
    ],
    "local timestamp": ["2026-11-22T05:06:07", "2026-11-22T05:06:07.1234567", "1969-12-31T23:59"],
}
ODD: list[Any] = [
    *(0, -0.0, 1.0, 1.5, 1e400, 2**63, 2**64, 10**30, True, "1", "x", "2026-11-22", "05:06"),
    *("2026-11-22T05:06:07", "2026-11-22T05:06:07.1234567", "10000-01-01T00:00:00Z", "\ud800"),
    *([], {}, [[]], [None], {"a": None}, {"a": 1, "b": "x"}),
    *(12.25, "12.25", 0.5, "0.5", "1.0000000000", 1e-5, "1e2", "@-0@", "@0e-400@", "@1e-400@", "-0", 1e23),
]
SENT_BARE = re.compile(r'"@([^"@]*)@"')  # numbers that Python would write otherwise
PIECES = [
    b'"',
    b"\\",
    b":",
    b",",
    b"null",
    b" ",
    b"\\u0061",
    b"0",
    b"-",
    b"1e2",
    b'"a":',
    b"[",
    b"]",
    b"{}",
    b"\xff",
]


def column_type(random: Random, depth: int = 2) -> ColumnType:
    match random.randrange(5) if depth else 0:
        case 3:
            return ListOf(column_type(random, depth - 1))
        case 4:
            return Struct(columns(random, depth - 1))
        case _:
            return random.choice(LEAVES)


def columns(random: Random, depth: int = 2) -> tuple[Column, ...]:
    return tuple(
        Column(name, column_type(random, depth)) for name in ("a", "bC", "d_1")[: random.randint(1, 3)]
    )


def fitting(random: Random, type_: ColumnType, odd: float) -> Any:
    """A value as servers send it; with some probability another one, or an object that lacks a field."""
    if random.random() < odd:
        return random.choice(ODD)
    if random.random() < 0.15:
        return None
    match type_:
        case ListOf():
            return [fitting(random, type_.item, odd) for _ in range(random.randrange(4))]
        case Struct():
            return row_of(random, type_.fields, odd)
        case Scalar():
            return random.choice(FITTING.get(type_.kept.word, TEXTS))


def row_of(random: Random, shape: tuple[Column, ...], odd: float) -> dict[str, Any]:
    """An object with fields in any order."""
    found = {column.key: fitting(random, column.type, odd) for column in shape if random.random() >= odd / 2}
    return dict(random.sample(list(found.items()), len(found)))


def raw(row: Mapping[str, Any], **options: Any) -> RawRow:
    text = SENT_BARE.sub(r"\1", json.dumps(row, **options))
    return RawRow(msgspec.Raw(text.encode(errors="replace")))


def made_by(decode: Any) -> pa.Table | None:
    try:
        return decode()
    except (arrow.Misfit, *UNDECODABLE):
        return None


def exactly(rows: list[RawRow], shape: tuple[Column, ...]) -> pa.Table | None:
    return made_by(lambda: arrow.table([row.whole() for row in rows], shape))


def require_same_or_none(rows: list[RawRow], shape: tuple[Column, ...]) -> None:
    lines = Lines.of(shape)
    assert lines
    fast = lines.table(rows)
    if fast is None:
        return
    fast.validate(full=True)
    exact = exactly(rows, shape)
    assert exact is not None, "only the fast decoder takes it"
    assert fast.schema.equals(exact.schema)
    assert fast.equals(exact), (fast.to_pylist(), exact.to_pylist())
    assert bits(fast) == bits(exact)  # equal are -0.0 and 0.0 too


def bits(table: pa.Table) -> list[bytes]:
    arrays = [chunk for column in table.columns for chunk in column.chunks]
    return [doubles.tobytes() for array in arrays for doubles in doubles_in(array)]


@given(
    randoms,
    st.sampled_from([0.02, 0.1, 0.3]),
    st.booleans(),
    st.sampled_from([None, (",", ":"), (" , ", " :")]),
)
@settings(max_examples=600)
def test_values_of_any_kind_make_the_exact_table_or_none(
    random: Random, odd: float, ensure_ascii: bool, separators: Any
) -> None:
    shape = columns(random)
    rows = [row_of(random, shape, odd) for _ in range(random.randint(1, 4))]
    require_same_or_none([raw(r, ensure_ascii=ensure_ascii, separators=separators) for r in rows], shape)


@given(randoms)
@settings(max_examples=600)
def test_bytes_that_are_changed_anywhere_make_the_exact_table_or_none(random: Random) -> None:
    shape = columns(random)
    sent = bytearray(raw(row_of(random, shape, 0.02), ensure_ascii=random.random() < 0.5).raw)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(sent))
        sent[at : at + random.randrange(2)] = random.choice(PIECES)
    if is_object(bytes(sent)):
        require_same_or_none([RawRow(msgspec.Raw(bytes(sent)))], shape)


def is_object(sent: bytes) -> bool:
    """Say whether the gate would let it pass, and it could be a row."""
    try:
        sent.decode()
        return isinstance(DECODER.decode(sent), dict) and sent[:1] == b"{"
    except UNDECODABLE:
        return False


@given(randoms, st.sampled_from([None, (",", ":")]))
@settings(max_examples=300)
def test_what_servers_send_is_left_to_the_fast_decoder(random: Random, separators: Any) -> None:
    shape = columns(random)
    rows = [raw(row_of(random, shape, 0.0), separators=separators) for _ in range(random.randint(1, 4))]
    lines = Lines.of(shape)
    assert lines
    assert lines.table(rows) is not None


@pytest.mark.parametrize(
    "sent",
    [
        '{"b":":"}',
        '{"b":"a\\":"}',
        '{"b": ":"}',
        '{"b":"x","b":"y"}',
        '{"b":"x","c":"y"}',
        '{"a":"x","b":"y","a":"z"}',
        '{"a" :"x","b":"y"}',
        '{"a":1,"b":"y"}',
        '{"a":["x"],"b":"y"}',
        '{"a":"\\ud800","b":"y"}',
    ],
)
def test_what_only_the_exact_decoder_can_judge_is_left_to_it(sent: str) -> None:
    lines = Lines.of((Column("a", Scalar("X", TEXT)), Column("b", Scalar("X", TEXT))))
    assert lines
    assert lines.table([RawRow(msgspec.Raw(sent.encode()))]) is None


def double(random: Random) -> float:
    """Any double that is finite: its bits are random."""
    found: float = struct.unpack("<d", random.randbytes(8))[0]
    return found if math.isfinite(found) else double(random)


def digits(random: Random, most: int) -> str:
    return "".join(random.choices("0123456789" if random.random() < 0.7 else "09", k=random.randint(1, most)))


def halfway(random: Random) -> str:
    """The number between two doubles, or one that is a little more or less."""
    with localcontext(prec=1200):
        low = (
            double(random)
            if random.random() < 0.3
            else random.uniform(-1, 1) * 10.0 ** random.randint(-20, 16)
        )
        middle = (Decimal(low) + Decimal(math.nextafter(low, 0.0))) / 2
        return str(middle + random.choice((-1, 0, 1)) * Decimal(random.choice((0, 1))).scaleb(-1100))


def number(random: Random) -> str:
    """A number as JSON writes it, of any length and size."""
    sign = random.choice(("", "-"))
    match random.randrange(8):
        case 0:
            return repr(double(random))
        case 1:
            return halfway(random)
        case 2:
            return f"{sign}0.{'0' * random.randrange(400)}{digits(random, 30)}"
        case 3:
            exponent = random.choice((-320, -30, 0, 300)) + random.randint(-15, 15)
            return f"{sign}{random.randrange(10)}.{digits(random, 25)}e{exponent}"
        case 4:
            return f"{sign}{2**53 + random.randint(-2, 2)}{random.choice(('', '.0', '.5', 'e0', 'E-1'))}"
        case 5:
            return f"{sign}0{random.choice(('', '.0', 'e0', 'e-5', 'E+400', '.00e-999', '.' + '0' * 40))}"
        case 6:
            return f"{sign}{random.randrange(10**6)}.{digits(random, 12)}"
        case _:
            return f"{sign}{random.randrange(1, 10)}{digits(random, random.choice((2, 40, 400)))}"


@given(randoms)
@settings(max_examples=400)
def test_numbers_of_any_digits_make_the_exact_table_or_none(random: Random) -> None:
    leaf = random.choice((FLOAT, *DECIMALS))
    shape = (
        Column("a", leaf),
        Column("bC", ListOf(Struct((Column("a", leaf), Column("d_1", ListOf(leaf)))))),
    )
    rows = []
    for _ in range(random.randint(1, 3)):
        first, *others = (sent(random, leaf) for _ in range(random.choice((1, 2, 4))))
        rows.append(raw({"a": first, "bC": [{"a": other, "d_1": [other, None]} for other in others]}))
    require_same_or_none(rows, shape)


def sent(random: Random, leaf: Scalar) -> str | None:
    found = random.choice((number(random), repr(random.randint(-(10**4), 10**4) / 10**4), None))
    as_text = pa.types.is_decimal(leaf.arrow) and random.random() < 0.7
    return found if as_text or found is None else f"@{found}@"


@pytest.mark.parametrize(
    "odd", ["-0", "1e-400", "1e-0400", "0e-400", f"0.{'0' * 330}1", str(2**53), "1e400", '"1"']
)
def test_a_float_whose_digits_matter_is_left_to_the_exact_decoder(odd: str) -> None:
    assert by_lines(FLOAT, "1.5", odd) is None
    assert by_lines(FLOAT, odd, "0.0") is None


@pytest.mark.parametrize("plain", ["-0.0", "0", "0.0", "0e5", "5e-324", "1E-290", str(2**53 - 1), "1e15"])
def test_a_plain_float_is_left_to_the_fast_decoder(plain: str) -> None:
    assert repr(by_lines(FLOAT, plain)) == repr([float(plain)])


def test_texts_that_look_like_odd_numbers_do_not_keep_floats_from_the_fast_decoder() -> None:
    lines = Lines.of((Column("a", FLOAT), Column("b", Scalar("X", TEXT))))
    assert lines
    assert lines.table([raw({"a": 0.0, "b": "44e11f09-6b75-407e-9307-8be000000000"})])
    assert lines.table([raw({"a": 0.0, "b": "1e-400"})])


@pytest.mark.parametrize("price", ["12.25", "-0.50", "7", '"12.25"', '"+7."', '".5"', "0.00"])
def test_a_decimal_is_left_to_the_fast_decoder_as_a_number_and_as_text(price: str) -> None:
    assert by_lines(DECIMALS[1], price) == [Decimal(price.strip('"'))]


@pytest.mark.parametrize(
    "price", ["1e2", '"1e2"', "12.255", '"1e-2147483647"', "1e-2147483647", "1" * 17, '""']
)
def test_a_decimal_whose_digits_do_not_fit_at_once_is_left_to_the_exact_decoder(price: str) -> None:
    assert by_lines(DECIMALS[1], price) is None


def by_lines(leaf: Scalar, *values: str) -> list[Any] | None:
    lines = Lines.of((Column("a", leaf),))
    assert lines
    table = lines.table([RawRow(msgspec.Raw(f'{{"a":{value}}}'.encode())) for value in values])
    return None if table is None else table["a"].to_pylist()


@pytest.mark.parametrize(("outside", "inside"), [(DECIMALS[1], OWN_TEXT), (OWN_TEXT, DECIMALS[1])])
def test_a_number_that_is_text_elsewhere_is_not_put_in_quotes(outside: Scalar, inside: Scalar) -> None:
    def row(price: str, text: str) -> RawRow:
        first, second = (price, text) if outside is DECIMALS[1] else (text, price)
        return raw({"a": first, "b": {"a": second}})

    shape = (Column("a", outside), Column("b", Struct((Column("a", inside),))))
    lines = Lines.of(shape)
    assert lines
    assert lines.table([row("1.5", "x")])
    assert lines.table([row("1.5", "@-0@")]) is None
    assert lines.table([row("@1.5@", "x")]) is None
    require_same_or_none([row("1.5", "@1.50@")], shape)


def test_json_that_is_written_anew_is_not_for_the_fast_decoder() -> None:
    assert Lines.of((Column("a", Struct((Column("b", ListOf(Scalar("X", JSON))),))),)) is None


GRAPH = build_schema(
    """
    interface Named { name: String }
    type User implements Named { id: ID! name: String boss: User }
    type Query { user(id: ID!): User named(id: ID!): Named }
    """
)


@pytest.mark.parametrize(
    ("body", "is_fast"),
    [
        ("user(id: $key) { ...all boss { ...all } } } fragment all on User { id boss { name }", True),
        ("user(id: $key) { id ... on User { boss { ... { id ... on Named { name } } } }", True),
        ("user(id: $key) { ... on Named { name ... on User { id } }", True),
        ("named(id: $key) { __typename ... on User { id }", False),
    ],
)
def test_fragments_are_for_the_fast_decoder_unless_they_tell_types_apart(body: str, is_fast: bool) -> None:
    text = f"query ($key: ID!) {{ {body} }}" + ("" if "fragment" in body else " }")
    query = Query.parse(text, schema=GRAPH, path="q", name="q")
    assert (Lines.of(query.columns) is not None) == is_fast


def test_a_row_that_is_missing_a_field_is_named_among_those_that_are_not() -> None:
    shape = (Column("a", Scalar("X", TEXT)), Column("b", Struct((Column("c", Scalar("X", TEXT)),))))
    rows = [raw({"a": "x", "b": {"c": "y"}}), raw({"a": None, "b": None}), raw({"a": ":", "b": {}})]
    with pytest.raises(arrow.Misfit, match="the answer lacks this field") as caught:
        Decoder(shape).table(rows)
    assert (caught.value.row, caught.value.path) == (2, "b.c")


def test_a_number_beyond_all_is_named_by_its_row() -> None:
    shape = (Column("a", Scalar("X", TEXT)),)
    rows = [raw({"a": "x"}), RawRow(msgspec.Raw(b'{"a":1e99999999999999999999}'))]
    with pytest.raises(arrow.Misfit, match="beyond all that can be kept") as caught:
        Decoder(shape).table(rows)
    assert caught.value.row == 1


def test_a_server_whose_values_are_not_for_the_fast_decoder_is_not_tried_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []
    parse = Lines.table

    def counted(lines: Lines, rows: Sequence[RawRow]) -> pa.Table | None:
        tried.append(len(rows))
        return parse(lines, rows)

    monkeypatch.setattr(Lines, "table", counted)
    decoder = Decoder((Column("id", Scalar("ID", TEXT)),))
    decoder.table([raw({"id": 1})])
    decoder.table([raw({"id": "a"})])  # one page that is for it, and the count begins anew
    for _ in range(MISSES + 1):
        assert decoder.table([raw({"id": 1})]).to_pylist() == [{"id": "1"}]
    assert len(tried) == 2 + MISSES
    assert decoder.table([raw({"id": "a"}), raw({"id": 2})]).to_pylist() == [{"id": "a"}, {"id": "2"}]


def test_a_number_beyond_all_in_a_field_that_is_looked_at_is_a_typed_error() -> None:
    row = RawRow(msgspec.Raw(b'{"id":1e99999999999999999999,"a":"x"}'))
    assert row["a"] == "x"
    with pytest.raises(QueryError, match="beyond all that can be kept"):
        row.get("id")
    with pytest.raises(QueryError, match="beyond all that can be kept"):
        opened(msgspec.Raw(b"1e99999999999999999999"))


def test_rows_are_the_same_by_their_values_however_they_are_written() -> None:
    row = RawRow(msgspec.Raw(b'{"a":1,"b":[null]}'))
    assert row == RawRow(msgspec.Raw(b'{ "b" : [null], "a" : 1.0 }'))
    assert row != RawRow(msgspec.Raw(b'{"a":2,"b":[null]}'))
    assert row == {"a": 1, "b": [None]}

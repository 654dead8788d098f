"""Frames of every kind keep every value that a table of ours may hold."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.dataset as pads
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import LakeError
from resources.lake.frames.casting import cast, derived, exact
from resources.lake.frames.kinds import SUPPORTED, frame_of, table_from

INSTANT = pa.timestamp("us", tz="UTC")
INSTANTS = st.datetimes(timezones=st.just(UTC))
TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
ENTRY = pa.struct([("name", pa.string()), ("at", INSTANT), ("tags", pa.list_(pa.string()))])
ENTRIES = st.fixed_dictionaries(
    {"name": st.none() | TEXT, "at": st.none() | INSTANTS, "tags": st.none() | st.lists(st.none() | TEXT)}
)
VALUES: dict[pa.DataType, st.SearchStrategy[object]] = {
    pa.string(): TEXT,
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(allow_nan=False),
    pa.bool_(): st.booleans(),
    INSTANT: INSTANTS,
    pa.date32(): st.dates(),
    pa.decimal128(38, 9): st.decimals(-(10**20), 10**20, places=9),
    pa.list_(ENTRY): st.lists(st.none() | ENTRIES, max_size=3),
}
SCHEMA = pa.schema([(f"c{i}", type_) for i, type_ in enumerate(VALUES)])
ROW = st.fixed_dictionaries({f"c{i}": st.none() | values for i, values in enumerate(VALUES.values())})


@given(st.lists(ROW, max_size=5))
def test_a_table_comes_back_from_a_frame_as_it_was(rows: list[dict[str, object]]) -> None:
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    for kind in SUPPORTED:
        back = table_from(frame_of(pads.dataset(table), kind), "people")
        assert derived(back.schema, "people").equals(SCHEMA), kind
        assert cast(back, SCHEMA, "people").equals(table), kind


TYPES = [
    *(pa.int8(), pa.int64(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.string()),
    *(pa.decimal128(10, 2), pa.decimal128(4, 0), pa.date32(), pa.timestamp("us"), INSTANT),
    *(pa.timestamp("ms", "UTC"), pa.large_string(), pa.list_(pa.int64()), pa.large_list(pa.float64())),
    *(pa.struct([("a", pa.int64())]), pa.struct([("a", pa.int8())])),
]
AWARE = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SAMPLES: list[object] = [
    *(
        0,
        1,
        -1,
        127,
        2049,
        2**53 + 1,
        300,
        0.5,
        1.0,
        True,
        "1",
        "x",
        Decimal("1.25"),
        Decimal(7),
        date(2026, 1, 2),
    ),
    *(AWARE.replace(tzinfo=None), AWARE, [1], [2**60], {"a": 300}),
]


@given(
    st.sampled_from(TYPES), st.sampled_from(TYPES), st.lists(st.none() | st.sampled_from(SAMPLES), max_size=2)
)
def test_a_cast_that_is_called_exact_gives_the_same_values_or_fails(
    source: pa.DataType, target: pa.DataType, values: list[object]
) -> None:
    try:
        array = pa.array(values, source)
        before = array.to_pylist()  # which Python holds only up to the year 9999
        there = array.cast(target) if exact(source, target) else None
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return
    if there is not None:
        assert there.to_pylist() == before


def test_whole_numbers_fit_a_decimal_that_has_room_for_them() -> None:
    schema = pa.schema([("n", pa.decimal128(5, 2))])
    assert cast(pa.table({"n": [999, None]}), schema, "people")["n"].to_pylist() == [Decimal(999), None]
    with pytest.raises(LakeError, match=r"people.n has values of int64 that are not exact as decimal"):
        cast(pa.table({"n": [1000]}), schema, "people")


@pytest.mark.parametrize(
    "pair",
    [
        *(("int64", "string"), ("string", "int64"), ("bool", "int64"), ("double", "float")),
        *(("int64", "halffloat"), ("uint16", "halffloat"), ("float", "halffloat")),
    ],
)
def test_what_would_parse_round_or_assume_is_not_exact(pair: tuple[str, str]) -> None:
    source, target = map(pa.type_for_alias, pair)
    assert not exact(source, target)
    assert not exact(pa.list_(source), pa.list_(target))
    assert not exact(pa.timestamp("us"), INSTANT)

"""Any text for an instant: exact to the microsecond, as an independent reader has it, or refused."""

import re
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.graphql.columns import Column
from resources.graphql.decoding import arrow
from resources.graphql.scalars import by_name
from tests.chaos.figures import show

SHORT, LONG = 300, 20_000
COLUMN = (Column("at", by_name("Instant")),)
FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)",
    re.ASCII,
)
DAY, EPOCH, CYCLE_DAYS = 86_400, date(1970, 1, 1).toordinal(), 146_097


def microseconds(text: str) -> int | None:
    """Read an instant by hand; None for what is none."""
    found = FORM.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction, zulu, sign, hours, minutes = found.groups()[6:]
    try:
        cycle = 400 if year == 0 else 0  # ISO 8601 has a year 0, Python has none; calendars repeat
        days = date(year + cycle, month, day).toordinal() - EPOCH - cycle // 400 * CYCLE_DAYS
    except ValueError:
        return None
    offset = 0 if zulu else (int(hours) * 3600 + int(minutes or 0) * 60) * (1 if sign == "+" else -1)
    if hour > 23 or minute > 59 or second > 59 or int(hours or 0) > 23 or int(minutes or 0) > 59:
        return None
    seconds = days * DAY + hour * 3600 + minute * 60 + second - offset
    return seconds * 1_000_000 + int(((fraction or "") + "000000")[:6])


def number(low: int, high: int, digits: int = 2) -> st.SearchStrategy[str]:
    """Numbers that fit, and seldom one that does not."""
    return st.integers(low, high).map(lambda value: f"{value:0{digits}d}")


FRACTIONS = st.just("") | st.text("0123456789", min_size=0, max_size=12).map(lambda digits: f".{digits}")
OFFSETS = st.sampled_from(
    ["Z", "z", "", "+00:00", "-00:00", "+0530", "+05", "+24:00", "-23:59", "+14:00"]
) | (
    st.tuples(st.sampled_from("+-\u2212"), number(0, 25), st.sampled_from([":", ""]), number(0, 61)).map(
        "".join
    )
)
LIKELY = st.builds(
    "{}-{}-{}{}{}:{}:{}{}{}".format,
    number(1900, 2100, 4)
    | number(0, 10_001, 4)
    | st.sampled_from(["0000", "0001", "9999", "10000", "-0044"]),
    number(1, 12) | number(0, 13),
    number(1, 28) | number(0, 32),
    st.sampled_from(["T", " ", "t", "", "_"]) | st.just("T"),
    number(0, 23) | number(0, 25),
    number(0, 59) | number(0, 61),
    number(0, 59) | number(0, 61),  # 60 is a leap second
    FRACTIONS,
    OFFSETS,
)
SHORTER = st.builds(
    "{}{}".format, st.sampled_from(["2026-11-22", "2026-11-22T10", "2026-11-22 10:15"]), OFFSETS
)
MUTATED = st.builds(
    lambda text, at, more: text[: at % (len(text) + 1)] + more + text[at % (len(text) + 1) :],
    LIKELY,
    st.integers(0, 40),
    st.sampled_from(["", " ", "\n", "\0", "0", "-", "Z", "[UTC]", "٣", "e1", ","]),
)
TEXTS = LIKELY | SHORTER | MUTATED | st.text(st.characters(codec=None), max_size=30)


def check(text: str, counts: dict[str, int]) -> None:
    expected = microseconds(text)
    try:
        table = arrow.table([{"at": text}], COLUMN)
    except arrow.Misfit:
        counts["refused"] += 1
        counts["refused_though_read_by_hand"] += expected is not None
        return
    assert table["at"].cast(pa.int64()).to_pylist() == [expected], text
    counts["exact"] += 1


def run(examples: int) -> None:
    counts = {"exact": 0, "refused": 0, "refused_though_read_by_hand": 0}

    @given(TEXTS)
    @settings(max_examples=examples)
    def every(text: str) -> None:
        check(text, counts)

    every()
    show("arbitrary instants", **counts)
    assert counts["exact"] > examples / 20
    assert counts["refused"] > examples / 20
    assert counts["refused_though_read_by_hand"] <= counts["exact"] / 100


def test_an_instant_is_exact_or_refused() -> None:
    run(SHORT)


@pytest.mark.chaos
def test_an_instant_is_exact_or_refused_at_length() -> None:
    run(LONG)

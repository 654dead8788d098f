"""Cells: values of one leaf type as an Arrow array, exactly or not at all."""

import pyarrow as pa
import pyarrow.compute as pc

from resources.graphql.columns import Kept
from resources.graphql.decoding.values import reader

BEYOND_MICROSECONDS = r"(\.\d{6})\d+"
UNSTORABLE = (pa.ArrowInvalid, OverflowError, UnicodeEncodeError)


def cells(values: list[object], arrow: pa.DataType) -> pa.Array:
    """Store values that were read; what is a time arrives as text and is cast. It raises UNSTORABLE."""
    if not pa.types.is_temporal(arrow):
        return pa.array(values, arrow)
    return times(pa.array(values, pa.string()), arrow)


def times(texts: pa.Array, arrow: pa.DataType) -> pa.Array:
    """Cast texts to a date, time or timestamp, truncated to microseconds. It raises UNSTORABLE."""
    try:
        return _cast(texts, arrow)  # which refuses what would have to be cut, and most texts have not to be
    except pa.ArrowInvalid:
        return _cast(pc.replace_substring_regex(texts, BEYOND_MICROSECONDS, r"\1"), arrow)


def _cast(texts: pa.Array, arrow: pa.DataType) -> pa.Array:
    if pa.types.is_date(arrow):
        return texts.cast(arrow)
    if pa.types.is_time(arrow):
        _require_minutes(texts)
        return pc.binary_join_element_wise("1970-01-01", texts, "T").cast(pa.timestamp("us")).cast(arrow)
    if arrow.tz is None:
        _require_minutes(texts)
    return texts.cast(arrow)


def _require_minutes(texts: pa.Array) -> None:
    """Refuse what Arrow takes for a full hour or day: a number, or a date alone."""
    if not pc.all(pc.match_substring(texts, ":"), min_count=0).as_py():
        raise pa.ArrowInvalid


def holds(kept: Kept, value: object) -> bool:
    """Say whether a value as it was sent can be kept so."""
    try:
        cells([reader(kept)(value)], kept.arrow)
    except (ValueError, *UNSTORABLE):
        return False
    return True

"""Values of one name into the type of their column: all of them, or the run fails."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from resources.errors import ValueMisfit
from resources.graphql.columns import Kept
from resources.graphql.decoding import decimals
from resources.graphql.decoding.cells import BEYOND_MICROSECONDS
from resources.graphql.decoding.values import EXACT_INTEGER, reader

FLOAT = Kept("float64", pa.float64())
# Arrow would also read 0x1F and nan.
NUMBERS = {pa.int64(): r"^-?\d+$", pa.float64(): r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"}


def typed(values: pa.Array, type_: pa.DataType, column: str) -> pa.Array:
    """Cast values; raise ValueMisfit naming the column and how many do not fit, never a value."""
    if values.type == type_:
        return values
    try:
        return _cast(values, type_)
    except (pa.ArrowInvalid, ValueError):
        wrong = sum(not _fits(value, type_) for value in pc.unique(values.drop_null()))
        raise ValueMisfit(
            f"profiles_wide.{column}: {wrong} of {pc.count_distinct(values).as_py()} different values are no "
            f"{type_}. Give it another type where it is set (TARGETDATA_WIDE_...), or none: then it is text"
        ) from None


def _cast(values: pa.Array, type_: pa.DataType) -> pa.Array:
    if pt.is_string(values.type):
        if type_ in NUMBERS and pc.any(pc.invert(pc.match_substring_regex(values, NUMBERS[type_]))).as_py():
            raise ValueError
        if pt.is_floating(type_):
            return _doubles(values)
        if pt.is_decimal(type_):
            return decimals.read(values, type_)
        if pt.is_timestamp(type_):
            values = pc.replace_substring_regex(values, BEYOND_MICROSECONDS, r"\1")
    return values.cast(type_)


def _doubles(texts: pa.Array) -> pa.Array:
    """Read numbers as the engine does: those that a double may not hold are looked at one by one."""
    doubles = texts.cast(FLOAT.arrow)
    size = pc.abs(doubles)
    sure = pc.and_(pc.greater(size, 0), pc.less(size, EXACT_INTEGER))
    for text in pc.unique(texts.filter(pc.invert(sure))).to_pylist():
        reader(FLOAT)(text)
    return doubles


def _fits(value: pa.Scalar, type_: pa.DataType) -> bool:
    try:
        _cast(pa.array([value.as_py()], value.type), type_)
    except (pa.ArrowInvalid, ValueError):
        return False
    return True

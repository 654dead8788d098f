"""Values of one name into the type of their column: all of them, or the run fails."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from resources.errors import ValueMisfit
from resources.graphql.arrow import BEYOND_MICROSECONDS

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
        if pt.is_timestamp(type_):
            values = pc.replace_substring_regex(values, BEYOND_MICROSECONDS, r"\1")
    return values.cast(type_)


def _fits(value: pa.Scalar, type_: pa.DataType) -> bool:
    try:
        _cast(pa.array([value.as_py()], value.type), type_)
    except (pa.ArrowInvalid, ValueError):
        return False
    return True

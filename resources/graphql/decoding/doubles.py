"""Doubles that Arrow parsed: whether they are for sure those that the exact decoder makes of the same text.

Both take the nearest double. But the exact one refuses digits that are lost from 2^53 on, and numbers that
become zero: these Arrow's doubles do not tell.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from resources.graphql.decoding.values import EXACT_INTEGER
from resources.graphql.raw import as_array

# What becomes zero is below 1e-323: it has an exponent of hundreds, or many zeros. As an integer, -0 is 0.
ODD_ZERO = r"[:,\[\s](-?([0-9.]+[eE]-([3-9][0-9]{2}|[0-9]{4})|0\.0{23})|-0[,\]}\s])"


def are_exact(arrays: Iterable[pa.Array], text: bytes) -> bool:
    """Say whether all doubles in arrays parsed from a text are exact for sure."""
    found = [doubles for array in arrays for doubles in doubles_in(array)]
    if not all(np.all(np.abs(doubles) < EXACT_INTEGER) for doubles in found):
        return False
    if all(np.all(doubles) for doubles in found):
        return True
    odd = pc.match_substring_regex(as_array(text, pa.large_binary()), ODD_ZERO)  # some texts look like it too
    return not odd[0].as_py()


def doubles_in(array: pa.Array) -> Iterator[npt.NDArray[np.float64]]:
    """Give the doubles of an array without nulls, those in its lists and objects included."""
    if pa.types.is_list(array.type):
        yield from doubles_in(array.flatten())
    elif pa.types.is_struct(array.type):
        for field in array.flatten():  # null where the object is
            yield from doubles_in(field)
    elif pa.types.is_float64(array.type) and array.null_count < len(array):
        there = array.drop_null()  # whose to_numpy would import pandas
        yield np.frombuffer(there.buffers()[1], np.float64, len(there), there.offset * 8)

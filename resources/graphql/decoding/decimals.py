"""Decimals of texts, in Arrow: those that have no more digits than their type, and no exponent.

Arrow's JSON parser is not asked for decimals: some exponents crash it, and it multiplies beyond 128 bits. So
numbers are put in quotes before it sees them.
"""

import pyarrow as pa
import pyarrow.compute as pc

from resources.graphql.columns import Column, Kept, Scalar, every_column
from resources.graphql.decoding.values import reader
from resources.graphql.raw import as_array


def number_pattern(columns: tuple[Column, ...]) -> str | None:
    """Give the pattern of fields that are decimals wherever their name is used; None if there are none.

    In a text, the quote behind a name would have a backslash before it.
    """
    are_decimals: dict[str, bool] = {}
    for column in every_column(columns):
        is_decimal = isinstance(column.type, Scalar) and pa.types.is_decimal(column.type.arrow)
        are_decimals[column.key] = is_decimal and are_decimals.get(column.key, True)
    keys = "|".join(key for key, are in are_decimals.items() if are)
    return rf'("(?:{keys})":\s*)(-?[0-9.]+)' if keys else None


def quoted(text: bytes, pattern: str) -> bytes:
    """Put the numbers of these fields in quotes; one with an exponent is no JSON then."""
    whole = as_array(text, pa.large_binary())
    found: bytes = pc.replace_substring_regex(whole, pattern, r'\1"\2"')[0].as_py()
    return found


def cast(texts: pa.Array, arrow: pa.DataType) -> pa.Array:
    """Cast texts (chunked or not) to a decimal type; raises ArrowInvalid, also for a few that are numbers."""
    plain = rf"^[+-]?0?[0-9]{{0,{arrow.precision - arrow.scale}}}(\.[0-9]{{0,{arrow.scale}}})?$"
    if not pc.all(pc.match_substring_regex(texts, plain), min_count=0).as_py():
        raise pa.ArrowInvalid
    return texts.cast(arrow)


def read(texts: pa.Array, arrow: pa.DataType) -> pa.Array:
    """Cast texts as the engine reads them; raises ArrowInvalid or ValueError."""
    try:
        return cast(texts, arrow)
    except pa.ArrowInvalid:
        read_one = reader(Kept("decimal", arrow))
        return pa.array([None if text is None else read_one(text) for text in texts.to_pylist()], arrow)

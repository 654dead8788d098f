"""Arrow columns as keys: text as it is, integers in decimal, UUIDs in their usual form."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

UUID_TYPE = pa.binary(16)
UUID_LENGTH = 36
HEX = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint8).reshape(256, 2)
DIGITS = np.array([place for place in range(UUID_LENGTH) if place not in (8, 13, 18, 23)])


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type below dictionaries and extensions."""
    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    return plain_type(kind.value_type) if pa.types.is_dictionary(kind) else kind


def is_key(kind: pa.DataType) -> bool:
    """Say whether values of a type can be keys."""
    kind = plain_type(kind)
    textual = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return bool(textual or _is_whole(kind) or pa.types.is_null(kind) or kind == UUID_TYPE)


def _is_whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0))


def key_texts(values: pa.Array) -> pa.Array:
    """Give keys as text, null where nothing is in them; raises ArrowInvalid for text that is not UTF-8."""
    kind = plain_type(values.type)
    if isinstance(values.type, pa.BaseExtensionType):
        values = values.storage
    values = values.cast(kind)
    if kind == UUID_TYPE:
        return _uuids(values)
    texts = values.cast(pa.string())
    if not _is_whole(kind):
        texts.validate(full=True)
        blank = pc.or_(pc.equal(pc.binary_length(texts), 0), pc.utf8_is_space(texts))
        texts = pc.if_else(blank, None, texts)
    return texts


def _uuids(values: pa.Array) -> pa.Array:
    """Write the digits of all values at once."""
    present = values.drop_null()
    start = present.offset * UUID_TYPE.byte_width
    stored = np.frombuffer(present.buffers()[1] or b"", np.uint8)[start:][
        : len(present) * UUID_TYPE.byte_width
    ]
    characters = np.full((len(present), UUID_LENGTH), ord("-"), np.uint8)
    characters[:, DIGITS] = HEX[stored].reshape(len(present), len(DIGITS))
    offsets = np.arange(len(present) + 1, dtype=np.int32) * UUID_LENGTH
    texts = pa.StringArray.from_buffers(
        len(present), pa.py_buffer(offsets), pa.py_buffer(characters.tobytes())
    )
    if len(present) == len(values):
        return texts
    positions = pc.if_else(values.is_valid(), pc.cumulative_sum(values.is_valid().cast(pa.int64())), None)
    return texts.take(pc.subtract(positions, 1))

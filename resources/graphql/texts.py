"""Rows of keys as texts: to name all of them by a digest, and to find them again."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def digest(table: pa.Table) -> str:
    """Give a digest of columns as texts, whatever their chunks."""
    whole = hashlib.sha256()
    for column in table.columns:
        lengths, texts = hashlib.sha256(), hashlib.sha256()
        for chunk in column.cast(pa.string()).chunks:
            lengths.update(pc.fill_null(pc.binary_length(chunk), -1).to_numpy())
            texts.update(_characters(pc.fill_null(chunk, "")))
        whole.update(lengths.digest() + texts.digest())
    return whole.hexdigest()


def joined(table: pa.Table) -> pa.ChunkedArray:
    """Give each row as one text."""
    columns = [column.cast(pa.string()) for column in table.columns]
    if len(columns) == 1:
        return columns[0]
    parts = []
    for column in columns:  # the lengths tell where each ends, whatever is in it
        parts += [pc.fill_null(pc.binary_length(column), -1).cast(pa.string()), pc.fill_null(column, "")]
    return pc.binary_join_element_wise(*parts, " ")


def _characters(texts: pa.StringArray) -> memoryview:
    _, ends, characters = texts.buffers()
    if not len(texts) or characters is None:
        return memoryview(b"")
    bounds = np.frombuffer(ends, np.int32)[texts.offset :][: len(texts) + 1]
    return memoryview(characters)[int(bounds[0]) : int(bounds[-1])]

"""The keys of a partition, and what was read for them."""

from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class FeedKeys:
    """The distinct keys of a partition; `events == null_keys + duplicate_keys + keys.num_rows`."""

    keys: pa.Table = field(repr=False)  # text columns; rows distinct, sorted by code point, nulls last
    events: int  # lines or rows; blank lines are none
    null_keys: int  # events without a key: null, missing, or nothing but white space
    duplicate_keys: int  # events whose key had been seen before
    version: str  # a digest of the content read; the same content, the same version
    files: tuple[str, ...] = ()  # in the order read
    bytes: int = 0  # of the files, as stored

"""The keys of a partition, and who gives them."""

from abc import abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import dagster as dg
import pyarrow as pa
from pydantic import Field

from resources.feed.columns import schema_of


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


class KeySource(dg.ConfigurableResource[Any]):
    """Gives the keys of a partition; usable in a notebook without a Dagster run."""

    columns: dict[str, str] = Field(description="Key column's name in the table: column of the source.")
    require: str = Field(default="all", description="A row counts if it has `all` key columns, or `any`.")

    @property
    def schema(self) -> pa.Schema:
        """The schema of the keys' table."""
        return schema_of(self.columns)

    @abstractmethod
    def read(self, *, start: datetime, end: datetime) -> FeedKeys:
        """Give the distinct keys between two moments, the end excluded."""

"""Who gives the keys of a partition: a Dagster resource, of any kind."""

from abc import abstractmethod
from datetime import datetime
from typing import Any

import dagster as dg
import pyarrow as pa
from pydantic import Field

from resources.key_files.columns import schema_of
from resources.key_files.keys import FeedKeys


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

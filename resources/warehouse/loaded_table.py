"""A table of the warehouse with the partition's own column."""

from dataclasses import dataclass

import pyarrow as pa

from resources.errors import ConfigurationError
from resources.warehouse.flat import FlatTable


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A flat table with the partition's own column before its others, if it has partitions."""

    flat: FlatTable
    partition: pa.Field | None

    @property
    def name(self) -> str:
        """The table's name."""
        return self.flat.name

    @property
    def schema(self) -> pa.Schema:
        """All columns of the table in the warehouse."""
        if self.partition is None:
            return self.flat.schema
        if self.partition.name in self.flat.schema.names:
            raise ConfigurationError(
                f"{self.name} has a column {self.partition.name}, as the partition's own is named in the "
                "warehouse: give it an alias in the query"
            )
        return pa.schema([self.partition, *self.flat.schema])

"""An extract that does not ask all keys of one table says here which it would ask, for `targetdata plan`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from resources.graphql.query import Query
from resources.lake import Lake


class Day(Protocol):
    """A partition, planned or in a run: its folder in the lake and the end of its time window."""

    @property
    def folder(self) -> str:
        """Give its folder."""

    @property
    def end(self) -> datetime:
        """Give its end."""


@dataclass(frozen=True, slots=True)
class ChosenKeys:
    """The keys of a query's partitions as the asset chooses them; a variable of the asset's module.

    `choose` takes the lake and the partitions by key, and gives the table of keys of each, by the same key.
    An asset without partitions has the empty text as its only key. It reads only, and asks no API.
    """

    query: Query
    choose: Callable[[Lake, Mapping[str, Day]], Mapping[str, pa.Table]]

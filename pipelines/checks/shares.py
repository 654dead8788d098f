"""Shares of a published file: of each status of its lookups, and of nulls in each column."""

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, which is not zero."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """The share as a number from 0 to 1."""
        return self.part / self.whole


def status_counts(file: pa.NativeFile) -> Counter[str | None]:
    """Count the lookups by status."""
    counts: Counter[str | None] = Counter()
    parquet = pq.ParquetFile(file, read_dictionary=["status"])
    for rows in parquet.iter_batches(ROWS_AT_ONCE, columns=["status"]):
        grouped = pa.table({"status": rows.column(0)}).group_by("status").aggregate([([], "count_all")])
        for row in grouped.to_pylist():
            counts[row["status"]] += row["count_all"]
    return counts


def status_shares(file: pa.NativeFile) -> dict[str, Share]:
    """Give the share of each status."""
    counts = status_counts(file)
    return {str(status): Share(number, counts.total()) for status, number in counts.items()}


def null_shares(file: pa.NativeFile) -> dict[str, Share]:
    """Give the share of nulls of each leaf that has statistics."""
    footer = pq.read_metadata(file)
    nulls: Counter[str] = Counter()
    values: Counter[str] = Counter()
    for group in range(footer.num_row_groups):
        for leaf in range(footer.num_columns):
            chunk = footer.row_group(group).column(leaf)
            if chunk.statistics is not None and chunk.statistics.has_null_count:
                name = chunk.path_in_schema.replace(".list.element", "")
                nulls[name] += chunk.statistics.null_count
                values[name] += chunk.num_values
    return {name: Share(nulls[name], whole) for name, whole in values.items() if whole}

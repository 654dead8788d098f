"""What all paging strategies do to rows."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from resources.graphql.tables import FETCHED_AT


def stamped(table: pa.Table, fetched_at: Sequence[datetime] | datetime, schema: pa.Schema) -> pa.Table:
    """Add `fetched_at` as the last column, one time for all rows or one each; `schema` is the query's."""
    if isinstance(fetched_at, datetime):
        times = _repeated(fetched_at, table.num_rows, FETCHED_AT.type)
    else:
        times = pa.array(fetched_at, FETCHED_AT.type)
    found = table.append_column(FETCHED_AT, times)
    return found if found.schema.equals(schema) else found.cast(schema)


def _repeated(moment: datetime, number: int, timestamp: pa.DataType) -> pa.Array:
    """Give a column of one time, without pa.scalar, which takes a third of a second to import pandas."""
    microseconds = np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")
    return pa.Array.from_buffers(timestamp, number, [None, pa.py_buffer(np.full(number, microseconds))])

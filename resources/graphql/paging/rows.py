"""What all paging strategies do to rows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b

import numpy as np
import pyarrow as pa

REMEMBERED_BYTES = 12  # of a digest: two identities among a billion share one with p < 1e-10


class Identities:
    """Remembers which identities have been seen in which groups, in about 90 bytes each, however long."""

    def __init__(self) -> None:
        self._seen: dict[bytes, int] = {}  # digest → a bit for each group

    def is_new(self, identity: str | None, group: int = 0) -> bool:
        """Say whether this is the first time in this group; a row without identity is always new."""
        if identity is None:
            return True
        digest = blake2b(identity.encode(errors="surrogatepass"), digest_size=REMEMBERED_BYTES).digest()
        seen, bit = self._seen.get(digest, 0), 1 << group
        self._seen[digest] = seen | bit
        return not seen & bit


def stamped(table: pa.Table, fetched_at: Sequence[datetime] | datetime, schema: pa.Schema) -> pa.Table:
    """Add `fetched_at` as the last column, one time for all rows or one each; `schema` is the query's."""
    field = schema.field("fetched_at")
    if isinstance(fetched_at, datetime):
        times = _repeated(fetched_at, table.num_rows, field.type)
    else:
        times = pa.array(fetched_at, field.type)
    found = table.append_column(field, times)
    return found if found.schema.equals(schema) else found.cast(schema)


def _repeated(moment: datetime, number: int, timestamp: pa.DataType) -> pa.Array:
    """Give a column of one time, without pa.scalar, which takes a third of a second to import pandas."""
    microseconds = np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")
    return pa.Array.from_buffers(timestamp, number, [None, pa.py_buffer(np.full(number, microseconds))])

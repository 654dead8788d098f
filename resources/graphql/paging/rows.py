"""What all paging strategies do to rows."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b

import pyarrow as pa

REMEMBERED_BYTES = 12  # of a digest: two identities among a billion share one with p < 1e-10


class Identities:
    """Remembers which identities have been seen, in about 90 bytes each whatever their length."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def is_new(self, identity: str | None) -> bool:
        """Say whether this is the first time; a row without identity is always new."""
        if identity is None:
            return True
        digest = blake2b(identity.encode(errors="surrogatepass"), digest_size=REMEMBERED_BYTES).digest()
        size = len(self._seen)
        self._seen.add(digest)
        return len(self._seen) > size


def stamped(table: pa.Table, fetched_at: Sequence[datetime], schema: pa.Schema) -> pa.Table:
    """Add `fetched_at` as the last column, which makes the table's schema that of the query."""
    times = pa.array(fetched_at, schema.field("fetched_at").type)
    return table.append_column(schema.field("fetched_at"), times).cast(schema)

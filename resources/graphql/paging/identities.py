"""Which identities have come before: digests, most of them in sorted arrays; a set takes 90 bytes each."""

from collections.abc import Collection, Iterable
from hashlib import blake2b

import numpy as np

DIGEST_BYTES = 12  # two identities among a billion share one with p < 1e-10
PARTS = np.dtype([("first", "<u8"), ("rest", "<u4")])  # of a digest, as numpy searches numbers fastest
NEWEST = 4096  # so many are in the set at most, or
SHARE = 32  # one in so many of the sorted ones: more would take memory, and fewer time
BLOCK = 16_384  # digests that are moved at once


class Identities:
    """Remembers which identities have come, in about 16 bytes each, however long they are."""

    def __init__(self, *, newest: int = NEWEST, block: int = BLOCK) -> None:
        self._most = newest
        self._newest: set[bytes] = set()
        self._sorted = SortedDigests(block)

    def fresh(self, identities: Iterable[str | None]) -> list[bool]:
        """Say of each whether it comes for the first time; what has no identity always does."""
        digests, seen = self._looked_up(identities)
        found = []
        for digest in digests:
            found.append(digest is None or not (digest in self._newest or digest in seen))
            if digest is not None and found[-1]:
                self._newest.add(digest)
        if len(self._newest) > max(self._most, len(self._sorted) // SHARE):
            self._sorted.add(self._newest)
            self._newest = set()
        return found

    def known(self, identities: Iterable[str | None]) -> list[bool]:
        """Say of each whether it has come before, without taking it for come."""
        digests, seen = self._looked_up(identities)
        return [digest is not None and (digest in self._newest or digest in seen) for digest in digests]

    def _looked_up(self, identities: Iterable[str | None]) -> tuple[list[bytes | None], set[bytes]]:
        digests = [None if identity is None else _digest(identity) for identity in identities]
        return digests, self._sorted.holding([digest for digest in digests if digest is not None])


class SortedDigests:
    """Digests in the order of their first parts; their rests are beside them."""

    def __init__(self, block: int) -> None:
        self._block = block
        self._first = np.empty(0, np.uint64)
        self._rest = np.empty(0, np.uint32)

    def __len__(self) -> int:
        """Count them."""
        return len(self._first)

    def holding(self, digests: list[bytes]) -> set[bytes]:
        """Give those that are here."""
        if not digests or not len(self):
            return set()
        parts = np.frombuffer(b"".join(digests), PARTS)
        first, rest = parts["first"], parts["rest"]
        starts = self._first.searchsorted(first)
        alike = np.flatnonzero(self._first.take(starts, mode="clip") == first)
        ends = self._first.searchsorted(first[alike], "right")
        return {
            digests[index]
            for index, end in zip(alike, ends, strict=True)
            if rest[index] in self._rest[starts[index] : end]
        }

    def add(self, digests: Collection[bytes]) -> None:
        """Put others among them, the last first and in place: a copy would double the memory for a moment."""
        parts = np.frombuffer(b"".join(digests), PARTS)
        parts = parts[parts["first"].argsort()]
        places = self._first.searchsorted(parts["first"])
        end, left = len(self), len(parts)
        columns = (self._first, parts["first"]), (self._rest, parts["rest"])
        for column, _ in columns:
            column.resize(end + left, refcheck=False)
        while left:
            start = max(end - self._block, 0)
            below = int(places.searchsorted(start))
            for column, new in columns:
                moved = np.insert(column[start:end], places[below:left] - start, new[below:left])
                column[start + below : end + left] = moved
            end, left = start, below


def in_group(identity: str | None, group: int) -> str | None:
    """Name an identity in a group of keys: in each it may come once."""
    return None if identity is None else f"{group}:{identity}"


def _digest(identity: str) -> bytes:
    return blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()

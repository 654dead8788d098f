"""What happened on the wire, counted."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Self


@dataclass(slots=True)
class Counts:
    """Keys looked up, requests sent, retries by kind, token renewals and bytes of answers received."""

    lookups: int = 0
    requests: int = 0
    bytes: int = 0
    renewals: int = 0
    retries: Counter[str] = field(default_factory=Counter)

    def copy(self) -> Self:
        """Give the figures as they stand."""
        return type(self)(self.lookups, self.requests, self.bytes, self.renewals, Counter(self.retries))

    def since(self, earlier: "Counts") -> "Counts":
        """Give what has come since an earlier copy."""
        return Counts(
            self.lookups - earlier.lookups,
            self.requests - earlier.requests,
            self.bytes - earlier.bytes,
            self.renewals - earlier.renewals,
            self.retries - earlier.retries,
        )

    def add(self, more: "Counts") -> None:
        """Add what another stretch of work counted."""
        self.lookups += more.lookups
        self.requests += more.requests
        self.bytes += more.bytes
        self.renewals += more.renewals
        self.retries.update(more.retries)

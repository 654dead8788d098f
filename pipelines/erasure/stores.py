"""The places that people are erased from."""

from collections.abc import Collection, Mapping
from typing import Protocol

from resources.privacy import Suppression
from resources.privacy.person import Person


class Store(Protocol):
    """A place that people are erased from: the lake, a warehouse."""

    def count(self, person: Person) -> Mapping[str, int]:
        """Count their rows by table and partition; nothing is changed."""

    def erase(self, person: Person) -> Mapping[str, int]:
        """Remove their rows, each partition of some tables at once; count them by table and partition."""


class StoreBeside(Store, Protocol):
    """A place beside the lake."""

    def on(self, suppression: Suppression, known: Person, keys: Collection[str]) -> Person:
        """Find all of a suppression list who are here, by the identities that `known` has, and by `keys`."""

"""A person erased: who they are, the suppression list, every store, the search afterwards, the record."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa

from pipelines.erasure.account import ROOTS, answered
from pipelines.erasure.identifiers import identifiers_of
from pipelines.erasure.record import Record, discreet
from pipelines.erasure.stores import Store, StoreBeside
from resources.connection import Connection
from resources.graphql.columns import column_name
from resources.lake import Lake
from resources.lake.erasing.people import People
from resources.lake.erasing.store import LakeStore, Remains
from resources.lake.publishing.publications import publications
from resources.privacy import Suppression
from resources.privacy.person import Person

# How the shipped extract names people, of whom the lake may have none left.
FIRST = {"profiles": "profile_id"}


@dataclass(slots=True)
class Erased:
    """What an erasure has come to."""

    record: Record
    path: Path
    remains: Remains


@dataclass
class Erasure:
    """Erases people from a lake, and from `stores` beside it by their names.

    `key` is that of the suppression list. `say` gets what it is at.
    """

    lake: Lake
    key: str = field(repr=False)
    stores: Mapping[str, StoreBeside] = field(default_factory=dict)
    say: Callable[[str], object] = lambda _: None
    wait_seconds: float = 300.0
    id: str = field(default_factory=lambda: secrets.token_hex(6))

    @cached_property
    def people(self) -> People:
        """Who is in the lake."""
        self.say("looking who is in the lake")
        return People(self.lake, publications(self.lake.root), identifiers_of)

    def person(self, given: Iterable[tuple[str, str]], connection: Connection | None) -> Person:
        """Find out who is known by some keys, by the lake and by what the account answers.

        It is not asked for keys that are on the suppression list: all that it has said is there already.
        """
        names = list(given)
        person = self.people.known_by(names)
        if connection and not all(self._listed(names)):
            self.say("asking the account")
            person = self.people.described(person.and_(answered(connection, person)))
        return person

    @property
    def kinds(self) -> frozenset[str]:
        """What people are known by: the keys that they are looked up by, and their identities."""
        identities = {*self.people.nobody.identified.values()} - {""}
        return self.people.keys | identities | ROOTS.keys()

    def was_begun(self, given: Iterable[tuple[str, str]]) -> bool:
        """Say whether one of some keys is on the suppression list: then an erasure was begun before.

        What it has left may be found by the list alone, so `again` belongs to it.
        """
        return any(self._listed(given))

    def _listed(self, given: Iterable[tuple[str, str]]) -> list[bool]:
        listed = self._suppression
        return [listed.holds(column_name(kind), pa.array([value]))[0].as_py() for kind, value in given]

    def again(self) -> Person:
        """Find all who are on the suppression list and still in the lake, or in a store beside it."""
        person, listed = self.people.on(self._suppression), self._suppression
        known = Person(identified={**FIRST, **self.people.nobody.identified})
        for store in self.stores.values():
            person = person.and_(store.on(listed, known, self.people.keys | ROOTS.keys()))
        return person

    @property
    def _suppression(self) -> Suppression:
        return Suppression.read(self.lake.root, self.key)

    def count(self, person: Person) -> dict[str, Mapping[str, int]]:
        """Count their rows by store, then by table and partition; nothing is changed."""
        return {name: store.count(person) for name, store in self._all.items()}

    def erase(self, person: Person) -> Erased:
        """Put them on the suppression list, then remove them; search for them, and write the record.

        The list comes first, so that whatever happens then nobody asks for them again.
        """
        Suppression.add(self.lake.root, self.key, person.suppressed())
        rows: dict[str, dict[str, int]] = {}
        try:
            for name, store in self._all.items():
                rows[name] = dict(store.erase(person))
            remains = self._remains(person)
        except BaseException:
            self._record(person, rows).write(self.lake.root)
            raise
        record = self._record(person, rows, remains)
        return Erased(record, record.write(self.lake.root), remains)

    def _remains(self, person: Person) -> Remains:
        """Search the lake for them, and count their rows in the stores beside it."""
        remains = self._lake_store.remains(person)
        for name, store in self.stores.items():
            remains.left |= {f"{name}: {place}": number for place, number in store.count(person).items()}
        return remains

    def _record(
        self, person: Person, rows: dict[str, dict[str, int]], remains: Remains | None = None
    ) -> Record:
        """Make the record; without `remains` the erasure was interrupted, and is to be run again."""
        return Record(
            id=self.id,
            at=datetime.now(UTC),
            version=version("targetdata-pipelines"),
            kinds=person.kinds,
            identities=max(map(len, person.identities.values()), default=0),
            rows=discreet(rows, person),
            fenced=self._lake_store.fenced,
            removed=self._lake_store.removed,
            finished=remains is not None,
            left=len(remains.left) if remains else None,
            shared=len(remains.shared) if remains else None,
        )

    @property
    def _all(self) -> dict[str, Store]:
        return {"lake": self._lake_store, **self.stores}

    @cached_property
    def _lake_store(self) -> LakeStore:
        return LakeStore(self.lake, id=self.id, say=self.say, wait_seconds=self.wait_seconds)

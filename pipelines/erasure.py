"""A person erased: who they are, the suppression list, every store, the search afterwards, the record."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import msgspec
import pyarrow as pa

from pipelines.environment import environment
from resources.connection import Connection
from resources.graphql.columns import column_name
from resources.graphql.page import Tally
from resources.graphql.query import Query
from resources.graphql.tables import FETCHED_AT, LOOKUPS
from resources.lake import Lake
from resources.lake.erasing.people import Entries, People
from resources.lake.erasing.store import LakeStore, Remains
from resources.lake.publishing.publications import publications
from resources.privacy import Suppression
from resources.privacy.entry_fields import entry_fields, parse_fields
from resources.privacy.person import Person, Store, StoreBeside
from resources.table_file import make_folder, replace, write_file

RECORDS = "_erasures"
FORMAT_VERSION = 1
LIST = "identifiers"
QUERY = Path(__file__).parent / "defs" / "profiles" / "profiles.graphql"
FIRST = {
    "profiles": "profile_id"
}  # how the shipped extract names people, of whom the lake may have none left
ROOTS = {"umid": "personTargetDataByUmid", "profile_id": "personTargetDataByProfileId"}


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of an erasure: nothing that tells whom it was of."""

    format_version: int = FORMAT_VERSION
    id: str
    at: datetime
    version: str
    kinds: list[str]
    identities: int
    rows: dict[str, dict[str, int]]
    fenced: int
    removed: int
    finished: bool = True
    left: int | None
    shared: int | None

    def write(self, root: Path) -> Path:
        """Write it into the lake, down to the disk."""
        make_folder(root / RECORDS)
        name = f"{self.at:%Y%m%dT%H%M%SZ}-{self.id}.json"
        text = msgspec.json.format(msgspec.json.encode(self))
        replace(write_file(root / RECORDS / f".{name}.part", text), root / RECORDS / name)
        return root / RECORDS / name


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
        return People(self.lake, publications(self.lake.root), _told)

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
            rows=_discreet(rows, person),
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


def answered(connection: Connection, person: Person) -> Person:
    """Ask the account who a person is, with the shipped query."""
    found = Person()
    for column, root in ROOTS.items():
        values = {**person.keys, **person.identities}.get(column)
        if values:
            query = Query.load(
                QUERY,
                schema=environment().schema_file,
                name=f"erasure_by_{column}",
                root=root,
                identity="profileId",
                scalars=environment().scalars,
            )
            name = query.tables[query.name + LOOKUPS].names[0]
            tally = Tally()
            for page in connection.pages(query, keys=pa.table({name: sorted(values)})):
                tally.add(page)
                found = found.and_(_in_answer(page.tables[query.name]))
            tally.check(max_failed=0, what="who the person is")
    return found


def _in_answer(rows: pa.Table) -> Person:
    entries, found = _told("profiles", rows.schema), Person()
    for batch in rows.to_batches():
        ids = frozenset(batch.column("profile_id").drop_null().to_pylist())
        names = frozenset(entries.read(batch)) if entries else frozenset()
        found = found.and_(Person({"profile_id": ids}, names=names))
    return found


def _told(table: str, schema: pa.Schema) -> Entries | None:
    """Tell where a table has identifiers: in a list of that name, or in its own columns."""
    if table.endswith(f"__{LIST}"):
        entry = pa.struct([field for field in schema if field.name != FETCHED_AT.name])
        fields = _entry_fields(pa.schema([(LIST, pa.list_(entry))]))
        return Entries(None, *fields) if fields else None
    fields = _entry_fields(schema)
    return Entries(LIST, *fields) if fields else None


def _entry_fields(schema: pa.Schema) -> tuple[str, str] | None:
    found = entry_fields(LIST, schema, parse_fields(environment().wide_fields), otherwise="")
    return None if isinstance(found, str) else (found.name, found.value)


def _discreet(rows: dict[str, dict[str, int]], person: Person) -> dict[str, dict[str, int]]:
    """Leave out the name of a partition that is the person's own."""
    said: dict[str, dict[str, int]] = {store: {} for store in rows}
    for store, found in rows.items():
        for place, number in found.items():
            is_theirs = any(value in place for value in person.values)
            name = place.partition(" ")[0] if is_theirs else place
            said[store][name] = said[store].get(name, 0) + number
    return said

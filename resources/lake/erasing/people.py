"""Who a person is by what a lake has of them: identity, keys, identifiers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from resources.graphql.columns import column_name
from resources.graphql.tables import LOOKUPS
from resources.lake.erasing.rows import rows_of
from resources.lake.erasing.rows_aside import rows_aside
from resources.lake.publishing.publications import Publication
from resources.lake.resource import Lake
from resources.privacy.person import IDENTITY, Person, Rule, is_name, texts
from resources.privacy.suppression import Suppression

FIRST_OF_ANSWER = "status"  # among the lookups' columns: those before it are keys


@dataclass(frozen=True, slots=True)
class Entries:
    """Where a table has identifiers: fields of a list's entries, or its own columns without a `column`."""

    column: str | None
    name: str
    value: str

    def read(self, rows: pa.RecordBatch) -> Iterator[tuple[str, str]]:
        """Give the name and the value of each identifier."""
        names, values = (self._field(rows, field) for field in (self.name, self.value))
        for name, value in zip(names.to_pylist(), values.cast(pa.string()).to_pylist(), strict=True):
            if name and value:
                yield name, value

    def _field(self, rows: pa.RecordBatch, name: str) -> pa.Array:
        if self.column is None:
            return rows.column(name)
        return pc.struct_field(rows.column(self.column).flatten(), name)


Told = Callable[[str, pa.Schema], Entries | None]  # of a table, by its name and columns


class People:
    """Looks people up in what is published; `told` says where its tables have identifiers."""

    def __init__(self, lake: Lake, publications: Sequence[Publication], told: Told) -> None:
        self._lake = lake
        self._publications = publications
        self._told = told
        self._keys = {name for _, file in self._files(lookups=True) for name in _keys(file.schema_arrow)}
        self._identified = dict(self._identities())

    @property
    def keys(self) -> frozenset[str]:
        """The columns that people are asked for by."""
        return frozenset(self._keys)

    @property
    def nobody(self) -> Person:
        """Give no person, but how each extract names people."""
        return Person(identified=self._identified)

    def known_by(self, given: Iterable[tuple[str, str]]) -> Person:
        """Find out who has these keys, each a kind and a value, and what else names them.

        Nobody is looked for who only shares an identifier with them.
        """
        person = Person(names=frozenset(given), identified=self._identified)
        columns = set(self._identified.values())
        for kind, value in person.names:
            own = {column_name(kind): frozenset([value])}
            is_identity = column_name(kind) in columns
            person = person.and_(Person(identities=own) if is_identity else Person(keys=own))
        return self.described(person.and_(self._led_to(person)))

    def on(self, suppression: Suppression) -> Person:
        """Find all of a suppression list who are in the lake, published or aside."""
        person = Person(identified=self._identified)
        for lookups in (True, False):
            for table, file in self._files(lookups=lookups):
                read = partial(_column, file)
                person = person.and_(self._listed(table, file.schema_arrow, read, suppression))
        for table, rows in rows_aside(self._lake.root):
            person = person.and_(self._listed(table, rows.schema, rows.column, suppression))
        return self.described(person)

    def described(self, person: Person) -> Person:
        """Add what rows and lookups with the person's identity say: identifiers, and by which keys."""
        for table, file in self._files(lookups=False):
            person = person.and_(self._in_rows(table, file, person))
        for kind, value in person.names:
            if column_name(kind) in self._keys and column_name(kind) not in person.identities:
                person = person.and_(Person(keys={column_name(kind): frozenset([value])}))
        for table, file in self._files(lookups=True):
            person = person.and_(_asked(table, file, person))
        return person

    def _identities(self) -> Iterator[tuple[str, str]]:
        """Tell each keyed extract's identity: its column that has the same values as that of its lookups."""
        newest_first = sorted(
            self._publications, key=lambda p: max(m.observed_at for m in p.manifests.values()), reverse=True
        )
        seen: dict[str, str] = {}
        for publication in newest_first:
            lookups = publication.own + LOOKUPS
            whole = {publication.own, lookups} <= publication.manifests.keys()
            if whole and not seen.get(publication.own):
                seen[publication.own] = self._identity(publication, lookups)
        yield from seen.items()

    def _identity(self, publication: Publication, lookups: str) -> str:
        files = self._lake.together(publication.folder, [publication.own, lookups])
        with files[lookups] as asked, files[publication.own] as rows:
            known = set(pq.read_table(asked, columns=[IDENTITY])[IDENTITY].drop_null().unique().to_pylist())
            schema = pq.read_schema(rows)
            for field in schema if known else ():
                if is_name(field.type):
                    own = pq.read_table(rows, columns=[field.name])[field.name].drop_null().unique()
                    if len(own) == len(known) and set(own.cast(pa.string()).to_pylist()) == known:
                        return str(field.name)
        return ""

    def _led_to(self, person: Person) -> Person:
        """Give the identities that the person's keys have led to."""
        found = Person()
        for table, file in self._files(lookups=True):
            column = self._identified.get(table.removesuffix(LOOKUPS))
            keys = {name: person.keys[name] for name in _keys(file.schema_arrow) if name in person.keys}
            if column and keys:
                for rows in rows_of(file, Rule({}, keys), [IDENTITY]):
                    found = found.and_(Person({column: texts(rows.column(IDENTITY))}))
        return found

    def _in_rows(self, table: str, file: pq.ParquetFile, person: Person) -> Person:
        rule, schema = person.rule(table, file.schema_arrow), file.schema_arrow
        if rule is None or not rule.identities:
            return Person()
        entries = self._told(table, schema)
        of_entries = (
            ([entries.column] if entries.column else [entries.name, entries.value]) if entries else []
        )
        own = self._identified.get(table)
        found = Person()
        for rows in rows_of(file, Rule(rule.identities, {}), [*([own] if own else []), *of_entries]):
            names = frozenset(entries.read(rows)) if entries else frozenset()
            found = found.and_(Person({own: texts(rows.column(own))} if own else {}, names=names))
        return found

    def _listed(
        self, table: str, schema: pa.Schema, read: Callable[[str], pa.ChunkedArray], suppression: Suppression
    ) -> Person:
        """Give whom of a table the list holds, by identity or key."""
        known, found = self.nobody, Person()
        for field in schema:
            kind = known.kind_of(table, field.name)
            if kind and kind in {*self._identified.values(), *self._keys} and is_name(field.type):
                values = read(field.name).drop_null().unique()
                found = found.and_(known.listed(suppression, kind, values))
        return found

    def _files(self, *, lookups: bool) -> Iterator[tuple[str, pq.ParquetFile]]:
        """Open the files of all tables of lookups, or of all others, one after the other."""
        for publication in self._publications:
            for table in publication.manifests:
                if table.endswith(LOOKUPS) == lookups:
                    folder = publication.folder
                    with self._lake.open(table, folder) as file, self._lake.readable(table, folder):
                        yield table, pq.ParquetFile(file)


def _column(file: pq.ParquetFile, name: str) -> pa.ChunkedArray:
    return file.read(columns=[name])[name]


def _keys(schema: pa.Schema) -> list[str]:
    names: list[str] = schema.names
    return names[: names.index(FIRST_OF_ANSWER)] if FIRST_OF_ANSWER in names else []


def _asked(table: str, file: pq.ParquetFile, person: Person) -> Person:
    """Give the keys that the person was asked for by."""
    rule, keys = person.rule(table, file.schema_arrow), _keys(file.schema_arrow)
    found = Person()
    if rule and rule.identities:
        for rows in rows_of(file, Rule(rule.identities, {}), keys):
            found = found.and_(Person(keys={name: texts(rows.column(name)) for name in keys}))
    return found

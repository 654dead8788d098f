"""People erased from the warehouse: from all its tables in one transaction."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from resources.errors import WarehouseError
from resources.privacy.person import Person, Rule
from resources.privacy.suppression import Suppression
from resources.warehouse.database import Database
from resources.warehouse.folders import TYPES, folder_of
from resources.warehouse.resource import Warehouse
from resources.warehouse.stamps import STAMPS, lessen, loaded_tables
from resources.warehouse.waiting import Turn, lock_all

WHOLE = {exp.DataType.Type.SMALLINT, exp.DataType.Type.INT, exp.DataType.Type.BIGINT}


class WarehouseStore:
    """A place that people are erased from; a DuckDB file that is not there holds nobody.

    All loads that are under way are waited for, so that none puts back what it has read before. A DuckDB file
    is written anew, as the blocks of deleted rows would still be in it. PostgreSQL keeps deleted rows in its
    files until it vacuums them, and in its log and backups.
    """

    def __init__(self, warehouse: Warehouse, *, run: str) -> None:
        self._warehouse = warehouse
        self._run = run

    def count(self, person: Person) -> dict[str, int]:
        """Count their rows by table and partition; nothing is changed."""
        if not self._warehouse.is_there:
            return {}
        with self._warehouse.open(self._run) as database:
            return dict(counted for place in _places(database, person) for counted in place.counted(database))

    def erase(self, person: Person) -> dict[str, int]:
        """Remove their rows; count them by table and partition.

        All tables that were loaded are cleaned in one transaction, those of others each in its own: one that
        we may not change keeps no other from it, and is found when the rest is counted.
        """
        if not self._warehouse.is_there:
            return {}
        erased: dict[str, int] = {}
        with self._warehouse.open(self._run) as database:
            places = list(_places(database, person))
            ours = loaded_tables(database)
            with database.transaction():
                lock_all(database, Turn(self._warehouse.wait_seconds))
                for place in (place for place in places if place.table in ours):
                    erased |= place.removed(database)
            for place in (place for place in places if place.table not in ours):
                with suppress(WarehouseError):
                    with database.transaction():
                        removed = place.removed(database)
                    erased |= removed
        self._warehouse.rewrite(self._run)  # also if nothing was found: an earlier try may have ended before
        return erased

    def on(self, suppression: Suppression, known: Person, keys: Collection[str]) -> Person:
        """Find all of a suppression list who are here, by the identities that `known` has, and by `keys`."""
        found = known
        if not self._warehouse.is_there:
            return found
        with self._warehouse.open(self._run) as database:
            for table in database.tables():
                for column in _schema(database.columns(table)).names:
                    kind = known.kind_of(table, column)
                    if kind and kind in {*known.identified.values(), *keys}:
                        values = _distinct(database, table, column)
                        found = found.and_(known.listed(suppression, kind, values))
        return found


@dataclass(slots=True)
class PersonsRows:
    """A table that may name the person, and the condition that a row of it is theirs.

    Its values are handed over beside the statement, which a server may log.
    """

    table: str
    where: exp.Condition
    values: list[str]

    def counted(self, database: Database) -> Iterator[tuple[str, int]]:
        """Count the rows by table and partition."""
        for folder, number in self._by_folder(database):
            yield f"{self.table} {folder}".strip(), number

    def removed(self, database: Database) -> dict[str, int]:
        """Remove the rows, and count them by table and partition."""
        counted = dict(self.counted(database))
        for folder, number in self._by_folder(database) if counted else ():
            lessen(database, self.table, folder, number)
        removal = exp.delete(database.table(self.table), where=self.where)
        database.execute(removal, f"the erasure from {self.table}", self.values)
        return counted

    def _by_folder(self, database: Database) -> Iterator[tuple[str, int]]:
        level = next((name for name in list(database.columns(self.table))[:1] if name in TYPES), None)
        number, what = exp.Count(this=exp.Star()), f"the count of {self.table}"
        theirs = exp.select(number).from_(database.table(self.table)).where(self.where)
        if level is None:
            ((found,),) = database.rows(theirs, what, self.values)
            yield from [("", int(str(found)))] if found else []
            return
        by = theirs.select(_column(level)).group_by(_column(level)).order_by(_column(level))
        for found, value in database.rows(by, what, self.values):
            yield folder_of(level, value), int(str(found))


def _places(database: Database, person: Person) -> Iterator[PersonsRows]:
    for table in database.tables():
        rule = person.rule(table, _schema(database.columns(table))) if table != STAMPS else None
        if rule:
            yield _theirs(table, rule)


def _distinct(database: Database, table: str, column: str) -> pa.Array:
    """Give the different values of a column as texts."""
    value = exp.cast(_column(column), "TEXT")
    query = exp.select(value).distinct().from_(database.table(table))
    rows = database.rows(query.where(exp.not_(_column(column).is_(exp.null()))), f"the look at {table}")
    return pa.array([str(text) for (text,) in rows], pa.string())


def _schema(columns: Mapping[str, exp.DataType]) -> pa.Schema:
    """Give the columns that may name a person, as texts or numbers."""
    words = [
        (name, pa.string())
        for name, found in columns.items()
        if found.is_type(*exp.DataType.TEXT_TYPES, "UUID")
    ]
    numbers = [(name, pa.int64()) for name, found in columns.items() if found.this in WHOLE]
    return pa.schema([*words, *numbers])


def _theirs(table: str, rule: Rule) -> PersonsRows:
    """Write what `Rule.marks` does with a batch."""
    values: list[str] = []
    by_key = _any([_among(name, own, values) for name, own in rule.keys.items()])
    if not rule.identities:
        return PersonsRows(table, by_key, values)
    nulls = exp.and_(*(_column(name).is_(exp.null()) for name in rule.identities))
    found = [_among(name, own, values) for name, own in rule.identities.items()]
    return PersonsRows(table, _any([*found, exp.and_(nulls, by_key)]), values)


def _any(conditions: list[exp.Condition]) -> exp.Condition:
    return exp.or_(exp.false(), *conditions)


def _among(name: str, own: frozenset[str], values: list[str]) -> exp.Condition:
    """Compare a column with values, each by its number among all `values` of the statement."""
    first = len(values) + 1
    values += sorted(own)
    numbers = [exp.Literal.number(number) for number in range(first, len(values) + 1)]
    if not numbers:
        return exp.false()
    return exp.cast(_column(name), "TEXT").isin(*(exp.Parameter(this=number) for number in numbers))


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)

"""People erased from the warehouse: from all its tables in one transaction."""

from collections.abc import Iterator, Mapping

import pyarrow as pa
from sqlglot import exp

from resources.privacy.person import Person, Rule
from resources.warehouse.database import Database
from resources.warehouse.folders import TYPES, folder_of
from resources.warehouse.resource import Warehouse
from resources.warehouse.stamps import STAMPS, lessen
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
            return {
                f"{table} {folder}".strip(): number
                for table, where in _places(database, person)
                for folder, number in _counted(database, table, where)
            }

    def erase(self, person: Person) -> dict[str, int]:
        """Remove their rows; count them by table and partition."""
        if not self._warehouse.is_there:
            return {}
        erased: dict[str, int] = {}
        with self._warehouse.open(self._run) as database, database.transaction():
            lock_all(database, Turn(self._warehouse.wait_seconds))
            for table, where in _places(database, person):
                for folder, number in _counted(database, table, where):
                    erased[f"{table} {folder}".strip()] = number
                    lessen(database, table, folder, number)
                removal = exp.delete(database.table(table), where=where)
                database.execute(removal, f"the erasure from {table}")
        if erased:
            self._warehouse.rewrite(self._run)
        return erased


def _places(database: Database, person: Person) -> Iterator[tuple[str, exp.Condition]]:
    """Give the tables that may name the person, and the condition that a row of them is theirs."""
    for table in database.tables():
        if table != STAMPS:
            rule = person.rule(table, _schema(database.columns(table)))
            if rule:
                yield table, _theirs(rule)


def _schema(columns: Mapping[str, exp.DataType]) -> pa.Schema:
    """Give the columns that may name a person as texts or numbers, the others without a type."""

    def type_(found: exp.DataType) -> pa.DataType:
        if found.is_type("TEXT"):
            return pa.string()
        return pa.int64() if found.this in WHOLE else pa.null()

    return pa.schema([(name, type_(found)) for name, found in columns.items()])


def _theirs(rule: Rule) -> exp.Condition:
    """Write what `Rule.marks` does with a batch."""
    by_key = _any([_among(name, values) for name, values in rule.keys.items()])
    if not rule.identities:
        return by_key
    nulls = exp.and_(*(_column(name).is_(exp.null()) for name in rule.identities))
    found = [_among(name, values) for name, values in rule.identities.items()]
    return _any([*found, exp.and_(nulls, by_key)])


def _any(conditions: list[exp.Condition]) -> exp.Condition:
    return exp.or_(exp.false(), *conditions)


def _among(name: str, values: frozenset[str]) -> exp.Condition:
    if not values:
        return exp.false()
    return exp.cast(_column(name), "TEXT").isin(*map(exp.Literal.string, sorted(values)))


def _counted(database: Database, table: str, where: exp.Condition) -> Iterator[tuple[str, int]]:
    """Count the rows of each partition's folder."""
    level = next((name for name in list(database.columns(table))[:1] if name in TYPES), None)
    number, what = exp.Count(this=exp.Star()), f"the count of {table}"
    if level is None:
        found = database.number(exp.select(number).from_(database.table(table)).where(where), what)
        yield from [("", found)] if found else []
        return
    by = exp.select(_column(level), number).from_(database.table(table)).where(where).group_by(_column(level))
    for value, rows in database.rows(by.order_by(_column(level)), what):
        yield folder_of(level, value), int(str(rows))


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)

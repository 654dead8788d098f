"""Partitions that are not to be kept any more, dropped from the warehouse."""

from collections.abc import Sequence

from sqlglot import exp

from resources.warehouse.database import Database
from resources.warehouse.folders import rows_of
from resources.warehouse.resource import Warehouse
from resources.warehouse.stamps import all_stamped, forget, loaded_in
from resources.warehouse.waiting import Turn, lock_name


class WarehouseHolder:
    """A place that has partitions; a DuckDB file that is not there has none."""

    def __init__(self, warehouse: Warehouse, *, run: str) -> None:
        self._warehouse = warehouse
        self._run = run

    def folders(self, table: str) -> list[str]:
        """Name the partitions that are loaded of a table of the lake."""
        if not self._warehouse.is_there:
            return []
        with self._warehouse.open(self._run) as database:
            return sorted({folder for _, folder in all_stamped(database, [table])})

    def drop(self, tables: Sequence[str], folder: str) -> int:
        """Drop a partition of some tables of the lake, the asset's own first, and count the rows.

        All that was made of them goes in one transaction: themselves, and the tables of their lists.
        """
        if not self._warehouse.is_there:
            return 0
        with self._warehouse.open(self._run) as database, database.transaction():
            lock_name(database, f"{tables[0]} {folder}", Turn(self._warehouse.wait_seconds))
            made = [
                name
                for name in loaded_in(database, folder)
                if any(name == table or name.startswith(f"{table}__") for table in tables)
            ]
            rows = sum(_dropped(database, table, folder) for table in made)
            if made:
                forget(database, made, folder)
            return rows


def _dropped(database: Database, table: str, folder: str) -> int:
    """Remove a partition's rows from a table, and count them."""
    where = rows_of(folder)
    number = exp.select(exp.Count(this=exp.Star())).from_(database.table(table)).where(where)
    rows = database.number(number, f"the count of {table}")
    removal = exp.delete(database.table(table), where=where)
    database.execute(removal, f"the end of {table} {folder}")
    return rows

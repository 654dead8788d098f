"""The warehouse's tables: made and widened as the schema says, and the views of their newest rows."""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
from sqlglot import exp

from resources.errors import ConfigurationError, SchemaChanged
from resources.graphql.tables import FETCHED_AT
from resources.schema_changes import SchemaChanges
from resources.warehouse.columns import column_definitions, create_table, declared_type
from resources.warehouse.database import Database
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.stamps import forget_table
from resources.warehouse.waiting import Turn, lock_table

LATEST = "__latest"
NEWEST = "_newest"  # the number of a row among those of its keys; no column of ours begins so
LONGEST_NAME = {"postgres": 63}  # bytes, beyond which names are cut


def prepare(database: Database, tables: Sequence[LoadedTable], policy: SchemaChanges, turn: Turn) -> None:
    """Make or widen the tables, and their views, as far as the policy lets columns change.

    Raises SchemaChanged, showing both, where a table has other columns than the policy lets pass, and
    WarehouseBusy where it is in use for too long to be altered.
    """
    names = [name for table in tables for name in (table.name, _view(table))]
    known = database.columns_of(names)
    for table in tables:
        _require_length(database, table)
        _require_case(database, table)
        require_columns(database, table, known[table.name], policy)
    for table in tables:
        widened = [name for name in (table.name, _view(table)) if known[name]]
        for name in widened if known[table.name].keys() != {*table.schema.names} else ():
            lock_table(database, name, turn)
        _make(database, table, known[table.name])
    for table in tables:
        has_newest = table.flat.keys and FETCHED_AT.name in table.schema.names
        if has_newest and known[_view(table)].keys() != {*table.schema.names}:
            _make_view(database, table)


def _view(table: LoadedTable) -> str:
    return f"{table.name}{LATEST}"


def _make(database: Database, table: LoadedTable, known: Mapping[str, exp.DataType]) -> None:
    what = f"the making of {table.name}"
    if not known:
        database.execute(create_table(database.table(table.name), table.schema), what)
        forget_table(database, table.name)  # it may have been dropped, to be loaded again
        if table.partition is not None and database.dialect == "postgres":
            database.execute(_index(database, table), what)
        return
    new = pa.schema([field for field in table.schema if field.name not in known])
    for column in column_definitions(table.name, new):
        added = exp.Alter(this=database.table(table.name), kind="TABLE", actions=[column])
        database.execute(added, f"the new column of {table.name}")


def _index(database: Database, table: LoadedTable) -> str:
    """A partition is found without a look at all rows; DuckDB and Snowflake know it of each block."""
    on, column = database.table(table.name).sql("postgres"), table.schema.names[0]
    return f'CREATE INDEX ON {on} ("{column}")'


def _require_length(database: Database, table: LoadedTable) -> None:
    longest = LONGEST_NAME.get(database.dialect)
    names = [database.namespace, _view(table), *table.schema.names]
    if longest and (odd := [name for name in names if len(name.encode()) > longest]):
        raise ConfigurationError(
            f"{odd[0]} is longer than the {longest} bytes that the warehouse's names may have: give the "
            "extract or the field an alias, the SQL schema another name"
        )


def _require_case(database: Database, table: LoadedTable) -> None:
    """Refuse two columns that DuckDB takes for one, as it does not look at the case of letters."""
    known: dict[str, str] = {}
    for name in table.schema.names if database.dialect == "duckdb" else ():
        other = known.setdefault(name.lower(), name)
        if other != name:
            raise ConfigurationError(
                f"{table.name} has the columns {other} and {name}, which differ in case only, and DuckDB "
                "does not tell them apart: give one an alias in the query, or another name in its asset"
            )


def require_columns(
    database: Database, table: LoadedTable, known: Mapping[str, exp.DataType], policy: SchemaChanges
) -> None:
    """Raise SchemaChanged, showing both, where a table that is there has other columns than may be."""
    if not known:
        return
    dialect = database.dialect
    wanted = {field.name: declared_type(field, table.name, dialect).sql(dialect) for field in table.schema}
    there = {name: type_.sql(dialect) for name, type_ in known.items()}
    odd = {name for name in {*wanted, *there} if wanted.get(name) != there.get(name)}
    if policy is SchemaChanges.ADDITIVE:
        odd = {name for name in odd if name in there}
    if odd:
        raise SchemaChanged(_message(table.name, there, wanted, odd, policy))


def _message(
    table: str, there: Mapping[str, str], wanted: Mapping[str, str], odd: set[str], policy: SchemaChanges
) -> str:
    lines = "\n".join(f"  {line}" for line in _difference(there, wanted))
    advice = (
        "to let new columns in, which are null in older rows, set TARGETDATA_SCHEMA_CHANGES=additive"
        if not odd & there.keys()
        else f"alter or drop {', '.join(sorted(odd & there.keys()))} in the warehouse, or drop {table} and "
        "load its partitions again"
    )
    return (
        f"{table} in the warehouse has other columns than the table that is loaded, and the policy is "
        f"{policy}; nothing was loaded. The warehouse's (-) and the lake's (+):\n{lines}\n"
        f"What to do: {advice}"
    )


def _difference(there: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[str]:
    for name in [*there, *(name for name in wanted if name not in there)]:
        before, after = there.get(name), wanted.get(name)
        if before == after:
            yield f"  {name}: {before}"
            continue
        if before:
            yield f"- {name}: {before}"
        if after:
            yield f"+ {name}: {after}"


def _make_view(database: Database, table: LoadedTable) -> None:
    """Show the newest row of each key; of a list the elements of that row.

    The columns are in the table's order, so that new ones come last, as PostgreSQL wants them in a view.
    """
    columns = list(database.columns(table.name))
    shown = _elements(database, table, columns) if table.flat.lists else _newest(database, table, columns)
    view = database.table(_view(table))
    database.execute(
        exp.Create(this=view, kind="VIEW", replace=True, expression=shown), f"the view of {table.name}"
    )


def _newest(database: Database, table: LoadedTable, columns: Sequence[str]) -> exp.Select:
    order = [FETCHED_AT.name, *([table.partition.name] if table.partition is not None else [])]
    newest = exp.Window(
        this=exp.func("row_number"),
        partition_by=[_column(key) for key in table.flat.keys],
        order=exp.Order(expressions=[exp.Ordered(this=_column(name), desc=True) for name in order]),
    )
    numbered = (
        exp.select(*map(_column, columns), newest.as_(NEWEST, quoted=True))
        .from_(database.table(table.name))
        .where(*(exp.not_(_column(key).is_(exp.null())) for key in table.flat.keys))
    )
    return (
        exp.select(*map(_column, columns)).from_(numbered.subquery("numbered")).where(_column(NEWEST).eq(1))
    )


def _elements(database: Database, table: LoadedTable, columns: Sequence[str]) -> exp.Select:
    of = [*table.flat.keys, FETCHED_AT.name, *([table.partition.name] if table.partition is not None else [])]
    newest = database.table(f"{table.flat.main}{LATEST}").as_("parent")
    return (
        exp.select(*(_column(name, "element") for name in columns))
        .from_(database.table(table.name).as_("element"))
        .join(newest, on=exp.and_(*(_column(n, "element").eq(_column(n, "parent")) for n in of)))
    )


def _column(name: str, table: str | None = None) -> exp.Column:
    return exp.column(name, table=table, quoted=True)

"""Which changes of a table's columns may pass: the policy, and its check before anything is asked."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pt

from resources.errors import LakeError, SchemaChanged
from resources.lake.declared import read_type
from resources.lake.publishing.manifest import Manifest, column_types
from resources.lake.resource import Lake
from resources.schema_changes import SchemaChanges

ALLOW = (
    "to let new columns in, which are null in older partitions, set TARGETDATA_SCHEMA_CHANGES=additive "
    "(GRAPHQL_SCHEMA_CHANGES for another API)"
)
BEGIN_ANEW = (
    "undo the change of the query, the schema or the scalars; or begin another table by giving the extract, "
    "its asset and .graphql file, another name than {table}; or replace all partitions at once, in a single "
    "run (TARGETDATA_PARTITIONS_PER_RUN=0) or after moving {folder} away"
)


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """One column, or a field inside of it, and its type before and after; None where it is not there."""

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        """Write it as a line that shows both."""
        if self.before is None:
            return f"+ {self.path}: {self.after}"
        if self.after is None:
            return f"- {self.path}: {self.before}"
        return f"~ {self.path}: {self.before} -> {self.after}"


def require_columns(
    lake: Lake, tables: Mapping[str, pa.Schema], *, replaced: Collection[str], policy: SchemaChanges
) -> None:
    """Raise SchemaChanged where tables would get other columns than the policy lets pass.

    A table's columns are those of its newest partition, but for the folders that are to be `replaced`; no
    type may be another than in any of them, as all are read together. The columns' order does not count:
    pyarrow, DuckDB, pandas and polars find columns, and fields of structs, by name.
    """
    for table, schema in tables.items():
        differing = _differing(_staying(lake, table, replaced), schema, policy)
        found = [(manifest, changes) for manifest, changes in differing if changes]
        if found:
            # What no policy lets pass goes first: else it would be said only when additions are let in.
            manifest, changes = min(found, key=lambda each: all(c.before is None for c in each[1]))
            raise SchemaChanged(_message(lake, manifest, changes, policy))


def replaces_columns(lake: Lake, tables: Mapping[str, pa.Schema], folders: Collection[str]) -> bool:
    """Say whether some of these partitions have other columns than their tables are about to get."""
    return any(
        found.columns != column_types(schema)
        for table, schema in tables.items()
        for found in lake.manifests(table)
        if found.partition in folders
    )


def newest_but(lake: Lake, table: str, replaced: Collection[str]) -> Manifest | None:
    """Give the manifest of the partition that was published last, but for those to be replaced."""
    return next(iter(_staying(lake, table, replaced)), None)


def _staying(lake: Lake, table: str, replaced: Collection[str]) -> list[Manifest]:
    others = [found for found in lake.manifests(table) if found.partition not in replaced]
    return sorted(others, key=lambda manifest: manifest.observed_at, reverse=True)


def _differing(
    manifests: list[Manifest], schema: pa.Schema, policy: SchemaChanges
) -> Iterator[tuple[Manifest, list[ColumnChange]]]:
    """Give what may not pass: of the newest all that the policy forbids, of others what has another type."""
    distinct: dict[tuple[tuple[str, str], ...], Manifest] = {}
    for manifest in manifests:
        distinct.setdefault(tuple(sorted(manifest.columns.items())), manifest)
    for number, manifest in enumerate(distinct.values()):
        changes = list(column_changes(manifest.columns, schema))
        if number:  # a clock that was ahead makes a partition the newest that is not
            changes = [change for change in changes if change.before and change.after]
        elif policy is SchemaChanges.ADDITIVE:
            changes = [change for change in changes if change.before is not None]
        yield manifest, changes


def column_changes(before: Mapping[str, str], after: pa.Schema) -> Iterator[ColumnChange]:
    """Compare the columns of a manifest with a schema; what changed inside of a struct is named by itself."""
    if before != column_types(after):
        yield from _between([_field(name, text) for name, text in before.items()], list(after), "")


def _field(name: str, text: str) -> pa.Field:
    try:
        return pa.field(name, read_type(text))
    except ValueError:
        raise LakeError(
            f"a manifest says that {name} is {text}, which is no type: run its partition again"
        ) from None


def _between(before: Collection[pa.Field], after: Collection[pa.Field], above: str) -> Iterator[ColumnChange]:
    old, new = ({field.name: field.type for field in fields} for fields in (before, after))
    for name in [*old, *(name for name in new if name not in old)]:
        yield from _one(f"{above}{name}", old.get(name), new.get(name))


def _one(path: str, old: pa.DataType | None, new: pa.DataType | None) -> Iterator[ColumnChange]:
    if old == new:
        return
    if old is None or new is None:
        yield ColumnChange(path, old and str(old), new and str(new))
    elif pt.is_struct(old) and pt.is_struct(new):
        yield from _between(list(old), list(new), f"{path}.")
    elif pt.is_list(old) and pt.is_list(new):
        yield from _one(f"{path}[]", old.value_type, new.value_type)
    else:
        yield ColumnChange(path, str(old), str(new))


def _message(lake: Lake, newest: Manifest, changes: list[ColumnChange], policy: SchemaChanges) -> str:
    table, only_new = newest.table, all(change.before is None for change in changes)
    lines = "\n".join(f"  {change}" for change in changes)
    return (
        f"the query gives {table} other columns than {table}/{newest.partition} has, and the policy is "
        f"{policy}; nothing was asked or written:\n{lines}\nWhat to do: "
        f"{ALLOW if only_new else BEGIN_ANEW.format(table=table, folder=lake.root / table)}"
    )

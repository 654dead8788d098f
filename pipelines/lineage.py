"""What the asset graph tells of a table of the lake: its place, and what each of its columns is made of."""

from collections.abc import Iterable, Mapping
from itertools import takewhile

import dagster as dg
import pyarrow as pa

from pipelines.api import APIS, Api
from pipelines.environment import environment
from resources.graphql.lineage import column_paths
from resources.graphql.query import Query
from resources.lake.declared import COLUMN_LINEAGE, COLUMN_SCHEMA, table_schema

FEED = "feed"

Columns = Mapping[str, Iterable[tuple[str, str]]]  # of a table: assets and columns that each is made of


def extract_metadata(
    query: Query, *, api: Api = Api.TARGETDATA, keys: str | None = None
) -> dict[str, object]:
    """Describe the table of an extract; `keys` is the asset that its key columns are from."""
    schema = query.tables[query.name]
    fields = {name: [(APIS[api], path) for path in paths] for name, paths in column_paths(query).items()}
    asked = {name: [(keys, name)] for name in schema.names if keys and name in _key_columns(query)}
    return table_metadata(query.name, schema, {**asked, **fields})


def table_metadata(table: str, schema: pa.Schema, made_of: Columns) -> dict[str, object]:
    """Describe a table: `made_of` names for a column the assets and their columns that it is made of."""
    made = {name: list(deps) for name, deps in made_of.items() if name in schema.names}
    lineage = {
        name: [dg.TableColumnDep(asset_key=asset_key(asset), column_name=column) for asset, column in deps]
        for name, deps in made.items()
    }
    return {
        COLUMN_SCHEMA: table_schema(schema, {name: _said(deps) for name, deps in made.items()}),
        COLUMN_LINEAGE: dg.TableColumnLineage(deps_by_column=lineage),
        "dagster/table_name": table,
        "dagster/uri": (environment().lake.resolve() / table).as_uri(),
    }


def asset_key(name: str) -> dg.AssetKey:
    """Give the key of an asset, with the account before it where there are several."""
    return dg.AssetKey([*environment().key_prefix, name])


def _said(deps: Iterable[tuple[str, str]]) -> str:
    """Say of what a column is made, as Dagster's open-source pages show descriptions, and no lineage."""
    columns: dict[str, list[tuple[str, ...]]] = {}
    for asset, column in deps:
        columns.setdefault(asset, []).append(tuple(column.split(".")))
    return "from " + " and ".join(f"{asset}.{_joined(paths)}" for asset, paths in columns.items())


def _joined(paths: list[tuple[str, ...]]) -> str:
    """Write the way that all have in common once."""
    if len(paths) == 1:
        return ".".join(paths[0])
    same = takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False))
    common = [names[0] for names in same]
    return f"{'.'.join(common)} ({', '.join('.'.join(path[len(common) :]) for path in paths)})"


def _key_columns(query: Query) -> set[str]:
    """Name the columns of the rows that are no fields of the API."""
    return set(query.rows.names) - {column.name for column in query.columns} - {"fetched_at"}

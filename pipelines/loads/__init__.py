"""Loads: for each table of an extract an asset in the warehouse, with the extract's partitions."""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from pipelines.environment import environment
from pipelines.lineage import table_metadata
from pipelines.loads.check import WAREHOUSE
from resources.graphql.lineage import flat_paths
from resources.graphql.query import Query
from resources.graphql.tables import LOOKUPS
from resources.lake import Lake
from resources.lake.declared import COLUMN_SCHEMA, table_schema
from resources.lake.place import partition_column
from resources.schema_changes import SchemaChanges
from resources.warehouse.dialects import dialect_of
from resources.warehouse.flat import FlatTable, flat_tables
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.resource import Warehouse

# As soon as the partition that is loaded was published; also an old one, in a backfill.
FOLLOW = (
    dg.AutomationCondition.eager()
    .without(dg.AutomationCondition.in_latest_time_window())
    .with_label("when_published")
)


class LoadConfig(dg.Config):
    """What may be said of one run of loads."""

    force: bool = False


def tables_of_extract(query: Query) -> tuple[FlatTable, ...]:
    """Plan the warehouse's tables of an extract: its own and its lookups, flat, and one for each list."""
    keys = query.key_names
    identity = [query.identity_column] if query.identity_column else []
    return tuple(
        table
        for name, schema in query.tables.items()
        for table in flat_tables(name, schema, keys if name == query.name + LOOKUPS else identity or keys)
    )


def warehouse_loads(
    asset: dg.AssetsDefinition,
    made: Query | Sequence[FlatTable],
    *,
    schema_changes: SchemaChanges = SchemaChanges.FROZEN,
    backfill_policy: dg.BackfillPolicy | None = None,
) -> dg.AssetsDefinition:
    """Define the loads of an asset's tables: `warehouse/<table>` for each, replaced in one transaction.

    They are those of its query, or, for an asset that returns frames, some `flat_tables`.

    They follow the asset by themselves, partition by partition, in a backfill too. A generation that is
    loaded is not loaded again, but by a run with the config `force: true`.
    """
    column = partition_column(asset.partitions_def)
    tables = tables_of_extract(made) if isinstance(made, Query) else made
    loaded = [LoadedTable(table, column) for table in tables]
    dialect = dialect_of(environment().warehouse)

    @dg.multi_asset(
        name=f"load_{asset.key.path[-1]}",
        specs=[_spec(asset, table, dialect, _fields(made, table.flat)) for table in loaded],
        partitions_def=asset.partitions_def,
        backfill_policy=backfill_policy,
        can_subset=True,
        pool="_".join(["warehouse", *environment().key_prefix]) if dialect == "duckdb" else None,
    )
    def load(
        context: dg.AssetExecutionContext, config: LoadConfig, lake: Lake, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult[None]]:
        from pipelines.loads.run import LoadRun

        run = LoadRun(context, lake, warehouse, loaded, policy=schema_changes, force=config.force)
        yield from run.results()

    return load


def _spec(
    asset: dg.AssetsDefinition, table: LoadedTable, dialect: str, fields: Mapping[str, str]
) -> dg.AssetSpec:
    return dg.AssetSpec(
        [WAREHOUSE, table.name],
        deps=[asset.key],
        description=_grain(table, asset),
        metadata=_metadata(asset, table, fields),
        group_name=WAREHOUSE,
        kinds={dialect, "table"},
        automation_condition=FOLLOW,
    )


def _grain(table: LoadedTable, asset: dg.AssetsDefinition) -> str:
    """Say in a sentence what a row is."""
    flat, of = table.flat, " and ".join(table.flat.keys)
    beside = f" and {table.partition.name}" if table.partition is not None else ""
    if flat.lists:
        way = ".".join(child.path[-1] for child in flat.lists)
        return f"One row per element of the list `{way}` of a row of `{flat.main}`, by {of}{beside}."
    if flat.source != asset.key.path[-1]:
        return f"One row per row of `{flat.source}`, by {of}{beside}."
    said = (asset.descriptions_by_key.get(asset.key) or "").strip().partition("\n")[0]
    return f"{said} In the warehouse it is flat: a list is a table of its own."


def _metadata(asset: dg.AssetsDefinition, table: LoadedTable, fields: Mapping[str, str]) -> dict[str, object]:
    """Describe the table as one of the lake is described, but for its place, and name the API's fields.

    A table that the lake has beside the asset's own has no columns of it to lead to.
    """
    source = asset.key.path[-1]
    origins = table.flat.origins if table.flat.source == source else {}
    said = {name: f"from {source}.{origin}" for name, origin in origins.items()}
    for name, path in fields.items():
        said[name] = f"{said[name]}, {path}" if name in said else f"from {path}"
    described = table_metadata(table.name, table.schema, {n: [(source, o)] for n, o in origins.items()})
    described.pop("dagster/uri")  # that of a folder in the lake
    return described | {
        COLUMN_SCHEMA: table_schema(table.schema, said),
        "dagster/table_name": ".".join(filter(None, [environment().namespace, table.name])),
    }


def _fields(made: Query | Sequence[FlatTable], table: FlatTable) -> dict[str, str]:
    """Find the API's field that a column is made of, as the way from the root field."""
    if not isinstance(made, Query) or table.source == made.name + LOOKUPS:
        return {}
    exploded = {child.name: child.path for child in made.children}
    way = (*exploded.get(table.source, ()), *(child.path[-1] for child in table.lists))
    paths, flat = flat_paths(made), {name: "_".join((*way, name)) for name in table.schema.names}
    return {name: paths[below] for name, below in flat.items() if below in paths}

"""`WarehouseLoad`: the loads of an extract's tables into the warehouse."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import dagster as dg
from dagster.components.core.decl import YamlDecl, YamlFileDecl
from pydantic import Field

from pipelines.components.component import ComponentOptions, YamlComponent
from pipelines.components.given import Given
from pipelines.components.graphql_extract import GraphQLExtract
from pipelines.environment import environment
from pipelines.loads import tables_of_extract, warehouse_loads
from pipelines.loads.check import load_check
from pipelines.plan.extracts import query_of
from pipelines.root import shown
from resources.schema_changes import SchemaChanges


class WarehouseLoadOptions(ComponentOptions):
    """The options of a WarehouseLoad."""

    of: str | None = Field(
        None,
        description="The extract: its folder below `pipelines/defs`; by default the one in the same file.",
    )
    schema_changes: SchemaChanges | None = Field(
        None, description="Columns that change: `frozen` stops, `additive` lets new ones in."
    )


class WarehouseLoad(YamlComponent[WarehouseLoadOptions]):
    """Loads each table of an extract into the warehouse, partition by partition, as it is published."""

    options_model: ClassVar[type[ComponentOptions]] = WarehouseLoadOptions

    def define(self, given: Given) -> dg.Definitions:
        """Define the loads and their check."""
        asset = self._extract(given)
        with given.named("of"):
            query = query_of(asset, asset.key.path[-1])
        loads = warehouse_loads(
            asset,
            query,
            schema_changes=self.options.schema_changes or environment().schema_changes,
            backfill_policy=asset.backfill_policy,
        )
        return dg.Definitions(assets=[loads], asset_checks=[load_check(tables_of_extract(query))])

    def _extract(self, given: Given) -> dg.AssetsDefinition:
        """Find the extract's asset: it has its folder's name, or is the one of this file."""
        if self.options.of is not None:
            return self._in_folder(given, given.context.defs_module_path / self.options.of)
        found = list(self._beside(given))
        if len(found) != 1:
            several = ", ".join(asset.key.path[-1] for asset in found)
            raise given.error(
                "of", reason=f"name one extract of {several}" if found else "which extract? Name its folder"
            )
        return found[0]

    def _in_folder(self, given: Given, folder: Path) -> dg.AssetsDefinition:
        if not folder.is_dir():
            raise given.error("of", reason=f"there is no folder {shown(folder)}")
        assets = [
            a for a in given.context.build_defs(folder).assets or () if isinstance(a, dg.AssetsDefinition)
        ]
        named = {asset.key.path[-1]: asset for asset in assets if len(asset.keys) == 1}
        if folder.name not in named:
            there = ", ".join(named) or "none"
            raise given.error(
                "of",
                reason=f"{shown(folder)} has no asset {folder.name}, and an extract has its folder's name; "
                f"there are: {there}",
            )
        return named[folder.name]

    def _beside(self, given: Given) -> Iterator[dg.AssetsDefinition]:
        """Give the assets of the extracts that stand in the same file."""
        file = given.context.component_tree.find_decl_at_path(given.folder)
        for declared in file.decls if isinstance(file, YamlFileDecl) else ():
            if isinstance(declared, YamlDecl) and declared.component_type is GraphQLExtract:
                for asset in given.context.build_defs(declared.loc).assets or ():
                    if isinstance(asset, dg.AssetsDefinition):
                        yield asset

"""`WarehouseLoad`: the loads of an extract's tables into the warehouse."""

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
        description="The extract: its folder below `pipelines/defs`, or its name if it is in the same file, "
        "where it is meant by default.",
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
        """Find the extract's asset: it is of this file, or of the folder that is named."""
        beside = _extracts_beside(given)
        of = self.options.of
        named = [asset for asset in beside if of in (None, asset.key.path[-1])]
        found = named or (_assets_of_folder(given, of) if of else [])
        if len(found) == 1:
            return found[0]
        names = ", ".join(asset.key.path[-1] for asset in found)
        raise given.error(
            "of", reason=f"name one extract of {names}" if found else "which extract? Name its folder"
        )


def _extracts_beside(given: Given) -> list[dg.AssetsDefinition]:
    """Give the assets of the extracts that stand in the same file."""
    file = given.context.component_tree.find_decl_at_path(given.folder)
    declared = file.decls if isinstance(file, YamlFileDecl) else ()
    extracts = [d for d in declared if isinstance(d, YamlDecl) and d.component_type is GraphQLExtract]
    return [asset for each in extracts for asset in _assets(given.context.build_defs(each.loc))]


def _assets_of_folder(given: Given, of: str) -> list[dg.AssetsDefinition]:
    """Give the asset that has its folder's name, or all that are there."""
    folder = given.context.defs_module_path / of
    if not folder.is_dir():
        raise given.error(
            "of", reason=f"there is no folder {shown(folder)}, and no extract {of} in this file"
        )
    if given.folder.resolve().is_relative_to(folder.resolve()):
        raise given.error("of", reason=f"there is no extract {of} in this file, which is in {shown(folder)}")
    found = _assets(given.context.build_defs(folder))
    named = [asset for asset in found if asset.key.path[-1] == folder.name]
    return named or found


def _assets(found: dg.Definitions) -> list[dg.AssetsDefinition]:
    """Leave out what makes several tables at once, which are loads."""
    return [a for a in found.assets or () if isinstance(a, dg.AssetsDefinition) and len(a.keys) == 1]

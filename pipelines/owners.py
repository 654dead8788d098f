"""Owners of the assets: those that the settings name, where an asset has none of its own."""

from collections.abc import Sequence

import dagster as dg

from pipelines.assets import assets_of, with_assets


def owned(found: dg.Definitions, owners: Sequence[str]) -> dg.Definitions:
    """Give the owners to all assets that have none; without owners, change nothing."""
    if not owners:
        return found

    def with_owners(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec if spec.owners else spec.replace_attributes(owners=list(owners))

    definitions = assets_of(found)
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
        d for d in definitions if isinstance(d, dg.AssetsDefinition | dg.AssetSpec)
    ]
    others = [d for d in definitions if not isinstance(d, dg.AssetsDefinition | dg.AssetSpec)]
    return with_assets(found, [*dg.map_asset_specs(with_owners, assets), *others])

"""Assets that a `defs.yaml` names: whether they are there is known when all definitions are loaded."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import dagster as dg

from pipelines.assets import assets_of
from resources.errors import ConfigurationError

ORIGIN = "dagster/component_origin"  # where Dagster keeps the component that an asset was made by

Partitions = Mapping[dg.AssetKey, dg.PartitionsDefinition | None]


@dataclass(frozen=True, slots=True)
class Need:
    """An asset that must be there; `at` and `partitions_at` are the places of the options that say so."""

    asset: str
    at: str
    partitions_at: str

    def require(self, assets: Partitions, own: dg.PartitionsDefinition | None) -> None:
        """Refuse that it is not there, or has other partitions than the asset that needs it."""
        key = dg.AssetKey(self.asset)
        if key not in assets:
            names = ["_".join(key.path) for key in assets]
            near = difflib.get_close_matches(self.asset, names, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise ConfigurationError(f"{self.at}: there is no asset {self.asset}{meant}")
        if assets[key] != own:
            advice = (
                "both need the same" if assets[key] and own else f"write partitions: {_word(assets[key])}"
            )
            differs = f"{self.asset} has {_said(assets[key])}, this asset {_said(own)}"
            raise ConfigurationError(f"{self.partitions_at}: {differs}: {advice}")


@runtime_checkable
class Needing(Protocol):
    """A component whose asset may need another one."""

    need: Need | None


def require_needed(found: dg.Definitions) -> None:
    """Refuse an asset whose keys are of an asset that is not there, or has other partitions."""
    assets = [d for d in assets_of(found) if isinstance(d, dg.AssetsDefinition)]
    specs = [d for d in assets_of(found) if isinstance(d, dg.AssetSpec)]
    needs = list(_needs(assets))
    if not needs:
        return
    partitions = {key: asset.partitions_def for asset in assets for key in asset.keys}
    for need, own in needs:
        made_elsewhere = {spec.key: own for spec in specs}
        need.require({**made_elsewhere, **partitions}, own)


def _needs(
    assets: Iterable[dg.AssetsDefinition],
) -> Iterator[tuple[Need, dg.PartitionsDefinition | None]]:
    """Find what components say that their assets need."""
    for asset in assets:
        for metadata in asset.metadata_by_key.values():
            component = getattr(metadata.get(ORIGIN), "instance", None)
            if isinstance(component, Needing) and component.need:
                yield component.need, asset.partitions_def


def _said(partitions: dg.PartitionsDefinition | None) -> str:
    return str(partitions) if partitions else "no partitions"


def _word(partitions: dg.PartitionsDefinition | None) -> str:
    return "daily" if partitions else "none"

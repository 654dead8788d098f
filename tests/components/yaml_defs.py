"""Definitions from folders with a `defs.yaml`, as the code location loads them."""

import json
import warnings
from pathlib import Path
from types import ModuleType

import dagster as dg
from dagster.components.core.component_tree import ComponentTree

from pipelines.assets import assets_of
from pipelines.connections import graphql, targetdata, warehouse
from pipelines.definitions import plain_errors
from pipelines.environment import environment
from pipelines.needed import require_needed
from pipelines.yaml_files import require_components
from resources.lake import Lake


def load(defs: Path) -> dg.Definitions:
    """Load all folders below one."""
    module = ModuleType("yaml_defs")
    module.__file__ = str(defs / "__init__.py")
    require_components(defs)
    with plain_errors(), warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # as load_from_defs_folder does
        found = ComponentTree(defs_module=module, project_root=defs.parent).build_defs()
    require_needed(found)
    return found


def connected(found: dg.Definitions) -> dg.Definitions:
    """Add the connections that the settings name."""
    resources = {
        "targetdata": targetdata(),
        "graphql": graphql(),
        "lake": Lake(path=str(environment().lake)),
        "warehouse": warehouse(),
    }
    return dg.Definitions.merge(found, dg.Definitions(resources=resources))


def assets(found: dg.Definitions) -> dict[str, dg.AssetsDefinition]:
    """Give the assets that are made here, by name."""
    return {
        asset.key.path[-1]: asset
        for asset in assets_of(found)
        if isinstance(asset, dg.AssetsDefinition) and len(asset.keys) == 1
    }


def write(folder: Path, yaml: str, *, document: str = "", name: str = "") -> Path:
    """Write a folder's `defs.yaml`, and a document of the folder's name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "defs.yaml").write_text(yaml, encoding="utf-8")
    if document:
        (folder / f"{name or folder.name}.graphql").write_text(document, encoding="utf-8")
    return folder


def extract(**attributes: object) -> str:
    """Write the `defs.yaml` of an extract; JSON is YAML."""
    lines = "".join(f"  {name}: {json.dumps(value)}\n" for name, value in attributes.items())
    return f"type: pipelines.components.GraphQLExtract\nattributes:\n{lines}"

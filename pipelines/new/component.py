"""The text of an extract's `defs.yaml`."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from pipelines.new.asset import AssetText
from pipelines.root import ROOT

EDITOR_SCHEMA = ROOT / "pipelines" / "components" / "defs.schema.json"
PLAIN = re.compile(r"[A-Za-z_./][\w./-]*")
NO_TEXTS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n", ".", "..", ".inf", ".nan"})


def component_text(asset: AssetText, folder: Path, schema_file: str) -> str:
    """Write the file that runs an extract's document; `schema_file` where it is not that of the settings."""
    attributes = "".join(f"  {line}\n" for line in _attributes(asset, schema_file))
    return (
        f"# yaml-language-server: $schema={os.path.relpath(EDITOR_SCHEMA, folder.resolve())}\n"
        f"type: pipelines.components.GraphQLExtract\nattributes:\n{attributes}"
    )


def _attributes(asset: AssetText, schema_file: str) -> Iterator[str]:
    keys, draft = asset.keys, asset.draft
    yield f"description: {json.dumps(asset.grain, ensure_ascii=False)}"
    if keys:
        yield f"keys: {_scalar(keys.asset or keys.place)}"
    if draft.identity:
        yield f"identity: {_scalar(draft.identity)}"
    if draft.paging:
        yield "paging:"
        yield from (f"  {name}: {_scalar(value)}" for name, value in draft.paging.items())
    if schema_file:
        yield f"schema_file: {_scalar(schema_file)}"


def _scalar(text: str) -> str:
    """Write a text so that YAML reads it as one."""
    is_plain = PLAIN.fullmatch(text) and text.lower() not in NO_TEXTS
    return text if is_plain else json.dumps(text, ensure_ascii=False)

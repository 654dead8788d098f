"""Files whose type is none: Dagster says the name, and not which file has it."""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from pipelines.root import shown
from resources.errors import ConfigurationError

FILES = ("defs.yaml", "defs.yml", "component.yaml")
COMPONENTS = ("GraphQLExtract", "KeyFeed", "WarehouseLoad")  # what pipelines.components has
TYPE = re.compile(r"""^type:\s*["']?pipelines\.components\.(\w+)""", re.MULTILINE)


def misnamed(defs: Path) -> ConfigurationError | None:
    """Find the files below a folder that name no component."""
    found = [line for name in FILES for path in sorted(defs.rglob(name)) for line in _wrong(path)]
    return ConfigurationError("\n".join(found)) if found else None


def _wrong(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if not re.search(r"^[^#\s]", text, re.MULTILINE):
        yield f"{shown(path)}: it is empty; it begins with type: pipelines.components.{COMPONENTS[0]}"
    for match in TYPE.finditer(text):
        if match[1] not in COMPONENTS:
            line = text.count("\n", 0, match.start()) + 1
            near = difflib.get_close_matches(match[1], COMPONENTS, 1)
            meant = f"did you mean {near[0]}? " if near else ""
            known = ", ".join(COMPONENTS)
            yield f"{shown(path)}:{line}: type: there is no {match[1]}; {meant}There are: {known}"

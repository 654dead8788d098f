"""What is wrong with a `defs.yaml` as a file: of much of that Dagster names neither the file nor the line."""

import difflib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import yaml

from pipelines.root import shown
from resources.errors import ConfigurationError

FILES = ("defs.yaml", "defs.yml", "component.yaml")
ROOM = "pipelines.components"
TYPES = tuple(f"{ROOM}.{name}" for name in ("GraphQLExtract", "KeyFeed", "WarehouseLoad"))
PARTS = ("type", "attributes", "template_vars_module", "requirements", "post_processing")  # Dagster's
EMPTY = f"there is no component: begin with type: {TYPES[0]}"


def require_components(defs: Path) -> None:
    """Refuse a file that is no YAML or has no component, and a component of which something is misspelt."""
    for file in sorted(path for name in FILES for path in defs.rglob(name)):
        documents = _documents(file)
        if not documents:
            raise ConfigurationError(f"{shown(file)}: {EMPTY}")
        for document in documents:
            if fault := next(_faults(document), None):
                node, reason = fault
                raise ConfigurationError(f"{shown(file)}:{node.start_mark.line + 1}: {reason}")
        _require_nothing_else(file, documents)


def _require_nothing_else(file: Path, documents: list[yaml.Node]) -> None:
    """Refuse assets beside or below these components, which Dagster would pass over without a word."""
    parts = [{key.value: value.value for key, value in document.value} for document in documents]
    if any(part["type"] not in TYPES for part in parts):
        return
    functions = {str(part.get("template_vars_module", "")).rpartition(".")[2] for part in parts}
    ignored = {"__init__", *functions}
    for path in sorted(file.parent.rglob("*")):
        is_module = path.suffix == ".py" and path.stem not in ignored
        if is_module or (path.name in FILES and path != file):
            raise ConfigurationError(
                f"{shown(file)}: {shown(path)} is not read, as Dagster reads nothing beside or below "
                "this file: give it a folder of its own"
            )


def _documents(file: Path) -> list[yaml.Node]:
    try:
        return list(yaml.compose_all(file.read_text("utf-8"), Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigurationError(f"{shown(file)}{place}: this is no YAML: {error.problem}") from None


def _faults(document: yaml.Node) -> Iterator[tuple[yaml.Node, str]]:
    """Find what is wrong in one document, and where; what is of another room is for Dagster to read."""
    if not isinstance(document, yaml.MappingNode):
        yield document, EMPTY
        return
    kind = next((value for key, value in document.value if key.value == "type"), None)
    if kind is None or not kind.value:
        yield kind or document, EMPTY
        return
    name = str(kind.value)
    if name not in TYPES:
        if not _is_elsewhere(name):
            yield kind, f"type: there is no {name}; {_meant(name)}"
        return
    for key, value in document.value:
        if key.value not in PARTS:
            yield key, f"{key.value}: a component has no such part; there are: {', '.join(PARTS)}"
        if key.value == "attributes" and not (isinstance(value, yaml.MappingNode) or not value.value):
            yield value, "attributes: write the options below it, as in identity: profileId"
    yield from _doubled(document)


def _is_elsewhere(name: str) -> bool:
    """Say whether a type may be one of Dagster's or of your own."""
    module, _, _ = name.rpartition(".")
    try:
        return module not in ("", ROOM) and find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _meant(name: str) -> str:
    names = {known.rpartition(".")[2]: known for known in TYPES}
    near = difflib.get_close_matches(name.rpartition(".")[2], names, 1)
    return f"did you mean {names[near[0]]}?" if near else f"there are: {', '.join(TYPES)}"


def _doubled(node: yaml.Node) -> Iterator[tuple[yaml.Node, str]]:
    """Find names that stand twice beside each other, of which YAML takes the last without a word."""
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _doubled(each)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                yield key, f"{key.value}: it is written twice"
            seen.add(str(key.value))
            yield from _doubled(value)

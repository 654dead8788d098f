"""What a `defs.yaml` gives: its options, and for errors the file and the line of each."""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import dagster as dg
from dagster.components.core.decl import YamlDecl
from dagster.components.resolved.errors import ResolutionException
from pydantic import BaseModel, ValidationError

from pipelines.root import shown
from pipelines.yaml_files import FILES
from resources.errors import ConfigurationError, ExtractionError

Options = TypeVar("Options", bound=BaseModel)
SECRET = re.compile(r"://[^/]*@|://.*\?.*=")  # a user before the host, or parameters behind the path


@dataclass(frozen=True, slots=True)
class Given:
    """The place of a component's options; `context` is Dagster's."""

    context: dg.ComponentLoadContext

    @property
    def folder(self) -> Path:
        """Where the file is."""
        return self.context.path

    @property
    def file(self) -> Path:
        """The file."""
        return next((self.folder / n for n in FILES if (self.folder / n).exists()), self.folder / FILES[0])

    def at(self, *option: str | int) -> str:
        """Write the place of an option, or of the nearest thing around it, as `file:line: option`."""
        declared = self.context.component_decl
        tree = declared.source_tree if isinstance(declared, YamlDecl) else None
        position = (
            tree and tree.source_position_tree.lookup_closest_and_path(["attributes", *option], None)[0]
        )
        line = f":{position.start.line}" if position else ""
        name = ".".join(str(part) for part in option if part != "[key]")  # pydantic's, of a name in a mapping
        return f"{shown(self.file)}{line}{f': {name}' if name else ''}"

    def error(self, *option: str | int, reason: object) -> ConfigurationError:
        """Make the error of an option."""
        return ConfigurationError(f"{self.at(*option)}: {reason}")

    def require_no_secret(self, option: str, place: str, instead: str) -> None:
        """Refuse a URI that may hold a secret, as the file is kept with the code."""
        if SECRET.search(place):
            reason = (
                "a URI with a user, a password or parameters is a secret, which belongs into the environment"
            )
            raise self.error(option, reason=f"{reason}: {instead}")

    @contextmanager
    def named(self, *option: str | int) -> Iterator[None]:
        """Say of an error which option of which file it is of, unless it does."""
        try:
            yield
        except (ExtractionError, dg.DagsterError) as error:
            if str(error).startswith(f"{shown(self.folder)}{os.sep}"):
                raise
            raise self.error(*option, reason=error) from error

    def options(self, model: type[Options], attributes: Mapping[str, object]) -> Options:
        """Read the options, or name each that is wrong."""
        rendered = {name: self._rendered(name, value) for name, value in attributes.items()}
        try:
            return model.model_validate(rendered)
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            lines = [
                f"{self.at(*each['loc'])}: {_reason(model, each['type'], each['loc'], each['msg'])}"
                for each in found
            ]
            raise ConfigurationError("\n".join(dict.fromkeys(lines))) from None

    def _rendered(self, name: str, value: object) -> object:
        """Fill in Dagster's templates, and leave other texts as they are written."""
        if not any(mark in str(value) for mark in ("{{", "{%")):
            return value
        option = self.context.resolution_context.at_path("attributes").at_path(name)
        try:
            found: object = option.resolve_value(value)
        except ResolutionException as error:
            raise self.error(name, reason=f"the template cannot be filled in: {error.__context__}") from None
        if found is None:
            raise self.error(name, reason="the template gives nothing: is the variable set that it names?")
        return found


def _reason(model: type[BaseModel], kind: str, where: tuple[int | str, ...], message: str) -> str:
    if kind != "extra_forbidden":
        return message.removeprefix("Value error, ")
    known = list(_model_at(model, where[:-1]).model_fields)
    near = difflib.get_close_matches(str(where[-1]), known, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"there is no such option; {meant}There are: {', '.join(known)}"


def _model_at(model: type[BaseModel], where: tuple[int | str, ...]) -> type[BaseModel]:
    """Find the model of nested options."""
    for name in where:
        field = model.model_fields.get(str(name))
        inside = [t for t in getattr(field and field.annotation, "__args__", ()) if isinstance(t, type)]
        model = next((t for t in inside if issubclass(t, BaseModel)), model)
    return model

"""Types of settings that a variable or a `defs.yaml` gives as text."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from pipelines.root import from_root, pattern_from_root
from resources.graphql.page import MaxFailed, read_max_failed
from resources.graphql.scalars import read_scalars

OWNER = re.compile(r"team:\w+|[^@\s]+@[^@\s]+\.[^@\s]+")  # what Dagster takes


def _limit(given: object) -> object:
    return read_max_failed(given) if isinstance(given, str) else given


def _scalars(given: object) -> object:
    return read_scalars(given) if isinstance(given, str) else given


def _owner(text: str) -> str:
    if not OWNER.fullmatch(text):
        raise ValueError("an owner is a mail address or a team, as in team:data or jane@example.com")
    return text


def _listed(given: object) -> object:
    if not isinstance(given, str):
        return given
    return [text.strip() for text in given.split(",") if text.strip()]


FailureLimit = Annotated[MaxFailed, BeforeValidator(_limit)]
ScalarWords = Annotated[dict[str, str], BeforeValidator(_scalars)]
Owner = Annotated[str, AfterValidator(_owner)]
Owners = Annotated[list[Owner], BeforeValidator(_listed)]
FileFromRoot = Annotated[Path, AfterValidator(from_root)]
PatternFromRoot = Annotated[str, AfterValidator(pattern_from_root)]

"""The one place where the environment is read: TARGETDATA_* variables, and `.env` beside the README."""

import os
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dagster as dg
from dotenv import load_dotenv
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from resources.errors import ConfigurationError
from resources.graphql_resource import ApiResource
from resources.targetdata import TargetDataResource

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "TARGETDATA_"


class Environment(BaseModel):
    """The pipelines' settings; each is the variable TARGETDATA_ and its name in capitals."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    base_url: str = ""
    refresh_token_file: str = ""
    lake: Path = Path("data/lake")
    feed: str = "data/feed/events-{date}.jsonl.gz"
    feed_column: str = "umid"
    feed_late_seconds: float = Field(1800.0, gt=0)
    schema_file: Path = Path("pipelines/schema.graphql")
    start_date: date = date(2026, 1, 1)
    timezone: str = "UTC"
    schedule_hour: int = Field(5, ge=0, le=23)
    partitions_per_run: int = Field(1, ge=0)  # of a backfill; 0 is all in one run
    max_failed: int = Field(0, ge=0)

    @field_validator("lake", "schema_file")
    @classmethod
    def _from_root(cls, path: Path) -> Path:
        return ROOT / path.expanduser()

    @field_validator("feed")
    @classmethod
    def _feed_from_root(cls, pattern: str) -> str:
        return pattern if "://" in pattern or pattern.startswith("~") else str(ROOT / pattern)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("no such time zone; it should look like Europe/Berlin") from None
        return name


@cache
def environment() -> Environment:
    """Read the settings of the pipelines."""
    try:
        return Environment.model_validate(_values(Environment.model_fields))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ConfigurationError(f"{PREFIX}{str(first['loc'][0]).upper()}: {first['msg']}") from None


def api_limits() -> dict[str, Any]:
    """Read the limits that a resource for an API takes, by its own field names."""
    fields = ApiResource.model_fields
    limits = {}
    for name, text in _values(fields).items():
        try:
            limits[name] = TypeAdapter[object](fields[name].annotation or str).validate_python(text)
        except ValidationError as error:
            raise ConfigurationError(f"{PREFIX}{name.upper()}: {error.errors()[0]['msg']}") from None
    return limits


def refresh_token() -> str:
    """Give the secret's *name* to Dagster, or nothing where it is not set; its value stays where it is."""
    return dg.EnvVar(f"{PREFIX}REFRESH_TOKEN") if _values(["refresh_token"]) else ""


def targetdata_resource(refresh_token: str | None = None) -> TargetDataResource:
    """Build the resource for the account that the environment names, outside of Dagster."""
    settings = environment()
    secret = _values(["refresh_token"]).get("refresh_token", "") if refresh_token is None else refresh_token
    return TargetDataResource(
        base_url=settings.base_url,
        refresh_token=secret,
        refresh_token_file=settings.refresh_token_file,
        **api_limits(),
    )


def _values(names: Iterable[str]) -> dict[str, str]:
    """Read variables by the names of fields; `.env` fills in what the environment itself does not set."""
    load_dotenv(ROOT / ".env")
    found = {name: os.environ.get(PREFIX + name.upper(), "") for name in names}
    return {name: value for name, value in found.items() if value.strip()}

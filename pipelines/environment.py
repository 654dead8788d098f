"""The one place where the environment is read: TARGETDATA_* and GRAPHQL_*, and `.env` beside the README."""

import glob
import os
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dagster as dg
from dotenv import load_dotenv
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from resources.errors import ConfigurationError
from resources.graphql.scalars import read_scalars
from resources.graphql.settings import Settings
from resources.graphql_resource import ApiResource, GraphQLResource
from resources.targetdata import TargetDataResource

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "TARGETDATA_"
GRAPHQL = "GRAPHQL_"  # of any other API
ACCOUNT = f"{PREFIX}ACCOUNT"  # set by the code location, where there are several accounts
NEVER_SHARED = {"base_url", "refresh_token", "refresh_token_file", "lake", "feed"}

Model = TypeVar("Model", bound=BaseModel)


class Environment(BaseModel):
    """The pipelines' settings; each is the variable TARGETDATA_ and its name in capitals."""

    model_config = ConfigDict(frozen=True, validate_default=True, hide_input_in_errors=True)

    account: str = Field(
        "",
        description="Which of several accounts this process is of; see docs/accounts.md.",
    )
    base_url: str = Field("", description="The account, for example https://targetdata.test.teavaro.systems.")
    refresh_token_file: str = Field("", description="A file that holds the refresh token, a mounted secret.")
    lake: Path = Field(Path("data/lake"), description="The folder that the tables are written to.")
    feed: str = Field(
        "data/feed/events-{date}.jsonl.gz",
        description="A day's event files: path or URI with `{date}` or `{date:%Y/%m/%d}`, `*` and `**`.",
    )
    feed_column: str = Field("umid", description="Which column or field of the events holds the key.")
    feed_late_seconds: float = Field(
        1800.0, gt=0, description="While a day's file is missing, how long to wait before looking again."
    )
    schema_file: Path = Field(
        Path("pipelines/schema.graphql"), description="The account's schema, as `schema pull` writes it."
    )
    scalars: dict[str, str] = Field(
        default_factory=dict,
        description="What scalars are kept as, for example `Money=decimal(18,2),BigInt=text`: docs/types.md.",
    )
    start_date: date = Field(date(2026, 1, 1), description="The first partition.")
    timezone: str = Field("UTC", description="When a partition's day begins, for example Europe/Berlin.")
    schedule_hour: int = Field(5, ge=0, le=23, description="Hour of the schedule, in that time zone.")
    partitions_per_run: int = Field(
        1, ge=0, description="Partitions in one run of a backfill; 0 puts all of them into one."
    )
    max_failed: int = Field(0, ge=0, description="Keys of a partition that may fail without stopping it.")

    refresh_days: float = Field(
        30.0, gt=0, description="A profile that nobody has asked for in so many days is asked again."
    )
    refresh_share: float = Field(
        0.05, gt=0, le=1, description="At most this share of all known profiles is asked again a day."
    )

    @property
    def key_prefix(self) -> list[str]:
        """What stands before the name in an asset's key: the account, where there are several."""
        return [self.account] if self.account else []

    @property
    def pool(self) -> str:
        """The pool of this account's extractions."""
        return "_".join(["targetdata", *self.key_prefix])

    @field_validator("lake", "schema_file")
    @classmethod
    def _from_root(cls, path: Path) -> Path:
        return ROOT / path.expanduser()

    @field_validator("feed")
    @classmethod
    def _feed_from_root(cls, pattern: str) -> str:
        if "://" in pattern or pattern.startswith("~") or Path(pattern).is_absolute():
            return pattern
        return f"{glob.escape(str(ROOT))}/{pattern}"

    @field_validator("scalars", mode="before")
    @classmethod
    def _each_scalar(cls, value: object) -> object:
        return read_scalars(value) if isinstance(value, str) else value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("no such time zone; it should look like Europe/Berlin") from None
        return name


class GraphQLEnvironment(BaseModel):
    """The settings of another API; each is the variable GRAPHQL_ and its name in capitals."""

    model_config = ConfigDict(frozen=True, validate_default=True, hide_input_in_errors=True)

    url: str = Field("", description="The endpoint, for example https://api.example.com/graphql.")
    schema_file: Path = Field(
        Path("pipelines/graphql_schema.graphql"), description="Its schema, as `schema pull` writes it."
    )
    scalars: dict[str, str] = Field(
        default_factory=dict, description="What scalars are kept as, for example `Money=decimal(18,2)`."
    )

    @field_validator("scalars", mode="before")
    @classmethod
    def _each_scalar(cls, value: object) -> object:
        return read_scalars(value) if isinstance(value, str) else value

    @field_validator("schema_file")
    @classmethod
    def _from_root(cls, path: Path) -> Path:
        return ROOT / path.expanduser()


@cache
def environment() -> Environment:
    """Read the settings of the pipelines."""
    return _read(Environment, PREFIX)


@cache
def graphql_environment() -> GraphQLEnvironment:
    """Read the settings of the other API."""
    return _read(GraphQLEnvironment, GRAPHQL)


def api_limits(prefix: str = PREFIX) -> dict[str, Any]:
    """Read the limits that a resource for an API takes, by its own field names."""
    fields = ApiResource.model_fields
    limits: dict[str, Any] = {}
    for name, text in _values(fields, prefix).items():
        try:
            limits[name] = TypeAdapter[object](fields[name].annotation or str).validate_python(text)
        except ValidationError as error:
            raise ConfigurationError(f"{prefix}{name.upper()}: {error.errors()[0]['msg']}") from None
    try:
        Settings(url="https://localhost", **limits)
    except ConfigurationError as error:  # it begins with the field's name
        name, reason = str(error).split(" ", 1)
        raise ConfigurationError(f"{prefix}{name.upper()} {reason}") from None
    return limits


def secret_name(name: str, prefix: str = PREFIX) -> str:
    """Give a secret's *name* to Dagster, or nothing where it is not set; its value stays where it is."""
    return dg.EnvVar(_variables(name, prefix)[0]) if _values([name], prefix) else ""


def refresh_token() -> str:
    """Name the refresh token for Dagster."""
    return secret_name("refresh_token")


def targetdata_resource(refresh_token: str | None = None) -> TargetDataResource:
    """Build the resource for the account that the environment names, outside of Dagster."""
    settings = environment()
    secret = _secret("refresh_token", PREFIX) if refresh_token is None else refresh_token
    return TargetDataResource(
        base_url=settings.base_url,
        refresh_token=secret,
        refresh_token_file=settings.refresh_token_file,
        **api_limits(),
    )


def graphql_resource(url: str = "", headers: Mapping[str, str] | None = None) -> GraphQLResource:
    """Build the resource for the API that the environment names, or for another URL, outside of Dagster.

    The environment's token and headers go to the environment's URL only.
    """
    named = graphql_environment().url
    own = url in ("", named)
    return GraphQLResource(
        url=url or named,
        bearer_token=_secret("bearer_token", GRAPHQL) if own else "",
        headers_json=_secret("headers", GRAPHQL) if own else "",
        headers=dict(headers or {}),
        **api_limits(GRAPHQL),
    )


def graphql_connection() -> GraphQLResource:
    """Build the same for Dagster, which gets the secrets' names only."""
    return GraphQLResource(
        url=graphql_environment().url,
        bearer_token=secret_name("bearer_token", GRAPHQL),
        headers_json=secret_name("headers", GRAPHQL),
        **api_limits(GRAPHQL),
    )


def _read(model: type[Model], prefix: str) -> Model:
    try:
        return model.model_validate(_values(model.model_fields, prefix))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ConfigurationError(f"{prefix}{str(first['loc'][0]).upper()}: {first['msg']}") from None


def _secret(name: str, prefix: str) -> str:
    return _values([name], prefix).get(name, "")


def _values(names: Iterable[str], prefix: str = PREFIX) -> dict[str, str]:
    """Read variables by the names of fields; `.env` fills in what the environment itself does not set."""
    load_dotenv(ROOT / ".env")
    found = {name: _value(name, prefix) for name in names}
    return {name: value for name, value in found.items() if value.strip()}


def _value(name: str, prefix: str) -> str:
    account = os.environ.get(ACCOUNT, "") if prefix == PREFIX else ""
    variables = _variables(name, prefix)
    set_ = [value for variable in variables if (value := os.environ.get(variable, "")).strip()]
    places = {"lake": f"data/lake/{account}", "feed": f"data/feed/{account}/events-{{date}}.jsonl.gz"}
    return (set_ or [places.get(name, "") if account else ""])[0]


def _variables(name: str, prefix: str) -> list[str]:
    """Name the variables that may set a field, the first that is set counts."""
    account = os.environ.get(ACCOUNT, "")
    own = f"{prefix}{account}_{name}".upper()
    shared = f"{prefix}{name}".upper()
    if not account or name == "account" or prefix != PREFIX:
        return [shared]
    return [own] if name in NEVER_SHARED else [own, shared]

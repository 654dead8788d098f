"""The one place where the environment is read, and `.env` beside the README."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
from dotenv import load_dotenv
from pydantic import BaseModel, TypeAdapter, ValidationError

from resources.errors import ConfigurationError
from resources.graphql.settings import Settings
from resources.graphql_resource import ApiResource

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "TARGETDATA_"  # of the account's settings
GRAPHQL = "GRAPHQL_"  # of any other API's
ACCOUNT = f"{PREFIX}ACCOUNT"  # set by the code location, where there are several accounts
NEVER_SHARED = {"base_url", "refresh_token", "refresh_token_file", "lake", "feed", "keys_uri"}

Model = TypeVar("Model", bound=BaseModel)


def read_settings(model: type[Model], prefix: str) -> Model:
    """Read the settings that a model describes; each is the prefix and the field's name in capitals."""
    try:
        return model.model_validate(values(model.model_fields, prefix))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ConfigurationError(f"{prefix}{str(first['loc'][0]).upper()}: {first['msg']}") from None


def api_limits(prefix: str) -> dict[str, Any]:
    """Read the limits that a resource for an API takes, by its own field names."""
    fields = ApiResource.model_fields
    limits: dict[str, Any] = {}
    for name, text in values(fields, prefix).items():
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


def dagster_home() -> Path:
    """Name the folder of Dagster's instance: DAGSTER_HOME, else the one beside the README."""
    load_dotenv(ROOT / ".env")
    return Path(os.environ.get("DAGSTER_HOME", "").strip() or ROOT / ".dagster").expanduser()


def secret_name(name: str, prefix: str) -> str | None:
    """Give a secret's *name* to Dagster, or nothing where it is not set; its value stays where it is."""
    return dg.EnvVar(variables(name, prefix)[0]) if value(name, prefix) else None


def value(name: str, prefix: str) -> str:
    """Read one variable; empty where it is not set."""
    return values([name], prefix).get(name, "")


def values(names: Iterable[str], prefix: str) -> dict[str, str]:
    """Read variables by the names of fields; `.env` fills in what the environment itself does not set."""
    load_dotenv(ROOT / ".env")
    found = {name: _value(name, prefix) for name in names}
    return {name: text for name, text in found.items() if text.strip()}


def _value(name: str, prefix: str) -> str:
    account = account_of(prefix)
    set_ = [text for variable in variables(name, prefix) if (text := os.environ.get(variable, "")).strip()]
    places = {"lake": f"data/lake/{account}", "feed": f"data/feed/{account}/events-{{date}}.jsonl.gz"}
    return (set_ or [places.get(name, "") if account else ""])[0]


def variables(name: str, prefix: str) -> list[str]:
    """Name the variables that may set a field, the first that is set counts."""
    account = account_of(prefix)
    own = f"{prefix}{account}_{name}".upper()
    shared = f"{prefix}{name}".upper()
    if not account or name == "account":
        return [shared]
    return [own] if name in NEVER_SHARED else [own, shared]


def account_of(prefix: str) -> str:
    """Name the account that the process is of; another API has none."""
    return os.environ.get(ACCOUNT, "") if prefix == PREFIX else ""

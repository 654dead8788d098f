"""The one place where the environment is read, and `.env` beside the README."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from dotenv import dotenv_values, load_dotenv
from pydantic import BaseModel, ValidationError

from pipelines.root import ROOT
from resources.errors import ConfigurationError
from resources.graphql.sending.settings import Limits, Settings

PREFIX = "TARGETDATA_"  # of the account's settings
GRAPHQL = "GRAPHQL_"  # of any other API's
ACCOUNT = f"{PREFIX}ACCOUNT"  # set by the code location, where there are several accounts
ACCOUNT_NAME = re.compile(r"[a-z][a-z0-9_]*")
NO_ACCOUNT = "is no account's name: a letter, then letters, digits or _, in lower case"
TOKENS = ("refresh_token", "refresh_token_file", "refresh_token_keyring")
NEVER_SHARED = {"base_url", *TOKENS, "lake", "feed", "keys_uri"}
ENV_FILE = ROOT / ".env"

Model = TypeVar("Model", bound=BaseModel)


def read_settings(model: type[Model], prefix: str) -> Model:
    """Read the settings that a model describes; each is the prefix and the field's name in capitals."""
    try:
        return model.model_validate(values(model.model_fields, prefix))
    except ValidationError as error:
        raise _misfit(error, prefix) from None


def api_limits(prefix: str) -> dict[str, Any]:
    """Read those limits of a connection to an API that are set, by the names of their fields."""
    given = values(Limits.model_fields, prefix)
    try:
        limits = Settings.model_validate(given | {"url": "https://localhost"})
    except ValidationError as error:
        raise _misfit(error, prefix) from None
    except ConfigurationError as error:  # it begins with the field's name
        name, reason = str(error).split(" ", 1)
        raise ConfigurationError(f"{prefix}{name.upper()} {reason}") from None
    return limits.model_dump(include=set(given))


def _misfit(error: ValidationError, prefix: str) -> ConfigurationError:
    """Name the setting that is wrong, without its value."""
    first = error.errors(include_input=False, include_url=False)[0]
    return ConfigurationError(f"{prefix}{str(first['loc'][0]).upper()}: {first['msg']}")


def dagster_home() -> Path:
    """Name the folder of Dagster's instance: DAGSTER_HOME, else the one beside the README."""
    _read_env_file()
    return Path(os.environ.get("DAGSTER_HOME", "").strip() or ROOT / ".dagster").expanduser()


def value(name: str, prefix: str) -> str:
    """Read one variable; empty where it is not set."""
    return values([name], prefix).get(name, "")


def values(names: Iterable[str], prefix: str) -> dict[str, str]:
    """Read variables by the names of fields; `.env` fills in what the environment itself does not set."""
    _read_env_file()
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


def choose_account(name: str) -> None:
    """Make this process one of an account, whatever the environment says."""
    if not ACCOUNT_NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} {NO_ACCOUNT}")
    os.environ[ACCOUNT] = name


def in_env_file() -> dict[str, str | None]:
    """Give what `.env` sets, whatever the environment itself does."""
    with _readable():
        return dotenv_values(ENV_FILE)


def _read_env_file() -> None:
    with _readable():
        load_dotenv(ENV_FILE)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError:
        raise ConfigurationError(f"{ENV_FILE.name} is no text in UTF-8: save it as that") from None
    except OSError as error:
        raise ConfigurationError(f"{ENV_FILE.name} cannot be read ({type(error).__name__})") from None


def as_started() -> dict[str, str]:
    """Give the environment before `.env` fills it in, if no setting was read yet."""
    return dict(os.environ)


def account_of(prefix: str) -> str:
    """Name the account that the process is of; another API has none."""
    return os.environ.get(ACCOUNT, "") if prefix == PREFIX else ""

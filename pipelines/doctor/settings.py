"""Checks of the settings: that they can be read, that none is misspelt, and that `.env` keeps its secrets."""

import os
import re
import stat
import subprocess
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from pipelines.doctor.finding import Finding, ok, problem, warning
from pipelines.doctor.setup import Setup
from pipelines.environment import Environment
from pipelines.other_api import GraphQLEnvironment, graphql_environment
from pipelines.privacy import Secret
from pipelines.root import ROOT
from pipelines.variables import GRAPHQL, PREFIX, account_of, api_limits
from resources.graphql.sending.settings import Limits

ENV = ROOT / ".env"
TARGETDATA_FIELDS = frozenset(
    {*Environment.model_fields, *Limits.model_fields, *Secret.model_fields, "refresh_token"}
)
GRAPHQL_FIELDS = frozenset(
    {*GraphQLEnvironment.model_fields, *Limits.model_fields, "bearer_token", "headers"}
)
SECRETS = re.compile(r"(REFRESH_TOKEN|PRIVACY_KEY|BEARER_TOKEN|HEADERS)$")
OTHERS_NAMES = 0.85  # how alike a name of no known prefix must be to one of ours


def settings(setup: Setup) -> Finding:
    """Read all settings."""
    of_account = setup.settings.account
    graphql_environment()
    for prefix in (PREFIX, GRAPHQL):
        api_limits(prefix)
    in_file = set(_in_file())
    names = [name for name in os.environ if name.startswith((PREFIX, GRAPHQL)) and os.environ[name].strip()]
    of = f" of the account {of_account}" if of_account else ""
    from_file = sum(name in in_file for name in names)
    return ok(f"{len(names)} settings{of} can be read, {from_file} of them in {shown(ENV)}")


def names(_: Setup) -> Finding:
    """Look for settings that nobody reads."""
    known = known_names()
    unknown = [f"{name}{_nearest(name, known)}" for name in sorted(_given(known)) if name not in known]
    if unknown:
        return warning(
            f"nobody reads {', '.join(unknown)}",
            "correct the name in .env or in the environment, or remove it",
        )
    return ok("all names of settings are known")


def env_file(_: Setup) -> Finding:
    """Look at who may read `.env`, and whether git would take it."""
    if not ENV.exists():
        return ok(f"there is no {shown(ENV)}; the environment has all settings")
    held = sorted(name for name, text in _in_file().items() if text and is_secret(name, text))
    if not held:
        return ok(f"{shown(ENV)} holds no secret")
    if _is_seen_by_git():
        return problem(
            f"git does not ignore {shown(ENV)}, which holds {', '.join(held)}",
            "add .env to .gitignore; if it was ever committed, make a new token: targetdata login",
        )
    mode = stat.S_IMODE(ENV.stat().st_mode)
    if mode & 0o077:
        return warning(
            f"{shown(ENV)} holds {', '.join(held)}, and others may open it (mode {mode:04o})",
            "chmod 600 .env",
        )
    return ok(f"{shown(ENV)} is only yours (mode {mode:04o}), and git does not see it")


def known_names() -> set[str]:
    """Give the names of all settings, with those of the accounts that have a base URL."""
    given = {*os.environ, *_in_file()}
    own = re.compile(rf"{PREFIX}(\w+)_BASE_URL")
    accounts = [account_of(PREFIX).upper(), *(match[1] for name in given if (match := own.fullmatch(name)))]
    prefixes = [PREFIX, *(f"{PREFIX}{account}_" for account in accounts if account)]
    return {
        *(f"{prefix}{name.upper()}" for prefix in prefixes for name in TARGETDATA_FIELDS),
        *(f"{GRAPHQL}{name.upper()}" for name in GRAPHQL_FIELDS),
    }


def accounts() -> list[str]:
    """Name the accounts that have a base URL of their own."""
    own = re.compile(rf"{PREFIX}(\w+)_BASE_URL")
    return sorted(m[1].lower() for name in os.environ if (m := own.fullmatch(name)) and os.environ[name])


def is_secret(name: str, text: str) -> bool:
    """Say whether a setting holds a secret: by its name, or a password in an address."""
    try:
        return bool(SECRETS.search(name)) or bool("://" in text and urlsplit(text).password)
    except ValueError:  # no address at all
        return False


def in_file(name: str) -> bool:
    """Say whether `.env` sets a setting, and not the environment before it."""
    text = _in_file().get(name)
    return bool(text) and os.environ.get(name, text) == text


def shown(path: Path) -> str:
    """Give a path from the project's folder on."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _in_file() -> dict[str, str | None]:
    return dotenv_values(ENV)


def _given(known: set[str]) -> Iterator[str]:
    """Give what seems to be meant for us; of `.env` also what is spelt nearly so."""
    own = {name for name in {*os.environ, *_in_file()} if name.startswith((PREFIX, GRAPHQL))}
    yield from own
    for name in set(_in_file()) - own:
        if get_close_matches(name, known, 1, OTHERS_NAMES):
            yield name


def _nearest(name: str, known: set[str]) -> str:
    longer = sorted(each for each in known if each.startswith(name))
    near = longer or get_close_matches(name, sorted(known), 1)
    return f" (is {near[0]} meant?)" if near else ""


def _is_seen_by_git() -> bool:
    """Ask git; where there is no repository or no git, nothing is seen."""
    try:
        done = subprocess.run(  # noqa: S603 (nothing of it is from outside)
            ["git", "check-ignore", "--quiet", str(ENV)],  # noqa: S607 (git is where the path has it)
            cwd=ROOT,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 1

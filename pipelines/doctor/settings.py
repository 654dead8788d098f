"""Checks of the settings: that they can be read, that none is misspelt, and that `.env` keeps its secrets."""

import os
import re
import stat
import subprocess
from collections.abc import Iterator
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

from pipelines.doctor.finding import Finding, ok, problem, warning
from pipelines.doctor.setup import Setup
from pipelines.doctor.whose import command
from pipelines.environment import Environment
from pipelines.other_api import GraphQLEnvironment, graphql_environment
from pipelines.privacy import Secret
from pipelines.root import ROOT
from pipelines.variables import GRAPHQL, PREFIX, account_of, api_limits, in_env_file, value
from resources.errors import ConfigurationError
from resources.graphql.sending.settings import Limits

ENV = ROOT / ".env"
TARGETDATA_FIELDS = frozenset(
    {*Environment.model_fields, *Limits.model_fields, *Secret.model_fields, "refresh_token"}
)
GRAPHQL_FIELDS = frozenset(
    {*GraphQLEnvironment.model_fields, *Limits.model_fields, "bearer_token", "headers"}
)
SECRET_WORDS = re.compile(r"REFRESH_TOKEN|PRIVACY_KEY|BEARER_TOKEN|HEADERS")
SECRETS = re.compile(rf"({SECRET_WORDS.pattern})$")
NAME = re.compile(r"\ufeff?\w+")  # what is none may be a value: TARGETDATA_REFRESH_TOKEN:eyJhbGci…
OTHERS_NAMES = 0.85  # how alike a name of no known prefix must be to one of ours


def settings(setup: Setup) -> Finding:
    """Read all settings."""
    of_account = setup.settings.account
    graphql_environment()
    for prefix in (PREFIX, GRAPHQL):
        api_limits(prefix)
    in_file = set(in_env_file())
    names = [name for name in os.environ if name.startswith((PREFIX, GRAPHQL)) and os.environ[name].strip()]
    of = f" of the account {of_account}" if of_account else ""
    from_file = sum(name in in_file for name in names)
    return ok(f"{len(names)} settings{of} can be read, {from_file} of them in {shown(ENV)}")


def has_other_api() -> bool:
    """Say whether another API is set; where `.env` cannot be read, its own check says so."""
    try:
        return bool(value("url", GRAPHQL))
    except ConfigurationError:
        return False


def names(_: Setup) -> Finding:
    """Look for settings that nobody reads."""
    known = known_names()
    lines = ", ".join(str(number) for number, _ in _unread_lines())
    if lines:
        return warning(
            f"{shown(ENV)} has lines that set nothing: {lines}",
            "write each as NAME=value, in letters, digits and _",
        )
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
    held = sorted(name for name, text in in_env_file().items() if text and is_secret(name, text))
    held += [f"line {number}" for number, line in _unread_lines() if SECRET_WORDS.search(line)]
    if not held:
        return ok(f"{shown(ENV)} holds no secret")
    if _git("ls-files", "--error-unmatch") == 0:
        return problem(
            f"git tracks {shown(ENV)}, which holds {', '.join(held)}",
            f"git rm --cached {shown(ENV)}; if it was ever committed, make a new token: {command('login')}",
        )
    if _git("check-ignore", "--quiet") == 1:
        return problem(
            f"git does not ignore {shown(ENV)}, which holds {', '.join(held)}",
            f"add .env to .gitignore; if it was ever committed, make a new token: {command('login')}",
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
    given = {*os.environ, *in_env_file()}
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
    text = in_env_file().get(name)
    return bool(text) and os.environ.get(name, text) == text


def shown(path: Path) -> str:
    """Give a path from the project's folder on."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _given(known: set[str]) -> Iterator[str]:
    """Give what seems to be meant for us; of `.env` also what is spelt nearly so."""
    own = {name for name in {*os.environ, *in_env_file()} if name.startswith((PREFIX, GRAPHQL))}
    yield from filter(NAME.fullmatch, own)
    for name in set(in_env_file()) - own:
        if NAME.fullmatch(name) and get_close_matches(name, known, 1, OTHERS_NAMES):
            yield name


def _nearest(name: str, known: set[str]) -> str:
    longer = sorted(each for each in known if each.startswith(name))
    near = longer or get_close_matches(name, sorted(known), 1)
    return f" (is {near[0]} meant?)" if near else ""


def _unread_lines() -> Iterator[tuple[int, str]]:
    """Give the lines of `.env` that set nothing of ours, though they may be meant to."""
    if not ENV.is_file():
        return
    for found in parse_stream(StringIO(ENV.read_text("utf-8"))):
        name = found.key or "x"  # a comment has none
        odd = not NAME.fullmatch(name) and (found.value is None or name.startswith((PREFIX, GRAPHQL)))
        if found.error or odd:
            yield found.original.line, found.original.string


def _git(*arguments: str) -> int | None:
    """Ask git about `.env`; None where there is no git, and another code where there is no repository."""
    try:
        done = subprocess.run(  # noqa: S603 (nothing of it is from outside)
            ["git", *arguments, str(ENV)],  # noqa: S607 (git is where the path has it)
            cwd=ROOT,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except OSError:
        return None
    return done.returncode

"""Logging in: where the token's page is, where its token is kept, and what stands in the way of it."""

import shutil
import subprocess
import webbrowser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.env_file import write_settings
from pipelines.root import ROOT
from pipelines.variables import ENV_FILE, PREFIX, account_of, api_limits, value, variables
from resources.account import TargetDataConnection
from resources.account.connection import GRAPHQL_PATH, LOGIN_PATH, check_base_url
from resources.account.exchange import TokenFacts
from resources.account.pasted import expires
from resources.account.system_keyring import write_token

TEMPLATE = ROOT / ".env.example"
TEXT_BROWSERS = {"www-browser", "links", "elinks", "lynx", "w3m"}  # they would take over the terminal


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a token is kept now, and by which setting it is found."""

    place: str
    variable: str


def base_url_of(text: str) -> str:
    """Read a base URL, also from an address that a browser shows; raises ConfigurationError."""
    url = text.strip().rstrip("/")
    for path in (LOGIN_PATH, GRAPHQL_PATH):
        url = url.removesuffix(path)
    check_base_url(url)
    return url


def connection(base_url: str, refresh_token: str = "") -> TargetDataConnection:
    """Connect to the account with the settings' limits, proxy and certificates."""
    return TargetDataConnection(base_url=base_url, refresh_token=refresh_token, **api_limits(PREFIX))


def open_page(url: str) -> bool:
    """Open a page in the desktop's browser; say whether there is one."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    return Path(browser.name).name not in TEXT_BROWSERS and browser.open(url)


def store(base_url: str, token: str, *, in_keyring: bool) -> Stored:
    """Keep a token in `.env`, or in the keyring with its service's name in `.env`; the other one is unset.

    The base URL is kept with it: Dagster's commands take what `.env` says, whatever else is set.
    """
    url, plain, named = (_variable(name) for name in ("base_url", "refresh_token", "refresh_token_keyring"))
    settings, service = {url: base_url}, keyring_service()
    if not in_keyring:
        write_settings(ENV_FILE, settings | {plain: token, named: ""}, template=TEMPLATE)
        return Stored(ENV_FILE.name, plain)
    keyring = write_token(service, base_url, token)
    write_settings(ENV_FILE, settings | {plain: "", named: service}, template=TEMPLATE)
    return Stored(f"the system's keyring ({keyring}), as {service} of {base_url}", named)


def keyring_service() -> str:
    """Name the service in the keyring: the setting, else each account has its own."""
    account = account_of(PREFIX)
    return value("refresh_token_keyring", PREFIX) or "-".join(["targetdata", *([account] if account else [])])


def doubts(token: str, facts: TokenFacts) -> Iterator[str]:
    """Say why a token that is good today may not be so for ever."""
    if facts.rotates:
        yield (
            "the server sent another refresh token with its answer. TargetData documents that the first one "
            "never expires; if it is refused one day, the server rotates them"
        )
    if expires(token):
        yield "by its own word this is an ordinary refresh token, which expires, and no offline one"


def in_the_way(started: Mapping[str, str], base_url: str, token: str) -> Iterator[str]:
    """Say what counts in place of what is stored; `started` is the environment without `.env`."""
    if value("refresh_token_file", PREFIX):
        name = _variable("refresh_token_file")
        yield f"{name} is set: the token in that file counts, and not the one that is stored. Unset it"
    for name, stored in ((_variable("refresh_token"), token), (_variable("base_url"), base_url)):
        if started.get(name, "").strip().rstrip("/") not in ("", stored):
            yield f"the environment itself sets {name} to something else, which targetdata takes. Unset it"


def seen_by_git() -> Iterator[str]:
    """Say how `.env` could get into a commit; nothing where it cannot, or there is no git."""
    if _git("check-ignore", "--quiet", ENV_FILE.name) != 1:
        return
    if _git("ls-files", "--error-unmatch", ENV_FILE.name) == 0:
        yield ".env is tracked by git: take it out (git rm --cached .env), before a commit has the token"
    else:
        yield ".env is not ignored by git: add it to .gitignore, before a commit has the token"


def _git(*arguments: str) -> int | None:
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-C", str(ENV_FILE.parent), *arguments]
    return subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603


def _variable(name: str) -> str:
    return variables(name, PREFIX)[0]

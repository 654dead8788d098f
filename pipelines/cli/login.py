"""targetdata login: an account's refresh token, proved and stored."""

import sys
from typing import Annotated

import typer

from pipelines.cli.hidden import read_hidden
from pipelines.cli.options import explained
from pipelines.loading import loading
from resources.errors import ConfigurationError, ExtractionError

MAX_BYTES = 65_536


def login(
    account: Annotated[
        str, typer.Option(help="Which of several accounts, as eu: see docs/accounts.md.", metavar="NAME")
    ] = "",
    base_url: Annotated[
        str,
        typer.Option(
            help="The account's address, without a path; else TARGETDATA_BASE_URL, or it is asked for.",
            metavar="URL",
        ),
    ] = "",
    keyring: Annotated[
        bool,
        typer.Option("--keyring", help="Store the token in the system's keyring, not in .env."),
    ] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Show the page's address only, open no browser.")
    ] = False,
) -> None:
    """Take an offline refresh token, prove it, and store it for all commands and runs.

    The browser opens the page <base URL>/auth/offline-token, which shows the token after a login; paste it
    at the prompt, where it is not shown. From a vault it comes by standard input, never as an argument. It
    is stored only after the server has made an access token of it.

    It goes into .env beside the README, for this user alone to read (mode 0600); its other lines stay as
    they are. With --keyring it goes into the system's keyring, and .env names the entry.

    Exits with 1 if the token is refused, with 75 if the server cannot be asked now, and with 130 after
    Ctrl-C; nothing is stored then.

    Example: vault read -field=token secret/targetdata | targetdata login
    """
    with explained(interrupted="nothing was stored"):
        with loading():
            from pipelines import login as steps
            from pipelines.variables import PREFIX, as_started, choose_account, value
            from resources.account.pasted import pasted_token
            from resources.account.system_keyring import read_token

        started = as_started()
        if account:
            choose_account(account)
        url = steps.base_url_of(base_url or value("base_url", PREFIX) or _ask_for_base_url())
        page = steps.connection(url).login_url
        if keyring:
            read_token(steps.keyring_service(), url)  # before anybody pastes a token that cannot be stored
        try:
            token = pasted_token(_take_token(page, browser=not no_browser), login_url=page)
            facts = steps.connection(url, token).prove()
        except ExtractionError:
            typer.echo("Nothing was stored.", err=True)
            raise
        stored = steps.store(url, token, in_keyring=keyring)
    typer.echo(f"The token is good: access tokens made of it are valid for {facts.seconds:,.0f} s.")
    typer.echo(f"Stored in {stored.place}; the setting is {stored.variable}.")
    for warning in (
        *steps.doubts(token, facts),
        *steps.in_the_way(started, url, token),
        *(() if keyring else steps.seen_by_git()),
    ):
        typer.echo(f"Warning: {warning}.", err=True)
    typer.echo(f"Next: {f'TARGETDATA_ACCOUNT={account} ' if account else ''}.venv/bin/targetdata doctor")


def _take_token(page: str, *, browser: bool) -> str:
    """Take the token from a person at a terminal, or from whatever is piped in."""
    from pipelines.login import open_page

    if not sys.stdin.isatty():
        return sys.stdin.buffer.read(MAX_BYTES).decode(errors="replace")
    typer.echo(f"Log in, and copy the token that is shown: {page}", err=True)
    if browser and not open_page(page):
        typer.echo("No browser could be opened here: open it yourself, on any machine.", err=True)
    try:
        token = read_hidden("Offline refresh token (not shown): ")
    except EOFError:
        return ""
    typer.echo(f"{len(token.strip()):,} characters; asking the server to make an access token ...", err=True)
    return token


def _ask_for_base_url() -> str:
    from pipelines.login import base_url_of

    if not sys.stdin.isatty():
        raise ConfigurationError("TARGETDATA_BASE_URL is not set: name the account with --base-url")
    while True:
        typer.echo(
            "Base URL of the account, for example https://targetdata.example.com: ", nl=False, err=True
        )
        line = sys.stdin.readline()  # not input(): where that uses readline, it may miss a Ctrl-C
        if not line:
            raise ConfigurationError("no base URL was given")
        try:
            return base_url_of(line)
        except ConfigurationError as error:
            typer.echo(f"Error: {error}", err=True)

"""What several commands share: options, how they are read, and how an error ends a command."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from pipelines.api import Api
from resources.errors import ConfigurationError, ExtractionError, OverBudget, QueryError, TryLater

ApiOption = Annotated[
    Api | None, typer.Option(help="Whose settings count: TARGETDATA_* (default) or GRAPHQL_*.")
]
UrlOption = Annotated[
    str | None, typer.Option(help="Another GraphQL endpoint, to try it; GRAPHQL_URL is its setting.")
]
HeaderOption = Annotated[
    list[str] | None,
    typer.Option(
        help="A header for it; secrets belong into GRAPHQL_BEARER_TOKEN or GRAPHQL_HEADERS in .env.",
        metavar="NAME=VALUE",
    ),
]
EXIT_PERSON, EXIT_OVER_BUDGET, EXIT_LATER = 1, 3, 75  # sysexits.h: EX_TEMPFAIL, worth another try later
EXIT_INTERRUPTED = 130


@contextmanager
def explained(*, interrupted: str = "nothing was written") -> Iterator[None]:
    """End with the error's own words and an exit code; `interrupted` says what is done at a Ctrl-C.

    It is 1 for a person, 3 for what is over the budget, 75 to try later, 130 for Ctrl-C.
    """
    try:
        yield
    except ExtractionError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(_exit_code(error)) from error
    except OSError as error:
        if not error.filename:  # as a closed pipe, which typer ends with
            raise
        place = f"{error.filename} cannot be used: {error.strerror}"
        typer.echo(f"Error: {place}. Choose another place, or mend its permissions or space", err=True)
        raise typer.Exit(EXIT_PERSON) from error
    except (KeyboardInterrupt, typer.Abort):  # the latter at a prompt
        typer.echo(f"Interrupted; {interrupted}.", err=True)
        sys.exit(EXIT_INTERRUPTED)


def key_of(text: str) -> tuple[str, str]:
    """Read KIND=VALUE, of a person; with `-` the value is asked for. Errors do not show the value."""
    kind, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not kind:
        raise ConfigurationError("a --key is written as KIND=VALUE, for example --key umid=-")
    value = _read(kind) if value == "-" else value
    if not value:
        raise ConfigurationError(f"--key {kind}= has no value")
    return kind, value


def _read(kind: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(kind, hide_input=True, err=True)).strip()
    return sys.stdin.readline().strip()


def _exit_code(error: ExtractionError) -> int:
    match error:
        case TryLater():
            return EXIT_LATER
        case OverBudget():
            return EXIT_OVER_BUDGET
        case _:
            return EXIT_PERSON


def named_texts(texts: list[str], option: str) -> dict[str, str]:
    """Read name=value."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise QueryError(f"{option} {text}: write it as name=value")
        found[name] = value
    return found

"""targetdata doctor: what is ready, what is not, and what to do about it."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.deaf import ended_by_interrupt
from pipelines.cli.options import EXIT_INTERRUPTED, EXIT_LATER, EXIT_PERSON, explained, key_of
from pipelines.loading import loading

if TYPE_CHECKING:
    from rich.table import Table

    from pipelines.doctor.finding import Finding

SIGNS = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "problem": ("✗", "red"),
    "not_checked": ("·", "dim"),
}
WIDTH = 18  # of the longest name


def doctor(
    key: Annotated[
        str | None,
        typer.Option(
            help="Whom to look up, as umid=VALUE; with umid=- the value is read from the standard input, or "
            "asked for. By default a key of the newest files of the feed, or of the lake.",
            metavar="KIND=VALUE",
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this check; may be repeated.", metavar="NAME")
    ] = None,
    no_probe: Annotated[
        bool,
        typer.Option(
            "--no-probe",
            help="Leave out how many keys one document may have: that costs 8 requests, or up to 14, for "
            "TARGETDATA_MAX_BATCH=100.",
        ),
    ] = False,
    account: Annotated[
        str | None, typer.Option(help="Which of several accounts; TARGETDATA_ACCOUNT is its setting.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list, at the end.")] = False,
) -> None:
    """Check everything that a run needs, in the order in which things break, and say what to do.

    Settings, the way to the server, its certificate, the token, the schema, one lookup, how many keys a
    document may have, the feed, the lake, the warehouse, Dagster, and another API if there is one. Each line
    is ok, a warning (!), a problem, or not checked because of what comes before it. Nothing is changed: what
    is tried in lake and warehouse is taken back. No key, token or value is shown.

    Exits with 0, also after warnings; with 1 if a person is needed; with 75 if all problems may be gone
    later, as when the server is down.

    Example: targetdata doctor --key umid=-
    """
    nothing = "nothing was changed"
    with ended_by_interrupt(f"Interrupted; {nothing}.", EXIT_INTERRUPTED), explained(interrupted=nothing):
        found = _examined(
            key, only or [], probe=not no_probe, account=account, say=_ignored if as_json else _printer()
        )
        if as_json:
            typer.echo(json.dumps([asdict(each) for each in found], indent=2))
        if code := _exit_code(found):
            raise typer.Exit(code)


def _examined(
    key: str | None,
    only: Sequence[str],
    *,
    probe: bool,
    account: str | None,
    say: "Callable[[Finding], None]",
) -> "list[Finding]":
    from pipelines.variables import choose_account

    if account is not None:
        choose_account(account)
    os.environ.setdefault("PGCONNECT_TIMEOUT", "10")  # libpq would wait for minutes
    with loading():
        from pipelines.doctor.checks import checks
        from pipelines.doctor.examination import examine
        from pipelines.doctor.settings import has_other_api
        from pipelines.doctor.setup import Setup

    setup = Setup(key=key_of(key) if key else None)
    found = []
    try:
        for finding in examine(checks(other_api=has_other_api(), probe=probe), setup, only=only):
            found.append(finding)
            say(finding)
    finally:
        setup.close()
    return found


def _ignored(_: "Finding") -> None:
    """Say nothing while it goes on."""


def _printer() -> "Callable[[Finding], None]":
    """Print a line as it comes: with signs on a terminal, with words elsewhere."""
    from rich.console import Console

    console = Console(highlight=False)

    def show(found: "Finding") -> None:
        if console.is_terminal:
            console.print(_row(found))
        else:
            advice = f" → {found.advice}" if found.advice else ""
            typer.echo(f"{found.state:<11} {found.name:<{WIDTH}} {found.says}{advice}")

    return show


def _row(found: "Finding") -> "Table":
    """Lay a finding out for a terminal, whatever its width."""
    from rich.table import Table
    from rich.text import Text

    sign, style = SIGNS[found.state]
    row = Table.grid(padding=(0, 1))
    for width in (1, WIDTH, None):
        row.add_column(width=width, overflow="fold")  # no path or address loses its end
    row.add_row(Text(sign, style), found.name, Text(found.says))
    if found.advice:
        row.add_row("", "", Text(f"→ {found.advice}", style))
    return row


def _exit_code(found: "Sequence[Finding]") -> int:
    from pipelines.doctor.finding import State

    problems = [each for each in found if each.state is State.PROBLEM]
    if not problems:
        return 0
    return EXIT_LATER if all(each.later for each in problems) else EXIT_PERSON

"""targetdata plan: what a backfill would cost, before it is started."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.options import explained

if TYPE_CHECKING:
    from pipelines.plan.backfill import Reading


def plan(
    extract: Annotated[str, typer.Argument(help="The extract: its asset's name, such as profiles.")],
    first: Annotated[
        str | None,
        typer.Option(
            "--from", help="The first partition; the newest, or with --to the oldest.", metavar="KEY"
        ),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="The last one, included; the newest.", metavar="KEY")
    ] = None,
    max_lookups: Annotated[
        int | None,
        typer.Option(help="The budget of lookups; TARGETDATA_BUDGET_LOOKUPS is its setting.", min=1),
    ] = None,
    max_requests: Annotated[
        int | None,
        typer.Option(help="The budget of requests; TARGETDATA_BUDGET_REQUESTS is its setting.", min=1),
    ] = None,
    over_budget: Annotated[
        bool, typer.Option("--over-budget", help="Exit with 0 although it is over the budget.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a backfill would cost: partitions, keys, requests, time and token renewals.

    Keys are read from the table that the extract takes them from, or from the feed where that is not there
    yet. Requests, time and renewals follow from the figures of the last runs in Dagster; without any there
    are bounds. What is not known is said to be unknown, and why. Nothing is asked of the API, and no run is
    started. It is of the account that TARGETDATA_ACCOUNT names, if there are several.

    Exits with 0; with 3 if the backfill is over the budget, or not known to be within it; with 1 if a person
    is needed.

    Example: targetdata plan profiles --from 2026-11-01 --to 2026-11-30 --max-requests 5000
    """
    with explained(interrupted="nothing was asked or changed"):
        from pipelines.plan.command import planned
        from pipelines.plan.facts import facts
        from pipelines.plan.wording import text

        with _progress() as reading:
            found, settings = planned(extract, first, last, reading=reading)
        budget = replace(
            settings, lookups=max_lookups or settings.lookups, requests=max_requests or settings.requests
        )
        lines = [text(found), budget.unset] if not as_json else [json.dumps(facts(found, budget), indent=2)]
        typer.echo("\n".join(filter(None, lines)))
        if not over_budget:
            budget.require(found)


@contextmanager
def _progress() -> "Iterator[Reading]":
    """Show on a terminal how many partitions are read, after the first."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("keys of {task.completed} partitions read"), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", visible=False)
        yield lambda number: bar.update(task, completed=number, visible=True)

"""targetdata gc: what killed runs have left in the lake."""

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.options import explained
from resources.errors import ConfigurationError

if TYPE_CHECKING:
    from resources.lake.publishing.leftovers import Collected, Leftover

UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def gc(
    older_than: Annotated[
        str,
        typer.Option(help="Remove what nobody has touched for so long: 7d, 36h or 90m.", metavar="TIME"),
    ] = "7d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, do nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Clear up after runs that were killed: in the lake that TARGETDATA_LAKE names.

    A partition that a killed run had published, but not yet put in place whole, is put in place. What dead
    runs have left aside is removed when it is old enough; until then the same extract may go on from it.
    What is published is never touched, nor what a living run holds, so it may run at any time. Runs clear up
    after earlier ones of the same table by themselves: this is for tables that are not run any more.

    Example: targetdata gc --older-than 36h --dry-run
    """
    stays = "nothing was changed" if dry_run else "what was removed stays so; run it again for the rest"
    with explained(interrupted=stays):
        from pipelines.environment import environment
        from resources.lake.publishing.leftovers import collect

        age = _duration(older_than)
        root = environment().lake.resolve()
        if not root.is_dir():
            raise ConfigurationError(f"there is no lake at {root}: set TARGETDATA_LAKE")
        found = collect(root, older_than=age, dry_run=dry_run)
        typer.echo(json.dumps(_facts(found), indent=2) if as_json else _text(found, dry_run=dry_run))
        if found.problems:
            raise found.problems[0]


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)([dhm])", text)
    if not match:
        raise ConfigurationError(f"--older-than {text}: write it as 7d, 36h or 90m")
    try:
        return timedelta(**{UNITS[match[2]]: int(match[1])})
    except OverflowError:
        raise ConfigurationError(f"--older-than {text}: so long ago there was no lake") from None


def _facts(done: "Collected") -> dict[str, object]:
    from resources.lake.publishing.aside import State

    facts: dict[str, object] = {
        state.value: [
            {"path": str(found.path), "bytes": found.bytes, "idle_seconds": round(found.idle.total_seconds())}
            for found in done.of(state)
        ]
        for state in State
    }
    finished = [{"partition": c.name, "generation": c.generation, "run": c.run} for c in done.finished]
    return {"finished": finished} | facts | {"problems": [str(problem) for problem in done.problems]}


def _text(done: "Collected", *, dry_run: bool) -> str:
    from resources.lake.publishing.aside import State

    would = "would be " if dry_run else ""
    words = {
        State.REMOVED: f"{would}removed",
        State.HELD: "held by a living run",
        State.NEEDED: "published, and not yet in place",
        State.YOUNG: "not old enough",
    }
    removed = done.of(State.REMOVED)
    lines = [
        *(f"{would}put in place: {commit.name}, published by run {commit.run}" for commit in done.finished),
        *(f"{words[found.state]}: {_line(found)}" for found in done.leftovers),
        f"{would}removed in all: {len(removed)} folders, {sum(found.bytes for found in removed):,} bytes",
    ]
    return "\n".join(lines)


def _line(found: "Leftover") -> str:
    hours = found.idle / timedelta(hours=1)
    age = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.1f} hours"
    return f"{found.path}, {found.bytes:,} bytes, untouched for {age}"

"""targetdata erase: a person out of the lake, for good."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.options import explained, key_of
from pipelines.loading import loading
from resources.errors import ConfigurationError, ExtractionError, LakeError

if TYPE_CHECKING:
    from pipelines.erasure import Erased, Erasure
    from resources.privacy.person import Person

SHOWN = 20


def erase(
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="A key of the person, as umid=VALUE or profile_id=VALUE; may be repeated. With umid=- the "
            "value is read from the standard input, or asked for, so that no shell's history has it.",
            metavar="KIND=VALUE",
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Everybody on the suppression list who is in the lake, by whatever way."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which rows it would be, do nothing.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the account who the person is; the lake is enough.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Erase even if the keys are of several people.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Erase a person from the lake and the warehouse, and keep them from coming back.

    Who it is, is looked up in the lake and asked of the account: the identity, and all keys and identifiers
    that it has. They go onto the suppression list first, as hashes that TARGETDATA_PRIVACY_KEY makes; nobody
    on it is asked for again. Then their rows are removed: in the lake each partition is written again
    without them, all its tables at once, in the warehouse all tables are cleaned together. What killed runs
    have left with them is removed too, and a run that is about to publish a partition publishes nothing of
    it: extractions begin again by themselves. At the end every file of the lake is searched for them, and
    a record without a word of them is kept in _erasures.

    It may be run again at any time, also after it was interrupted: it does what is left. Exit code 1 says
    that the person is still somewhere. See docs/erasing.md for what it cannot reach.

    Example: targetdata erase --key umid=- --dry-run
    """
    stays = "nothing was changed" if dry_run else "what was erased stays so; run it again for the rest"
    with explained(interrupted=stays):
        with loading():
            from pipelines.connections import warehouse
            from pipelines.environment import environment
            from pipelines.erasure import Erasure
            from pipelines.variables import PREFIX, value
            from resources.lake import Lake
            from resources.warehouse.erasure import WarehouseStore

        lake = Lake(path=str(environment().lake))
        if not lake.root.is_dir():
            raise ConfigurationError(f"there is no lake at {lake.root}: set TARGETDATA_LAKE")
        given = _given(key or [], again=again)
        with _progress() as say:
            stores = {"warehouse": WarehouseStore(warehouse(), run="an erasure")}
            erasure = Erasure(lake, value("privacy_key", PREFIX), stores=stores, say=say)
            _require_known(given, erasure.kinds)
            person = erasure.again() if again else _person(erasure, given, offline=offline)
            _require_one(person, yes=yes or again or dry_run)
            if erasure.was_begun(given):
                person = person.and_(erasure.again())
            rows = erasure.count(person) if dry_run else {}
            done = None if dry_run else erasure.erase(person)
        if done is None:
            typer.echo(json.dumps(_foreseen(person, rows), indent=2) if as_json else _plan(person, rows))
            return
        typer.echo(json.dumps(_facts(done), indent=2) if as_json else _text(done))
        if done.remains.left:
            raise LakeError(
                f"the person is still in {len(done.remains.left)} places that this command may not change, "
                "such as files that nobody has published: look at them, remove them, and run this again"
            )


def _given(texts: Sequence[str], *, again: bool) -> list[tuple[str, str]]:
    """Read kind=value; errors do not show the value."""
    if bool(texts) == again:
        raise ConfigurationError("name the person with --key umid=VALUE, or give --again for all on the list")
    return [key_of(text) for text in texts]


def _require_known(given: Sequence[tuple[str, str]], kinds: Collection[str]) -> None:
    """Refuse a kind that leads to nobody: it would be taken for done."""
    from resources.graphql.columns import column_name

    if unknown := [kind for kind, _ in given if column_name(kind) not in kinds]:
        raise ConfigurationError(
            f"nobody is looked up by {', '.join(unknown)}: people are known by {', '.join(sorted(kinds))}"
        )


def _person(erasure: "Erasure", given: list[tuple[str, str]], *, offline: bool) -> "Person":
    """Find out who it is; where the account cannot be asked, say what may be done without."""
    if offline:
        return erasure.person(given, None)
    from pipelines.environment import targetdata_resource

    connection = targetdata_resource()
    try:
        return erasure.person(given, connection)
    except ExtractionError as error:
        typer.echo("Nothing was erased. With --offline the account is not asked.", err=True)
        raise error from None
    finally:
        connection.close()


def _require_one(person: "Person", *, yes: bool) -> None:
    several = {kind: len(values) for kind, values in person.identities.items() if len(values) > 1}
    if several and not yes:
        found = ", ".join(f"{number} different {kind}" for kind, number in several.items())
        raise ConfigurationError(f"these keys lead to {found}; if all of them are to be erased, add --yes")


def _foreseen(person: "Person", rows: Mapping[str, Mapping[str, int]]) -> dict[str, object]:
    return {"identities": _identities(person), "kinds": person.kinds, "rows": rows}


def _identities(person: "Person") -> dict[str, int]:
    return {kind: len(values) for kind, values in sorted(person.identities.items())}


def _plan(person: "Person", rows: Mapping[str, Mapping[str, int]]) -> str:
    known = ", ".join(f"{number} {kind}" for kind, number in _identities(person).items()) or "no identity"
    return "\n".join(
        [
            f"known by: {', '.join(person.kinds)}; {known}",
            *(line for store, found in rows.items() for line in _lines(store, found, "would be removed")),
        ]
    )


def _lines(store: str, found: Mapping[str, int], done: str) -> Iterator[str]:
    for place, number in found.items():
        yield f"{store}: {place}: {number:,} rows {done}"
    yield f"{store}: {sum(found.values()):,} rows in {len(found)} partitions of tables {done}"


def _facts(done: "Erased") -> dict[str, object]:
    import msgspec

    facts: dict[str, object] = msgspec.to_builtins(done.record)
    return facts | {
        "record": str(done.path),
        "left": done.remains.left,
        "shared": done.remains.shared,
    }


def _text(done: "Erased") -> str:
    record, remains = done.record, done.remains
    lines = [line for store, found in record.rows.items() for line in _lines(store, found, "removed")]
    if not record.identities and not any(record.rows.values()):
        lines.append("nobody was found by these keys; they are on the list, so nobody will be asked for them")
    lines.append(f"removed aside: {record.removed} folders; told to publish nothing: {record.fenced} runs")
    lines += [
        f"shared with others, whose rows stay: {place}, {number:,} times"
        for place, number in list(remains.shared.items())[:SHOWN]
    ]
    lines += [f"still there: {path}" for path in list(remains.left)[:SHOWN]]
    return "\n".join([*lines, f"record: {done.path}"])


@contextmanager
def _progress() -> Iterator[Callable[[str], object]]:
    """Show what it is at, on a terminal only."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield status.update

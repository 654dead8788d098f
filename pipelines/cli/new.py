"""targetdata new: an extract written from the schema."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.api import Api
from pipelines.cli.options import ApiOption, explained, named_texts
from pipelines.root import ROOT
from resources.errors import ConfigurationError

if TYPE_CHECKING:
    from resources.graphql.schema.drafting.slots import Slot


def new(
    name: Annotated[str | None, typer.Argument(help="The extract: asset, folder and table.")] = None,
    root: Annotated[
        str | None,
        typer.Option(help="The schema's root field, or viewer.posts for one inside.", metavar="FIELD"),
    ] = None,
    roots: Annotated[
        bool, typer.Option("--roots", help="Show the root fields and how each is read.")
    ] = False,
    depth: Annotated[
        int | None,
        typer.Option(help="Levels of objects, the row the first; 3, fewer if it grows too big.", min=1),
    ] = None,
    identity: Annotated[
        str | None, typer.Option(help="Field that tells rows apart; an id by default, '' for none.")
    ] = None,
    arg: Annotated[
        list[str] | None, typer.Option(help="A fixed value of an argument.", metavar="NAME=VALUE")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="An argument that is a key although it is not required.", metavar="ARGUMENT"),
    ] = None,
    rows: Annotated[
        str | None, typer.Option(help="Which list the rows are, where there are several.", metavar="PATH")
    ] = None,
    keys_from: Annotated[
        str | None,
        typer.Option(
            help="Where a lookup's keys are: an asset (profile_keys for umid) or a file.",
            metavar="ASSET|FILE",
        ),
    ] = None,
    schema: Annotated[Path | None, typer.Option(help="The schema in SDL.")] = None,
    into: Annotated[Path, typer.Option(help="The folder to write into.")] = ROOT / "pipelines" / "defs",
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was written, or the roots, as JSON.")
    ] = False,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Write a defs.yaml beside the query, not an asset in Python.")
    ] = False,
    api: ApiOption = None,
) -> None:
    """Write a new extract: a query with all that the schema has to a depth, and an asset that runs it.

    A root field of one object becomes a lookup by its required arguments, a list is read to its end; the
    two arguments of a time window make partitions by day. At a terminal, arguments that need a value are
    asked for.

    Example: targetdata new consents --root personTargetDataByUmid
    """
    with explained():
        from pipelines.new import show_roots, write_extract
        from resources.graphql.schema.drafting.draft import Order

        chosen = Api.chosen(api, None)
        if roots:
            show_roots(chosen, schema, as_json=as_json)
            return
        if name is None or root is None:
            raise ConfigurationError("write targetdata new NAME --root FIELD; --roots shows the fields")
        given = named_texts(arg or [], "--arg")
        order = Order(
            name=name, root=root, depth=depth, identity=identity, rows=rows, given=given, keys=key or ()
        )
        write_extract(
            order,
            api=chosen,
            schema_file=schema,
            into=into,
            keys_from=keys_from,
            force=force,
            as_json=as_json,
            as_yaml=as_yaml,
            ask=ask if at_terminal() else lambda *_: None,
        )


def at_terminal() -> bool:
    """Say whether a person is there to answer."""
    return sys.stdin.isatty()


def ask(slot: "Slot", may_be_key: bool) -> str | None:
    """Ask a person for a value."""
    way = "Enter makes it a key, or a fixed value" if may_be_key else "a value"
    answer: str = typer.prompt(f"{slot.shown}: {way}", default="", show_default=False)
    return answer or None

"""The command line `targetdata`: what Dagster's own command line does not do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.api import Api, read_headers
from pipelines.variables import ROOT
from resources.errors import ConfigurationError, ExtractionError, QueryError, TryLater

if TYPE_CHECKING:
    from resources.graphql.schema.slots import Slot

app = typer.Typer(
    help="Extracts customer profiles from TargetData's GraphQL API, and rows from any other one. Settings "
    "come from .env; partitions, schedules and backfills are Dagster's: see `make dev`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
schema_app = typer.Typer(help="The schema of a GraphQL API.", no_args_is_help=True)
app.add_typer(schema_app, name="schema")

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

EXIT_PERSON, EXIT_LATER = 1, 75  # sysexits.h: EX_TEMPFAIL, worth another try later


@app.command()
def extract(
    query: Annotated[Path, typer.Argument(help="The .graphql document to run.", metavar="QUERY.graphql")],
    out: Annotated[Path, typer.Option(help="The Parquet file to write; it is replaced in one step.")],
    keys: Annotated[
        str | None,
        typer.Option(help="File with the keys of a lookup: JSONL, CSV, TSV or Parquet, gzip or not."),
    ] = None,
    key_column: Annotated[
        list[str] | None,
        typer.Option(
            help="Its column; by default the name of the query's variable. With several: once for each.",
            metavar="[NAME=]COLUMN",
        ),
    ] = None,
    identity: Annotated[
        str | None, typer.Option(help="Field that tells rows apart: one row each instead of one per key.")
    ] = None,
    paging: Annotated[
        list[str] | None,
        typer.Option(
            help="How a list is paged, where its query does not say it: cursor, offset, page or whole, and "
            "rows=PATH, position=VARIABLE, size=VARIABLE, more=PATH, cursor=PATH, next=PATH, total=PATH, "
            "total_pages=PATH, first_page=NUMBER; see docs/lists.md.",
            metavar="STRATEGY|NAME=VALUE",
        ),
    ] = None,
    var: Annotated[
        list[str] | None,
        typer.Option(
            help="Another variable of the query, as name=value; also a list's window.", metavar="NAME=VALUE"
        ),
    ] = None,
    scalar: Annotated[
        list[str] | None,
        typer.Option(
            help="What a scalar is kept as, as Money=decimal(18,2): see docs/types.md.", metavar="NAME=TYPE"
        ),
    ] = None,
    schema: Annotated[Path | None, typer.Option(help="The schema in SDL.")] = None,
    max_failed: Annotated[int, typer.Option(help="Keys that may fail.", min=0)] = 0,
    api: ApiOption = None,
    url: UrlOption = None,
    header: HeaderOption = None,
) -> None:
    """Run a query and write its rows to a Parquet file, without Dagster.

    A lookup by key needs --keys; its lookups (found or not, for every key) are written beside OUT. A list
    is read to its end along a cursor, an offset or page numbers.

    Example: targetdata extract pipelines/defs/profiles/profiles.graphql --keys umids.csv --out p.parquet
    """
    from pipelines.extract import extract_to_file
    from resources.graphql.plan import Paging

    with explained():
        chosen = Api.chosen(api or Api.named_in(query), url)
        extract_to_file(
            query,
            schema=schema or chosen.schema_file,
            keys=keys,
            key_columns=key_column or [],
            identity=identity,
            paging=Paging.of(paging) if paging else None,
            variables=_variables(var or []),
            scalars=chosen.scalars | _scalars(scalar or []),
            out=out,
            resource=chosen.resource(url, read_headers(header or [])),
            max_failed=max_failed,
        )


@app.command()
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
    api: ApiOption = None,
) -> None:
    """Write a new extract: a query with all that the schema has to a depth, and an asset that runs it.

    A root field of one object becomes a lookup by its required arguments, a list is read to its end; the
    two arguments of a time window make partitions by day. At a terminal, arguments that need a value are
    asked for.

    Example: targetdata new consents --root personTargetDataByUmid
    """
    from pipelines.new import show_roots, write_extract
    from resources.graphql.schema.drafting import Order

    with explained():
        chosen = Api.chosen(api, None)
        if roots:
            show_roots(chosen, schema)
            return
        if name is None or root is None:
            raise ConfigurationError("write targetdata new NAME --root FIELD; --roots shows the fields")
        given = _texts(arg or [], "--arg")
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
            ask=ask if at_terminal() else lambda *_: None,
        )


@schema_app.command()
def pull(
    schema: Annotated[Path | None, typer.Option(help="The schema file to write.")] = None,
    queries: Annotated[
        Path | None,
        typer.Option(
            help="Folder whose .graphql documents are rewritten to fit; pipelines/defs, without --url."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, write nothing.")
    ] = False,
    api: ApiOption = None,
    url: UrlOption = None,
    header: HeaderOption = None,
) -> None:
    """Fetch an API's schema, write it, and rewrite the API's queries to fit it.

    Where the server does not allow introspection, the schema is learned from the validation errors with
    which it answers. Fields that it lacks are dropped from the queries; fields that could be added are shown.

    Example: targetdata schema pull --url https://api.example.com/graphql --schema example.graphql
    """
    from pipelines.schema_pull import pull_into

    with explained():
        chosen = Api.chosen(api, url)
        pull_into(
            schema or chosen.schema_file,
            queries or (None if url else ROOT / "pipelines" / "defs"),
            api=chosen,
            resource=chosen.resource(url, read_headers(header or [])),
            write=not dry_run,
            unmarked=chosen is Api.TARGETDATA or queries is not None,
        )


@contextmanager
def explained() -> Iterator[None]:
    """End with the error's own words and an exit code: 1 for a person, 75 to try later, 130 for Ctrl-C."""
    try:
        yield
    except ExtractionError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(EXIT_LATER if isinstance(error, TryLater) else EXIT_PERSON) from error
    except KeyboardInterrupt:
        typer.echo("Interrupted; nothing was written.", err=True)
        sys.exit(130)


def at_terminal() -> bool:
    """Say whether a person is there to answer."""
    return sys.stdin.isatty()


def ask(slot: "Slot", may_be_key: bool) -> str | None:
    """Ask a person for a value."""
    way = "Enter makes it a key, or a fixed value" if may_be_key else "a value"
    answer: str = typer.prompt(f"{slot.shown}: {way}", default="", show_default=False)
    return answer or None


def _variables(texts: list[str]) -> dict[str, object]:
    """Read name=value; a value that is JSON (a number, true, null) counts as such."""
    import msgspec

    variables: dict[str, object] = {}
    for name, value in _texts(texts, "--var").items():
        try:
            variables[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            variables[name] = value
    return variables


def _texts(texts: list[str], option: str) -> dict[str, str]:
    """Read name=value."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise QueryError(f"{option} {text}: write it as name=value")
        found[name] = value
    return found


def _scalars(texts: list[str]) -> dict[str, str]:
    from resources.graphql.scalars import read_scalars

    try:
        return read_scalars(",".join(texts))
    except ValueError as error:
        raise ConfigurationError(f"--scalar {' '.join(texts)}: {error}") from None


if __name__ == "__main__":
    app()

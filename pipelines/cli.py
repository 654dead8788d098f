"""The command line `targetdata`: what Dagster's own command line does not do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pipelines.environment import ROOT, environment, targetdata_resource
from resources.errors import ConfigurationError, ExtractionError, QueryError, TryLater

app = typer.Typer(
    help="Extracts customer profiles from TargetData's GraphQL API. Settings come from .env; "
    "partitions, schedules and backfills are Dagster's: see `make dev`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
schema_app = typer.Typer(help="The account's GraphQL schema.", no_args_is_help=True)
app.add_typer(schema_app, name="schema")

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
) -> None:
    """Run a query and write its rows to a Parquet file, without Dagster.

    A lookup by key needs --keys; its lookups (found or not, for every key) are written beside OUT. A list
    is read to its end along a cursor, an offset or page numbers.

    Example: targetdata extract pipelines/defs/profiles/profiles.graphql --keys umids.csv --out p.parquet
    """
    from pipelines.extract import extract_to_file
    from resources.graphql.plan import Paging

    with explained():
        extract_to_file(
            query,
            schema=schema or environment().schema_file,
            keys=keys,
            key_columns=key_column or [],
            identity=identity,
            paging=Paging.of(paging) if paging else None,
            variables=_variables(var or []),
            scalars=environment().scalars | _scalars(scalar or []),
            out=out,
            resource=targetdata_resource(),
            max_failed=max_failed,
        )


@schema_app.command()
def pull(
    schema: Annotated[Path | None, typer.Option(help="The schema file to write.")] = None,
    queries: Annotated[
        Path, typer.Option(help="Folder whose .graphql documents are rewritten to fit.")
    ] = ROOT / "pipelines" / "defs",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, write nothing.")
    ] = False,
) -> None:
    """Fetch the account's schema, write it, and rewrite the shipped queries to fit it.

    Where the server does not allow introspection, the schema is learned from the validation errors with
    which it answers. Fields that it lacks are dropped from the queries; fields that could be added are shown.
    """
    from pipelines.schema_pull import pull_into

    with explained():
        pull_into(
            schema or environment().schema_file, queries, resource=targetdata_resource(), write=not dry_run
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


def _variables(texts: list[str]) -> dict[str, object]:
    """Read name=value; a value that is JSON (a number, true, null) counts as such."""
    import msgspec

    variables: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise QueryError(f"--var {text}: write it as name=value")
        try:
            variables[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            variables[name] = value
    return variables


def _scalars(texts: list[str]) -> dict[str, str]:
    from resources.graphql.scalars import read_scalars

    try:
        return read_scalars(",".join(texts))
    except ValueError as error:
        raise ConfigurationError(f"--scalar {' '.join(texts)}: {error}") from None


if __name__ == "__main__":
    app()

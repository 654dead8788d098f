"""targetdata schema: an API's schema, and the queries that fit it."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.api import Api, read_headers
from pipelines.cli.options import EXIT_PERSON, ApiOption, HeaderOption, UrlOption, explained
from pipelines.root import ROOT


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
    as_json: Annotated[bool, typer.Option("--json", help="Print what changes as one JSON object.")] = False,
    api: ApiOption = None,
    url: UrlOption = None,
    header: HeaderOption = None,
) -> None:
    """Fetch an API's schema, write it, and rewrite the API's queries to fit it.

    Where the server does not allow introspection, the schema is learned from the validation errors with
    which it answers. Fields that it lacks are dropped from the queries; fields that could be added are shown.

    Example: targetdata schema pull --url https://api.example.com/graphql --schema example.graphql
    """
    with explained():
        from pipelines.schema.pull import pull_into

        chosen = Api.chosen(api, url)
        pull_into(
            schema or chosen.schema_file,
            queries or (None if url else ROOT / "pipelines" / "defs"),
            api=chosen,
            resource=chosen.resource(url, read_headers(header or [])),
            write=not dry_run,
            as_json=as_json,
            unmarked=chosen is Api.TARGETDATA or queries is not None,
        )


def diff(
    schema: Annotated[Path | None, typer.Option(help="The schema file to compare with.")] = None,
    queries: Annotated[
        Path | None,
        typer.Option(help="Folder whose .graphql documents count as used; pipelines/defs, without --url."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the changes as JSON.")] = False,
    api: ApiOption = None,
    url: UrlOption = None,
    header: HeaderOption = None,
) -> None:
    """Compare the schema file with the API, and say which changes the queries use. Nothing is written.

    Breaking changes make a query fail; dangerous ones may change what it gives; safe ones do neither. Where
    the server does not allow introspection, the queries themselves are sent, without looking anybody up.

    Exits with 0 if no query uses a breaking or dangerous change; with 1 if one does, if a query does not fit
    the schema file, or if the API could not be asked and a person is needed; with 75 if the same command may
    succeed later. A query counts as it stands in its file: that code asks its selection at another root
    field is not seen here.

    Example: targetdata schema diff --url https://api.example.com/graphql --schema example.graphql
    """
    with explained():
        from pipelines.schema.diff import diff_schema

        chosen = Api.chosen(api, url)
        used = diff_schema(
            schema or chosen.schema_file,
            queries or (None if url else ROOT / "pipelines" / "defs"),
            api=chosen,
            resource=chosen.resource(url, read_headers(header or [])),
            unmarked=chosen is Api.TARGETDATA or queries is not None,
            as_json=as_json,
        )
        if used:
            raise typer.Exit(EXIT_PERSON)

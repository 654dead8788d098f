"""targetdata extract: a query's rows into a Parquet file, without Dagster."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.api import Api, read_headers
from pipelines.cli.options import ApiOption, HeaderOption, UrlOption, explained, named_texts
from pipelines.loading import loading
from resources.errors import ConfigurationError

if TYPE_CHECKING:
    from resources.graphql.page import MaxFailed


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
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="Kinds of identifiers to ask in turn, for a lookup by kind and value; each is a key column.",
            metavar="KIND",
        ),
    ] = None,
    identity: Annotated[
        str | None, typer.Option(help="Field that tells rows apart: one row each instead of one per key.")
    ] = None,
    explode: Annotated[
        list[str] | None,
        typer.Option(
            help="A list that becomes a table of its own, a row for each element, in a file beside OUT: "
            "identifiers, or one in another as cookieConsents.purposes; * for all. See docs/tables.md.",
            metavar="LIST",
        ),
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
    pseudonymise: Annotated[
        list[str] | None,
        typer.Option(
            help="A text that becomes a pseudonym: owner, or identifiers.value in a list; see "
            "docs/privacy.md.",
            metavar="COLUMN",
        ),
    ] = None,
    exclude_test_profiles: Annotated[
        bool, typer.Option("--exclude-test-profiles", help="Leave out where testProfile is true.")
    ] = False,
    only_permission: Annotated[
        str, typer.Option(help="Keep only who has a permission: CS-OM=GRANTED.", metavar="NAME=VALUE")
    ] = "",
    max_failed: Annotated[
        str,
        typer.Option(help="Keys that may fail: a number, or a share as in 0.5%.", metavar="NUMBER|SHARE%"),
    ] = "0",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: the files, and what was asked and found.")
    ] = False,
    api: ApiOption = None,
    url: UrlOption = None,
    header: HeaderOption = None,
) -> None:
    """Run a query and write its rows to a Parquet file, without Dagster.

    A lookup by key needs --keys; its lookups (found or not, for every key) are written beside OUT. A list
    is read to its end along a cursor, an offset or page numbers.

    Example: targetdata extract pipelines/defs/profiles/profiles.graphql --keys umids.csv --out p.parquet
    """
    with explained():
        with loading():
            from pipelines.environment import environment
            from pipelines.extract import extract_to_file
            from pipelines.privacy import screen_of
            from resources.graphql.plan import Paging
            from resources.graphql.query import Query
            from resources.privacy import Privacy, TestProfiles

            chosen = Api.chosen(api or Api.named_in(query), url)
            settings = chosen.settings
        loaded = Query.load(
            query,
            schema=schema or settings.schema_file,
            identity=identity,
            kinds=kind or (),
            explode=explode or (),
            paging=Paging.of(paging) if paging else None,
            scalars=settings.scalars | _scalars(scalar or []),
        )
        privacy = Privacy.of(
            loaded,
            pseudonymise=pseudonymise or (),
            test_profiles=TestProfiles.EXCLUDE if exclude_test_profiles else TestProfiles.KEEP,
            only_permission=only_permission,
            fields=environment().wide_fields,
        )
        done = extract_to_file(
            loaded,
            keys=keys,
            key_columns=key_column or [],
            variables=_variables(var or []),
            out=out,
            resource=chosen.resource(url, read_headers(header or [])),
            max_failed=_max_failed(max_failed),
            screen=screen_of(privacy, environment().lake),
        )
        if as_json:
            typer.echo(json.dumps(done, indent=2))


def _variables(texts: list[str]) -> dict[str, object]:
    """Read name=value; a value that is JSON (a number, true, null) counts as such."""
    import msgspec

    variables: dict[str, object] = {}
    for name, value in named_texts(texts, "--var").items():
        try:
            variables[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            variables[name] = value
    return variables


def _max_failed(text: str) -> "MaxFailed":
    from resources.graphql.page import read_max_failed

    try:
        return read_max_failed(text)
    except ValueError as error:
        raise ConfigurationError(f"--max-failed {text}: {error}") from None


def _scalars(texts: list[str]) -> dict[str, str]:
    from resources.graphql.scalars import read_scalars

    try:
        return read_scalars(",".join(texts))
    except ValueError as error:
        raise ConfigurationError(f"--scalar {' '.join(texts)}: {error}") from None

"""`targetdata schema pull`: the account's schema in, the shipped queries rewritten to fit it."""

import json
from collections.abc import Mapping
from pathlib import Path

from graphql import GraphQLError, GraphQLSchema, Source, parse
from rich.console import Console
from rich.syntax import Syntax

from pipelines.api import Api
from pipelines.root import ROOT, shown
from pipelines.schema.answers import answering
from resources.connection import Connection
from resources.errors import ConfigurationError, QueryError
from resources.graphql.query import load_schema, located, read_document
from resources.graphql.schema import Fitted, PulledSchema, fit_document, pull_schema
from resources.table_file import replace

SHIPPED = ROOT / "pipelines" / "schema.graphql"  # what to look for, where there is no schema yet
SHOWN = 20  # fields that could be added; the schema file has all of them


def pull_into(
    schema_file: Path,
    queries: Path | None,
    *,
    api: Api,
    resource: Connection,
    write: bool,
    unmarked: bool = True,
    as_json: bool = False,
) -> None:
    """Pull the schema, fit the API's documents below a folder to it, show the changes and write them.

    `unmarked`: documents that do not say which API they are of are of this one.
    """
    console = Console(highlight=False, stderr=as_json)
    texts = own_documents(queries, schema_file, api=api, unmarked=unmarked)
    try:
        pulled = pull_schema(
            answering(resource.client),
            known=known_schema(schema_file, api),
            documents=list(texts.values()),
            report=lambda line: console.print(f"[dim]{line}[/]", soft_wrap=True),
        )
    finally:
        resource.close()
    fitted = fit_all(console, texts, pulled)
    for path, result in fitted.items():
        show(console, shown(path), result, written=write)
    for note in pulled.notes:
        console.print(f"not sure: {note}", soft_wrap=True, markup=False)
    if write:
        write_all(schema_file, pulled, fitted)
    summary(console, schema_file, pulled, api=api, written=write)
    if as_json:
        print(as_text(schema_file, pulled, fitted, written=write))  # noqa: T201


def own_documents(queries: Path | None, schema_file: Path, *, api: Api, unmarked: bool) -> dict[Path, str]:
    """Read the API's documents below a folder."""
    if queries and not queries.is_dir():
        raise ConfigurationError(f"there is no folder {queries}")
    paths = sorted(queries.rglob("*.graphql")) if queries else []
    read = {path: read_document(path) for path in paths if path.resolve() != schema_file.resolve()}
    texts = {path: text for path, text in read.items() if api.owns(text, unmarked=unmarked)}
    for path, text in texts.items():
        check_syntax(path, text)
    return texts


def known_schema(schema_file: Path, api: Api) -> GraphQLSchema | None:
    """Give the schema of before, or what TargetData is known to have; None where nothing is known."""
    if schema_file.exists():
        return load_schema(schema_file)
    return load_schema(SHIPPED) if api is Api.TARGETDATA else None


def check_syntax(path: Path, text: str) -> None:
    """Refuse a broken document before a server is asked."""
    try:
        parse(Source(text, shown(path)))
    except GraphQLError as error:
        raise QueryError(located(error)) from error


def fit_all(console: Console, texts: Mapping[Path, str], pulled: PulledSchema) -> dict[Path, Fitted]:
    """Fit each document; one that asks for other roots is another API's, and left as it is."""
    fitted: dict[Path, Fitted] = {}
    misfit: QueryError | None = None
    for path, text in texts.items():
        try:
            fitted[path] = fit_document(text, pulled.schema, path=shown(path))
        except QueryError as error:
            misfit = error
            console.print(f"left as it is: {error}", soft_wrap=True, markup=False)
    if misfit and not fitted:
        raise misfit
    return fitted


def show(console: Console, path: str, fitted: Fitted, *, written: bool) -> None:
    """Print what changes in a document and what could be added to it."""
    change = "rewritten" if written else "would be rewritten"
    console.print(f"{path}: {change if fitted.diff else 'fits as it is'}", style="bold")
    if fitted.diff:
        console.print(Syntax(fitted.diff, "diff", background_color="default"))
    for word, fields in (("dropped", fitted.dropped), ("selected instead", fitted.added)):
        for field in fields:
            console.print(f"  {word}: {field}", soft_wrap=True, markup=False)
    for field in fitted.addable[:SHOWN]:
        console.print(f"  could be added: {field}", soft_wrap=True, markup=False)
    if len(fitted.addable) > SHOWN:
        console.print(f"  and {len(fitted.addable) - SHOWN} more; see the schema")


def write_all(schema_file: Path, pulled: PulledSchema, fitted: Mapping[Path, Fitted]) -> None:
    """Write the schema and the documents that change, each in one step."""
    schema_file.parent.mkdir(parents=True, exist_ok=True)
    for path, text in {schema_file: pulled.sdl, **{p: f.text for p, f in fitted.items() if f.diff}}.items():
        aside = path.with_name(f".{path.name}.part")
        aside.write_text(text, encoding="utf-8")
        replace(aside, path)


def summary(console: Console, schema_file: Path, pulled: PulledSchema, *, api: Api, written: bool) -> None:
    """Say how the schema came about and where it is."""
    how = "learned from validation errors" if pulled.learned else "from introspection"
    following = "make dev, and materialize." if api is Api.TARGETDATA else "targetdata new --roots"
    if written:
        console.print(f"{shown(schema_file)}: {how}. Next: {following}", soft_wrap=True)
    else:
        console.print(f"The schema ({how}) was not written: --dry-run.")


def as_text(schema_file: Path, pulled: PulledSchema, fitted: Mapping[Path, Fitted], *, written: bool) -> str:
    """Write what changes as JSON."""
    documents = [
        {
            "document": shown(path),
            "changes": bool(result.diff),
            "dropped": result.dropped,
            "selected_instead": result.added,
            "could_be_added": result.addable,
        }
        for path, result in fitted.items()
    ]
    found = {"schema": shown(schema_file), "introspected": not pulled.learned, "written": written}
    return json.dumps(found | {"documents": documents, "notes": list(pulled.notes)}, indent=2)

"""`targetdata schema diff`: what has changed in the API since its schema was pulled, and who uses it."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from graphql import DocumentNode, GraphQLSchema, Source, parse, validate
from rich.console import Console

from pipelines.api import Api
from pipelines.root import shown
from pipelines.schema.answers import answering
from pipelines.schema.pull import SHOWN, own_documents
from resources.connection import Connection
from resources.errors import ConfigurationError
from resources.graphql.query import load_schema, located
from resources.graphql.schema import Change, Drift, Kind, find_drift


def diff_schema(
    schema_file: Path,
    queries: Path | None,
    *,
    api: Api,
    resource: Connection,
    unmarked: bool,
    as_json: bool,
) -> bool:
    """Print the changes; say whether a query uses one that is breaking or dangerous, or was left out."""
    console = Console(highlight=False, stderr=as_json)
    try:
        drift, left_out = compared(
            schema_file,
            queries,
            api=api,
            resource=resource,
            unmarked=unmarked,
            report=lambda line: say(console, line),
        )
    finally:
        resource.close()
    if as_json:
        print(as_text(drift, schema_file, left_out))  # noqa: T201
    else:
        show(console, drift, schema_file, left_out)
    return bool(left_out or drift.of(Kind.BREAKING, Kind.DANGEROUS, used=True))


def compared(
    schema_file: Path,
    queries: Path | None,
    *,
    api: Api,
    resource: Connection,
    unmarked: bool,
    report: Callable[[str], None] = lambda _: None,
) -> tuple[Drift, dict[str, str]]:
    """Compare the schema file with the API; give the changes, and the documents that do not fit the file."""
    if not schema_file.exists():
        raise ConfigurationError(f"there is no {shown(schema_file)} yet: targetdata schema pull")
    known = load_schema(schema_file)
    documents, left_out = fitting(own_documents(queries, schema_file, api=api, unmarked=unmarked), known)
    for reason in left_out.values():
        report(f"left out, as it does not fit the schema file: {reason}")
    return find_drift(answering(resource.client), known, documents, report=report), left_out


def fitting(
    texts: Mapping[Path, str], known: GraphQLSchema
) -> tuple[dict[str, DocumentNode], dict[str, str]]:
    """Give the documents that fit the schema file; and why others do not, of which no use can be told."""
    documents: dict[str, DocumentNode] = {}
    left_out: dict[str, str] = {}
    for path, text in texts.items():
        document = parse(Source(text, shown(path)))
        errors = validate(known, document)
        if errors:
            left_out[shown(path)] = located(errors[0])
        else:
            documents[shown(path)] = document
    return documents, left_out


def as_text(drift: Drift, schema_file: Path, left_out: Mapping[str, str]) -> str:
    """Write the changes, and what was left out, as JSON."""
    changes = [{key: value for key, value in asdict(c).items() if key != "subjects"} for c in drift.changes]
    found = {"schema": shown(schema_file), "introspected": drift.introspected, "changes": changes}
    out = [{"document": name, "reason": reason} for name, reason in left_out.items()]
    return json.dumps(found | {"left_out": out, "notes": drift.notes}, indent=2)


def show(console: Console, drift: Drift, schema_file: Path, left_out: Collection[str]) -> None:
    """Print the changes by kind, those that queries use first, and what to do."""
    for kind in Kind:
        if found := drift.of(kind):
            console.print(f"{kind}: {len(found)}", style="bold")
            show_each(console, found)
    for note in drift.notes:
        say(console, f"note: {note}")
    say(console, advice(drift, schema_file, left_out))


def show_each(console: Console, changes: Sequence[Change]) -> None:
    """Print changes; all that are used, and a few of the others."""
    used = [change for change in changes if change.used_by]
    others = [change for change in changes if not change.used_by]
    for change in used:
        say(console, f"  {change.text} Used by {', '.join(change.used_by)}")
    for change in others[:SHOWN]:
        say(console, f"  {change.text}")
    if len(others) > SHOWN:
        say(console, f"  and {len(others) - SHOWN} more that no query uses; --json has all")


def advice(drift: Drift, schema_file: Path, left_out: Collection[str]) -> str:
    """Say what to do."""
    pull = "targetdata schema pull"
    if drift.of(Kind.BREAKING, used=True):
        return (
            f"Next: {pull}, which rewrites the queries to fit (--dry-run shows how); then look at the tables."
        )
    if left_out:
        return (
            f"Whether {', '.join(left_out)} goes on working cannot be told. Next: correct what does not fit, "
            f"or {pull}, which rewrites it (--dry-run shows how)."
        )
    if drift.changes:
        return f"The queries go on working. {pull} brings {shown(schema_file)} up to date."
    return f"{shown(schema_file)}: no change{'' if drift.introspected else ' that could be seen'}."


def say(console: Console, line: str) -> None:
    """Print a line as it is."""
    console.print(line, soft_wrap=True, markup=False)

"""targetdata handoff: SQL for warehouses that load the lake's files by themselves."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.options import EXIT_PERSON, explained
from resources.warehouse.dialects import Dialect

if TYPE_CHECKING:
    from pipelines.handoff import Chosen


def handoff(
    table: Annotated[str, typer.Argument(help="The table, as its folder in the lake is named.")],
    to: Annotated[Dialect, typer.Option(help="The warehouse.")],
    partition: Annotated[
        str | None,
        typer.Option(
            help="A partition, as in 2026-11-22; without it, all that are published.", metavar="KEY"
        ),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(
            help="Where the warehouse finds a copy of the lake: @my_stage/lake for Snowflake, "
            "gs://my-bucket/lake for BigQuery; for DuckDB the lake itself.",
            metavar="PLACE",
        ),
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(
            help="The warehouse's table, as in analytics.profiles; the lake's name.", metavar="NAME"
        ),
    ] = None,
    ddl_only: Annotated[bool, typer.Option("--ddl-only", help="Print the CREATE TABLE only.")] = False,
    lint_only: Annotated[bool, typer.Option("--lint-only", help="Print what the linter finds only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the SQL with which a warehouse loads a table of the lake by itself.

    First the CREATE TABLE with the lake's columns, nested ones too; then for each partition the statements
    that load its file and replace the partition in one transaction, so that they may be run again. Nothing
    is connected to: copy the lake to where the warehouse reads (gsutil rsync, aws s3 sync), and run the SQL
    with a client that stops at the first error.

    A linter says which columns the warehouse would refuse or misread, and what to do. With an error there is
    no SQL. It is printed on standard output, and what the linter finds on standard error.

    Exits with 0; with 1 if a person is needed, as after an error of the linter.

    Example: targetdata handoff profiles --to snowflake --stage @my_stage/lake --partition 2026-11-22
    """
    with explained(interrupted="nothing was changed"):
        from pipelines.environment import environment
        from pipelines.handoff import chosen
        from resources.lake import Lake

        lake = Lake(path=str(environment().lake))
        found = chosen(lake, table, to, key=partition, into=into)
        loads = None if ddl_only or lint_only or found.errors else _loads(found, stage, str(lake.root))
        sql = [] if lint_only or found.errors else [found.ddl()]
        if as_json:
            typer.echo(json.dumps(_facts(found, sql, loads), indent=2))
        else:
            typer.echo("\n".join(map(str, found.findings)), err=not lint_only, nl=bool(found.findings))
            typer.echo("\n\n".join([*sql, *_written(loads or {})]), nl=bool(sql))
        if found.errors:
            raise typer.Exit(EXIT_PERSON)


def _loads(found: "Chosen", stage: str | None, lake: str) -> dict[str, list[str]]:
    from resources.warehouse.handoff import require_stage

    dialect = found.handoff.dialect
    place = require_stage(stage or (lake if dialect is Dialect.DUCKDB else None), dialect)
    return {manifest.partition: found.load(manifest, place) for manifest in found.manifests}


def _written(loads: dict[str, list[str]]) -> Iterator[str]:
    for folder, statements in loads.items():
        yield "\n".join([f"-- {folder or 'the whole table'}", *statements])


def _facts(found: "Chosen", sql: list[str], loads: dict[str, list[str]] | None) -> dict[str, object]:
    handoff = found.handoff
    parts = {manifest.partition: manifest for manifest in found.manifests}
    return {
        "table": handoff.table,
        "to": str(handoff.dialect),
        "findings": [
            {
                "severity": str(finding.severity),
                "column": finding.column,
                "says": finding.says,
                "do": finding.do,
                "documentation": finding.page,
            }
            for finding in found.findings
        ],
        "ddl": sql[0] if sql else None,
        "loads": [
            {"partition": folder, "rows": parts[folder].rows, "statements": statements}
            for folder, statements in (loads or {}).items()
        ],
    }

"""The command line `targetdata`: what Dagster's own command line does not do."""

import typer

from pipelines.cli.doctor import doctor
from pipelines.cli.erase import erase
from pipelines.cli.extract import extract
from pipelines.cli.gc import gc
from pipelines.cli.handoff import handoff
from pipelines.cli.new import new
from pipelines.cli.plan import plan
from pipelines.cli.retention import retention
from pipelines.cli.schema import diff, pull

app = typer.Typer(
    help="Extracts customer profiles from TargetData's GraphQL API, and rows from any other one. Settings "
    "come from .env; partitions, schedules and backfills are Dagster's: see `make dev`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
schema = typer.Typer(help="The schema of a GraphQL API.", no_args_is_help=True)
schema.command()(pull)
schema.command()(diff)
app.command()(doctor)
app.command()(extract)
app.command()(new)
app.command()(plan)
app.command()(gc)
app.command()(handoff)
app.command()(erase)
app.command()(retention)
app.add_typer(schema, name="schema")

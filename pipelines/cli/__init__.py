"""The command line `targetdata`: what Dagster's own command line does not do."""

import typer

from pipelines.cli.doctor import doctor
from pipelines.cli.erase import erase
from pipelines.cli.extract import extract
from pipelines.cli.gc import gc
from pipelines.cli.handoff import handoff
from pipelines.cli.login import login
from pipelines.cli.new import new
from pipelines.cli.panels import EXTRACT, FIRST_STEPS, LOOK_AFTER, SET_UP, Panels
from pipelines.cli.plan import plan
from pipelines.cli.retention import retention
from pipelines.cli.schema import diff, pull

app = typer.Typer(
    cls=Panels,
    help="Extracts customer profiles from TargetData's GraphQL API, and rows from any other one. Settings "
    "come from .env; partitions, schedules and backfills are Dagster's: see `make dev`.",
    epilog=FIRST_STEPS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
schema = typer.Typer(
    cls=Panels, help="Fetch the schema of a GraphQL API, and compare it.", no_args_is_help=True
)
schema.command()(pull)
schema.command()(diff)
app.command(rich_help_panel=SET_UP)(login)
app.command(rich_help_panel=SET_UP)(doctor)
app.add_typer(schema, name="schema", rich_help_panel=SET_UP)
app.command(rich_help_panel=EXTRACT)(new)
app.command(rich_help_panel=EXTRACT)(plan)
app.command(rich_help_panel=EXTRACT)(extract)
app.command(rich_help_panel=EXTRACT)(handoff)
app.command(rich_help_panel=LOOK_AFTER)(erase)
app.command(rich_help_panel=LOOK_AFTER)(retention)
app.command(rich_help_panel=LOOK_AFTER)(gc)

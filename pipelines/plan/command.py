"""The plan of a backfill of this code location, with its lake, its Dagster instance and its settings."""

from pipelines.definitions import defs
from pipelines.environment import environment
from pipelines.plan.backfill import Plan, Reading, plan_backfill
from pipelines.plan.budget import Budget
from pipelines.plan.extracts import find_extract, planned_partitions
from pipelines.plan.seen import open_instance
from pipelines.variables import variables
from resources.lake import Lake


def planned(name: str, first: str | None, last: str | None, *, reading: Reading) -> tuple[Plan, Budget]:
    """Plan the partitions of an extract from one key to another; give the budget of its settings too."""
    extract = find_extract(defs(), name)
    api = extract.api.resource(None, {})
    with open_instance() as instance:
        plan = plan_backfill(
            extract,
            planned_partitions(extract, first, last, instance),
            lake=Lake(path=str(environment().lake)),
            instance=instance,
            reading=reading,
        )
    prefix = f"{extract.api}_".upper()
    return plan, Budget(
        lookups=api.budget_lookups,
        requests=extract.api.settings.budget_requests,
        settings=[variables(name, prefix)[0] for name in ("budget_lookups", "budget_requests")],
    )

"""A code location with one asset and two jobs: failures get their names in the one, and not in the other."""

import os

import dagster as dg

from resources.failures import named_failures
from resources.targetdata import TargetDataResource


def asked() -> None:
    resource = TargetDataResource(
        base_url=os.environ["CHAOS_URL"], refresh_token=os.environ["CHAOS_REFRESH_TOKEN"]
    )
    try:
        resource.client.ask("{ __typename }")
    finally:
        resource.close()


@dg.op
def named(context: dg.OpExecutionContext) -> None:
    with named_failures(context.instance, context.run.run_id):
        asked()


@dg.op
def unnamed() -> None:
    asked()


@dg.job(executor_def=dg.in_process_executor)
def with_names() -> None:
    named()


@dg.job(executor_def=dg.in_process_executor)
def without_names() -> None:
    unnamed()


defs = dg.Definitions(jobs=[with_names, without_names])

"""The asset checks of an extract, defined for Dagster: one step for all of them."""

import warnings
from collections.abc import Iterator, Sequence

import dagster as dg

from pipelines.checks.evaluations import ACCOUNTING, NEWEST, SAYS, Evaluations, names_of
from resources.failures import NEVER_AGAIN
from resources.graphql.query import Query
from resources.lake import Lake
from resources.lake.place import place_of

Event = dg.AssetCheckEvaluation | dg.Output[None]


def extract_checks(asset: dg.AssetsDefinition, query: Query) -> list[dg.AssetChecksDefinition]:
    """Define the checks of an extract's asset.

    They are evaluated for each partition of a run, or for the newest one if they are run by themselves. If
    the accounting fails, nothing after the asset is made in that run.
    """
    partitions = asset.partitions_def
    specs = _specs(asset, names_of(query, partitions))
    waited_for = {spec.name: spec.get_python_identifier() for spec in specs if spec.blocking}

    @dg.multi_asset_check(name=f"{asset.key.to_python_identifier()}_checks", specs=specs, can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext, lake: Lake) -> Iterator[Event]:
        selected = context.selected_asset_check_keys
        evaluations = Evaluations(
            asset=next(iter(selected)).asset_key,  # with its account's name
            names={key.name for key in selected},
            query=query,
            lake=lake,
            partitions=partitions,
            instance=context.instance,
        )
        for event in evaluations.of(_keys(context, lake, query, partitions)):
            if event.blocking and not event.passed:
                context.instance.add_run_tags(context.run.run_id, NEVER_AGAIN)
            yield event
        for name in waited_for.keys() & {key.name for key in selected}:
            yield dg.Output(None, waited_for[name])  # nothing waits for the others: each is an event less

    return [checks]


def _specs(asset: dg.AssetsDefinition, names: Sequence[str]) -> list[dg.AssetCheckSpec]:
    with warnings.catch_warnings():
        # Partitions of checks are a preview, and stay as they are within the pinned minor version.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name,
                asset=asset.key,
                description=SAYS[name],
                blocking=name == ACCOUNTING,
                partitions_def=None if name == NEWEST else asset.partitions_def,
            )
            for name in names
        ]


def _keys(
    context: dg.AssetCheckExecutionContext,
    lake: Lake,
    query: Query,
    partitions: dg.PartitionsDefinition | None,
) -> Sequence[str | None]:
    """Give the run's partitions; the newest published one of a run that has none."""
    if partitions is None:
        return [None]
    if context.has_partition_key or context.has_partition_key_range:
        run: Sequence[str] = context.partition_keys
        return run
    published = {found.partition for found in lake.manifests(query.name)}
    keys = partitions.get_partition_keys(dynamic_partitions_store=context.instance)
    return [key for key in reversed(keys) if place_of(key, partitions).folder in published][:1]

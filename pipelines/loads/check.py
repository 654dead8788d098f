"""A check of the warehouse: whether each partition that is published is loaded as it was published last."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from resources.lake import Lake
from resources.lake.publishing.manifest import Manifest
from resources.warehouse.flat import FlatTable
from resources.warehouse.resource import Warehouse

if TYPE_CHECKING:
    from resources.warehouse.stamps import Generation

WAREHOUSE = "warehouse"  # what stands before the tables' names in the keys of the assets
SHOWN = 100  # partitions in the metadata


def load_check(tables: Sequence[FlatTable]) -> dg.AssetChecksDefinition:
    """Make the check `up_to_date` of the first of an extract's tables; it only warns.

    It looks at all partitions, whatever ran: after a backfill of an old day it still says whether the newest
    are loaded. A table that was never loaded is left out of it, but for the first.
    """

    @dg.asset_check(asset=dg.AssetKey([WAREHOUSE, tables[0].name]), name="up_to_date")
    def up_to_date(
        context: dg.AssetCheckExecutionContext, lake: Lake, warehouse: Warehouse
    ) -> dg.AssetCheckResult:
        """Compare the generations in the warehouse with those in the lake, partition by partition."""
        behind = sorted(_behind(tables, lake, warehouse, f"the check of {tables[0].name}"))
        return dg.AssetCheckResult(
            passed=not behind,
            severity=dg.AssetCheckSeverity.WARN,
            description=_advice(behind) if behind else None,
            metadata={"partitions_behind": len(behind), "behind": behind[:SHOWN]},
        )

    return up_to_date


def _behind(tables: Sequence[FlatTable], lake: Lake, warehouse: Warehouse, who: str) -> set[str]:
    """Name the partitions of which something else, or nothing, is loaded."""
    from resources.warehouse.stamps import all_stamped

    with warehouse.open(who) as database:
        loaded = all_stamped(database, [table.name for table in tables])
    ever = {table for table, _ in loaded} | {tables[0].name}
    sources = {table.source: lake.manifests(table.source) for table in tables if table.name in ever}
    return {
        manifest.partition
        for table in tables
        if table.name in ever
        for manifest in sources[table.source]
        if not _has(loaded.get((table.name, manifest.partition)), manifest)
    }


def _has(loaded: "Generation | None", manifest: Manifest) -> bool:
    """Say whether it is what was published; people who were erased since are out of both."""
    is_same_run = loaded is not None and loaded.run == manifest.run
    return (
        loaded is not None and is_same_run and (loaded.number == manifest.generation or manifest.erased > 0)
    )


def _advice(behind: Sequence[str]) -> str:
    newest = behind[-1] or "the whole table"
    return (
        f"{len(behind):,} partitions are not loaded as they were published last, the newest {newest}: is the "
        "sensor loads_follow_extracts on, did a load fail, or is it still to come? Else run warehouse_daily "
        "for them"
    )

"""The assets and checks of definitions: taken out, each once, and put back as others."""

from collections.abc import Sequence
from typing import Any

import dagster as dg


def assets_of(found: dg.Definitions) -> list[Any]:
    """Give the assets and checks, each once: a module that imports an asset of another has it too."""
    return list({id(d): d for d in (*(found.assets or ()), *(found.asset_checks or ()))}.values())


def with_assets(found: dg.Definitions, assets: Sequence[Any]) -> dg.Definitions:
    """Give definitions other assets and checks, and keep all else."""
    return dg.Definitions(
        assets=assets,
        schedules=found.schedules,
        sensors=found.sensors,
        jobs=found.jobs,
        resources=found.resources,
        executor=found.executor,
        loggers=found.loggers,
        metadata=found.metadata,
    )

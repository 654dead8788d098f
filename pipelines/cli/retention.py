"""targetdata retention: which partitions have been kept long enough."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.options import explained
from pipelines.loading import loading

if TYPE_CHECKING:
    from pipelines.retention import Expired


def retention(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say which partitions of the lake the job `retention` would drop now; nothing is changed.

    They are those whose end is longer ago than TARGETDATA_RETENTION_DAYS, or than their asset's metadata
    says. See docs/retention.md.

    Example: targetdata retention --json
    """
    with explained(interrupted="nothing was changed"):
        with loading():
            from pipelines.definitions import defs
            from pipelines.environment import environment
            from pipelines.retention import expired
            from resources.lake import Lake

            repository = defs().get_repository_def()
        settings = environment()
        assets = repository.assets_defs_by_key.values()
        lake = Lake(path=str(settings.lake))
        found = list(expired(assets, lake, now=datetime.now(UTC), prefix=settings.key_prefix))
        typer.echo(json.dumps(_facts(found), indent=2) if as_json else _text(found))


def _facts(found: "Sequence[Expired]") -> dict[str, object]:
    return {
        "expired": [
            {"table": each.table, "partition": each.folder, "kept_days": each.days, "rows": each.rows}
            for each in found
        ]
    }


def _text(found: "Sequence[Expired]") -> str:
    lines = [
        f"{each.table} {each.folder}: {sum(each.rows.values()):,} rows in {', '.join(each.rows)}"
        for each in found
    ]
    return "\n".join([*lines, f"would be dropped in all: {len(found)} partitions"])

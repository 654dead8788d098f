"""A list read whole, with a server that goes down in the middle, and with answers that are wrong."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
from graphql import build_schema

from pipelines.extraction import Extraction
from resources.graphql.query import Query
from resources.lake import Lake
from tests.provocations.bench import ROOT, TEXT, api, faults, mark
from tests.provocations.runs import run, seen

FIELDS = TEXT[TEXT.index("    profileId") : TEXT.rindex("  }")].replace("    visits\n    score\n", "")
PEOPLE = Query.parse(
    "query people($first: Int!, $after: String) { profiles(first: $first, after: $after) {"
    f" pageInfo {{ hasNextPage endCursor }} nodes {{ {FIELDS} }} }} }}",
    schema=build_schema((ROOT / "tests" / "sandbox" / "lists.graphql").read_text("utf-8")),
    path="people.graphql",
    name="people",
    identity="profileId",
)


def listed(url: str, folder: Path, instance: dg.DagsterInstance) -> list[str]:
    """Read a list from a sandbox in each way; give the ways that ended well, if only at the second time."""
    odd = {
        "hasNextPage": mark("more"),
        "endCursor": {mark("a"): 1},
        "nodes": mark("rows"),
        "value": [mark("b")],
    }
    ways: dict[str, Mapping[str, object]] = {
        "whole": {},
        "down": {"outage": 1000, "outage_after": 3},
        **{f"odd_{name}": {"field_overrides": {name: value}} for name, value in odd.items()},
    }
    done = run([way(name, switches, url, folder) for name, switches in ways.items()], instance)
    return sorted(str(event.step_key) for event in done.all_events if event.is_step_success)


def way(name: str, switches: Mapping[str, object], url: str, folder: Path) -> dg.AssetsDefinition:
    """Make an asset that reads the list, with faults when it is tried first."""

    @dg.asset(name=name)
    def people(context: dg.AssetExecutionContext) -> None:
        lake = Lake(path=str(folder / "lake" / "lists" / name))
        now = {} if context.retry_number else switches
        with (
            faults(url=url, telling=mark("page"), **now),
            seen(name),
            api(base_url=url, page_size=3) as found,
            Extraction(context, lake, PEOPLE).partition(None) as opened,
        ):
            for page in found.pages(PEOPLE, resume=opened.resume):
                opened.write(page)

    return people

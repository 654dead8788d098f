"""docs/lists.md is executed: its queries read lists to their end, its asset runs, its commands work."""

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from resources.graphql.plan import Paging, Window
from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.documents import blocks, commands
from tests.engine.public_lists import ListServer
from tests.engine.test_public_lists import GIVEN, ids, load, pages
from tests.sandbox import Sandbox
from tests.sandbox.lists import changed

DOCUMENT = ROOT / "docs" / "lists.md"
QUERIES = {re.findall(r"\w+", text)[1]: text for text in blocks(DOCUMENT, "graphql")}
LISTS = ROOT / "tests" / "sandbox" / "lists.graphql"


@pytest.mark.parametrize("name", sorted(QUERIES.keys() - {"changed"}))
def test_its_queries_read_lists_to_their_end(name: str) -> None:
    paging = names()["by_id"] if name == "tokens" else None
    query = load(QUERIES[name], paging=paging)  # type: ignore[arg-type]
    given = {variable: value for variable, value in GIVEN.items() if f"${variable}:" in QUERIES[name]}
    with ListServer() as server:
        assert ids(pages(server, query, **given)) == server.shelf.ids


def names() -> dict[str, object]:
    found: dict[str, object] = {}
    for block in blocks(DOCUMENT, "python")[:-1]:
        exec(block, found)
    return found


def test_its_ways_to_say_it_are_some() -> None:
    assert sum(isinstance(value, Paging) for value in names().values()) == 5
    assert names()["epochs"] == Window("from", "to", "seconds")


@pytest.fixture
def location(tmp_path: Path) -> Iterator[Location]:
    """Give a copy of the checkout with the page's asset, on an account that has lists."""
    with Sandbox(people=400, seed=7, variant="lists", max_page_size=2) as sandbox:
        clone = copied_checkout(tmp_path / "clone")
        folder = clone / "pipelines" / "defs" / "changed"
        folder.mkdir()
        (folder / "changed.graphql").write_text(QUERIES["changed"])
        (folder / "assets.py").write_text(blocks(DOCUMENT, "python")[-1])
        settings = {"TARGETDATA_SCHEMA_FILE": str(LISTS), "TARGETDATA_START_DATE": "2010-01-01"}
        yield Location(sandbox, tmp_path, clone, settings=settings)


def busiest_day(sandbox: Sandbox) -> tuple[date, list[str]]:
    """Give the day on which most people changed, and who did, in the order of change."""
    days = Counter(changed(person).date() for person in sandbox.people)
    day = days.most_common(1)[0][0]
    people = [person for person in sandbox.people if changed(person).date() == day]
    return day, [p["profileId"] for p in sorted(people, key=lambda p: (changed(p), p["profileId"]))]


@pytest.mark.journey
def test_a_list_with_a_window_fills_the_partition_of_a_day(location: Location) -> None:
    day, people = busiest_day(location.sandbox)
    assert len(people) > 2, "more than a page"
    extract, materialize = (commands(DOCUMENT)[n] for n in (2, 1))
    location.run(*shlex.split(materialize.replace("2026-11-22", str(day))))
    assert location.lake.read("changed", f"date={day}")["profile_id"].to_pylist() == people
    following = date.fromordinal(day.toordinal() + 1)
    command = extract.replace("2026-11-23", str(following)).replace("2026-11-22", str(day))
    location.run(*shlex.split(command))
    assert pq.read_table(location.root / "changed.parquet")["profile_id"].to_pylist() == people


def test_a_list_along_its_rows_is_read_on_the_command_line(location: Location) -> None:
    query = location.root / "tokens.graphql"
    query.write_text(
        "query tokens($first: Int!, $last: String) { profiles(first: $first, after: $last) {"
        " edges { cursor node { profileId } } } }"
    )
    command = commands(DOCUMENT)[0].replace("tokens.id", "profiles.edges.cursor")
    location.run(*shlex.split(command))
    found = pq.read_table(location.root / "tokens.parquet")["profile_id"].to_pylist()
    assert sorted(found) == sorted(person["profileId"] for person in location.sandbox.people)

"""docs/warehouse.md is executed: its commands, its query, its extract; in DuckDB and in PostgreSQL."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.lake import Lake
from resources.warehouse.resource import Warehouse
from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.databases import execute, postgresql
from tests.docs.test_readme import add_extract
from tests.documents import blocks, commands
from tests.local import last_days
from tests.sandbox import Sandbox

PAGE = ROOT / "docs" / "warehouse.md"
DAYS = last_days(2)
PASSWORD = "canary-of-a-password"
QUERY, EXTRACT, NOTEBOOK = blocks(PAGE, "python")


@pytest.fixture
def location(tmp_path: Path) -> Iterator[Location]:
    """Give a copy of the checkout whose lake and warehouse are where the page has them."""
    with Sandbox(people=300, seed=7) as sandbox:
        clone = copied_checkout(tmp_path / "clone")
        sandbox.write_feed(clone / "data" / "feed", DAYS)
        add_extract(clone)
        with (clone / "pipelines" / "defs" / "consents" / "assets.py").open("a") as file:
            file.write("\n\n" + EXTRACT)
        places = dict.fromkeys(("TARGETDATA_FEED", "TARGETDATA_LAKE", "TARGETDATA_WAREHOUSE"), "")
        settings = places | {"TARGETDATA_START_DATE": str(DAYS[0])}
        yield Location(sandbox, tmp_path, clone, settings=settings)


@pytest.mark.journey
def test_the_page_is_true_of_duckdb(location: Location) -> None:
    for day in DAYS:
        location.materialize(str(day), select="*")
    for command in commands(PAGE):
        if not command.startswith("pip "):
            dated = command.replace("2026-11-22", str(DAYS[1])).replace("2026-11-21", str(DAYS[0]))
            location.run(*shlex.split(dated))
    assert "CS-OM" in location.run("python", QUERY).stdout
    said = location.run("python", f"{NOTEBOOK}\nprint(sorted(rows))").stdout
    assert said.count("'consents'") == said.count("'profiles__permissions'") == len(DAYS)


@pytest.mark.journey
def test_the_page_is_true_of_postgresql(location: Location) -> None:
    with postgresql() as uri:
        execute(uri, f"ALTER ROLE postgres PASSWORD '{PASSWORD}'")
        secret = uri.replace("postgres:@", f"postgres:{PASSWORD}@")
        location.settings |= {"TARGETDATA_WAREHOUSE": secret, "TARGETDATA_WAREHOUSE_SCHEMA": "targetdata"}
        said = [location.materialize(str(DAYS[0]), select=s) for s in ("*", 'key:"warehouse/profiles"')]
        location.settings["TARGETDATA_WAREHOUSE"] = secret.replace("/postgres?", "/nowhere?")
        said.append(location.materialize(str(DAYS[0]), select='key:"warehouse/profiles"', check=False))
        assert "refuses the connection" in said[-1].stdout + said[-1].stderr
        assert PASSWORD not in "".join(one.stdout + one.stderr for one in said)
        assert PASSWORD.encode() not in location.everything_stored()
        with Warehouse(uri=uri, namespace="targetdata").open("a test") as database:
            loaded = database.rows('SELECT table_name, row_count FROM targetdata."targetdata_loads"', "")
    rows = {str(name): number for name, number in loaded}
    lake = Lake(path=str(location.root / "data" / "lake"))
    published = lake.read("profiles", f"date={DAYS[0]}").num_rows
    assert rows["profiles"] == rows["profiles_wide"] == published > 0
    assert rows["consents__cookie_consents"]

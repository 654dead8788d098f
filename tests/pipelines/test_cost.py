"""What loading the code location and a small run cost, counted: figures that no busy machine changes."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TypedDict

import pyarrow.parquet as pq
import pytest

from tests.conftest import PROFILES_QUERY, ROOT
from tests.dagster_runs import Location
from tests.sandbox import Sandbox

AT_A_RUN = {  # imported where it is used: what loads the location needs none of it
    *("pandas", "polars", "duckdb", "adbc_driver_manager", "aiohttp", "gql", "rich", "typer"),
    "sqlglot",
    *("pyarrow.dataset", "pyarrow.acero", "resources.graphql.client", "resources.account.tokens"),
}
ASKED = 6  # times for the definitions, as `dagster asset materialize` does
LOAD = f"""
import gc, json, sys
from tests.counting import Counted

with Counted() as imported:
    import dagster
with Counted() as loaded:
    from pipelines.definitions import defs
    for _ in range({ASKED}):
        defs().get_repository_def()
print(json.dumps({{
    "modules": list(sys.modules),
    "calls": loaded.calls / imported.calls,
    "folders": loaded.calls_of("load_from_defs_folder"),
    "schemas": loaded.calls_of("build_ast_schema"),
    "frozen": gc.get_freeze_count() / (gc.get_freeze_count() + len(gc.get_objects())),
}}))
"""
LISTS = ROOT / "tests" / "sandbox" / "lists.graphql"
LIST = (
    "query people($size: Int!, $after: String) { profiles(first: $size, after: $after) "
    "{ nodes { profileId changeDate identifiers { name value } } pageInfo { hasNextPage endCursor } } }"
)
DAYS = ["2026-11-21", "2026-11-22"]
DAGSTERS = {"dagster", "dagster_shared", "sqlalchemy", "grpc", "duckdb", "adbc_driver_manager"}
FRAMES = {"pandas", "polars", "pyarrow.dataset", "pyarrow.acero"}
NOT_FOR_HELP = {"pyarrow", "numpy", "graphql", "gql", "aiohttp", "resources.graphql"}
COMMAND = """
import gc, json, sys
from pipelines.cli import app

code = app(standalone_mode=False)
sys.stdout.flush()
print(json.dumps({
    "code": code,
    "modules": list(sys.modules),
    "frozen": gc.get_freeze_count() / (gc.get_freeze_count() + len(gc.get_objects())),
}))
"""


class Command(TypedDict):
    code: int | None
    modules: list[str]
    frozen: float


class Load(TypedDict):
    modules: list[str]
    calls: float
    folders: int
    schemas: int
    frozen: float


@pytest.fixture(scope="module")
def load() -> Load:
    """What loading does, in a process that has imported nothing before."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("TARGETDATA_", "GRAPHQL_"))}
    done = subprocess.run([sys.executable, "-c", LOAD], cwd=ROOT, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    found: Load = json.loads(done.stdout)
    return found


def test_loading_imports_nothing_that_only_a_run_needs(load: Load) -> None:
    assert not AT_A_RUN & set(load["modules"])


def test_loading_without_a_defs_yaml_imports_no_component(load: Load) -> None:
    assert "pipelines.needed" in load["modules"]
    assert [name for name in load["modules"] if name.startswith("pipelines.components")] == []


def test_the_folder_is_read_once_a_process_and_the_schema_once_for_all_queries(load: Load) -> None:
    assert (load["folders"], load["schemas"]) == (1, 1)


def test_loading_calls_three_times_as_many_functions_as_importing_dagster_at_most(
    load: Load,
) -> None:
    assert 1 < load["calls"] < 3  # 2.49 when this was written


def test_what_is_loaded_is_not_looked_through_for_garbage(load: Load) -> None:
    assert load["frozen"] > 0.9


def test_a_run_of_profiles_costs_little_more_than_one_of_an_empty_asset(
    stack: ExitStack, memory: Path
) -> None:
    location = Location(stack.enter_context(Sandbox(people=20, seed=7)), memory)
    location.sandbox.write_feed(memory / "feed", [date.fromisoformat(day) for day in DAYS])
    measuring = f"from tests.benchmarks.one_process import main; main(0, *{DAYS})"
    counted = json.loads(location.run("python", measuring).stdout)
    empty, profiles = counted["empty"], counted["profiles"]
    assert 0 < profiles["statements"] - empty["statements"] < 90  # 76: three steps and their checks, not one
    assert 1 < profiles["calls"] / empty["calls"] < 2.3


def command(location: Location, *arguments: str) -> Command:
    """Run `targetdata` in a process that has imported nothing before."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=ROOT,
        env=location.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: Command = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture
def location(stack: ExitStack, memory: Path) -> Location:
    return Location(stack.enter_context(Sandbox(people=20, seed=7, variant="lists")), memory)


def test_a_list_is_extracted_without_dagster_and_without_frames(location: Location) -> None:
    query, out = location.folder / "people.graphql", location.folder / "people.parquet"
    query.write_text(LIST)
    found = command(location, "extract", str(query), "--schema", str(LISTS), "--out", str(out))
    assert pq.read_metadata(out).num_rows == len(location.sandbox.people)
    assert {"resources.graphql.client", "resources.account.tokens"} <= set(found["modules"])
    assert (DAGSTERS | FRAMES) & set(found["modules"]) == set()
    assert found["frozen"] > 0.8  # else what was loaded is looked through for garbage


def test_keys_are_looked_up_without_dagster(location: Location) -> None:
    (keys,) = location.sandbox.write_feed(location.folder / "feed", [date.fromisoformat(DAYS[0])])
    out = location.folder / "profiles.parquet"
    found = command(location, "extract", str(PROFILES_QUERY), "--keys", str(keys), "--out", str(out))
    assert pq.read_metadata(out).num_rows > 0
    assert DAGSTERS & set(found["modules"]) == set()


@pytest.mark.parametrize("arguments", [("--help",), ("extract", "--help"), ("plan", "--help")])
def test_help_imports_next_to_nothing(arguments: tuple[str, ...], location: Location) -> None:
    found = command(location, *arguments)
    assert "pipelines.cli.extract" in found["modules"]
    assert (DAGSTERS | FRAMES | NOT_FOR_HELP) & set(found["modules"]) == set()

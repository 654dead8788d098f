"""`targetdata schema pull` against accounts whose schema is another: from clone to a green partition."""

import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT
from tests.dagster_runs import BIN, Location
from tests.local import last_days
from tests.sandbox import Sandbox

DAY = last_days()[-1]
SHIPPED = ("pipelines", "resources", "pyproject.toml", "workspace.yaml")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Give a copy of the checkout, whose files a command may rewrite."""
    folder = tmp_path / "clone"
    for name in SHIPPED:
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__")
        copy = shutil.copytree if source.is_dir() else shutil.copy
        folder.mkdir(exist_ok=True)
        copy(source, folder / name, **({"ignore": ignored} if source.is_dir() else {}))
    return folder


def run(clone: Path, location: Location, *command: str) -> str:
    """Run a command of the installation on the copy's own code."""
    environment = location.environment | {"PYTHONPATH": str(clone), "COLUMNS": "200"}
    done = subprocess.run(
        [BIN / "python", "-P", "-m", *command],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def materialize(clone: Path, location: Location) -> dict[str, object]:
    """Run the day in Dagster; give the table's columns by name."""
    location.sandbox.write_feed(location.folder / "feed", [DAY])
    select = ["--select", "*", "--partition", str(DAY)]
    run(clone, location, "dagster", "asset", "materialize", "-m", "pipelines.definitions", *select)
    table = pq.read_table(location.lake.root / "profiles" / f"date={DAY}" / "part-00000.parquet")
    return {name: table[name] for name in table.column_names}


@pytest.mark.parametrize("suggestions", [True, False])
def test_a_foreign_account_without_introspection_gets_from_clone_to_a_green_partition(
    suggestions: bool, clone: Path, stack: ExitStack, tmp_path: Path
) -> None:
    foreign = stack.enter_context(Sandbox(people=60, seed=7, variant="foreign", suggestions=suggestions))
    location = Location(foreign, tmp_path)
    said = run(clone, location, "pipelines.cli", "schema", "pull")
    assert "learned from validation errors" in said
    assert "usedApps" in said
    assert foreign.refresh_token not in said
    columns = materialize(clone, location)
    people = {foreign.person_of(umid)["profileId"]: foreign.person_of(umid) for umid in reachable(foreign)}
    assert sorted(columns["profile_id"].to_pylist()) == sorted(people)
    for profile_id, attributes in zip(
        columns["profile_id"].to_pylist(), columns["attributes"].to_pylist(), strict=True
    ):
        truth = people[profile_id]["attributes"]
        assert names(attributes, "field_name") == names(truth, "fieldName")
        assert names(attributes, "field_value") == names(truth, "fieldValue")
    assert all(len(r.keys) <= 5 for r in foreign.requests if r.answered)


def reachable(sandbox: Sandbox) -> list[str]:
    return [umid for umid in sandbox.umids_of(DAY) if sandbox.person_of(umid)]


def names(items: list[dict[str, object] | None] | None, key: str) -> list[object] | None:
    return None if items is None else [item and item[key] for item in items]


def test_an_account_that_allows_introspection_is_pulled_as_it_is(
    clone: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    location = Location(sandbox, tmp_path)
    before = (clone / "pipelines/defs/profiles/profiles.graphql").read_text()
    said = run(clone, location, "pipelines.cli", "schema", "pull")
    assert "from introspection" in said
    assert "fits as it is" in said
    assert "identifiersByName" in said
    assert (clone / "pipelines/defs/profiles/profiles.graphql").read_text() == before
    assert "identifiersByName(names: [String!]!)" in (clone / "pipelines/schema.graphql").read_text()


def test_a_dry_run_writes_nothing(clone: Path, stack: ExitStack, tmp_path: Path) -> None:
    foreign = stack.enter_context(Sandbox(people=5, seed=7, variant="foreign"))
    before = {path: path.read_bytes() for path in clone.rglob("*.graphql")}
    said = run(clone, Location(foreign, tmp_path), "pipelines.cli", "schema", "pull", "--dry-run")
    assert "was not written" in said
    assert "-      name" in said
    assert {path: path.read_bytes() for path in clone.rglob("*.graphql")} == before

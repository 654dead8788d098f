"""`targetdata schema pull` against accounts whose schema is another: from clone to a green partition."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.dagster_runs import Location, copied_checkout
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_wide, plain

DAY = last_days()[-1]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return copied_checkout(tmp_path / "clone")


def materialize(location: Location) -> dict[str, object]:
    """Run the day in Dagster; give the table's columns by name."""
    location.sandbox.write_feed(location.folder / "feed", [DAY])
    location.materialize(str(DAY))
    table = location.lake.read("profiles", f"date={DAY}")
    return {name: table[name] for name in table.column_names}


@pytest.mark.journey
@pytest.mark.parametrize("suggestions", [True, False])
def test_a_foreign_account_without_introspection_gets_from_clone_to_a_green_partition(
    suggestions: bool, clone: Path, stack: ExitStack, tmp_path: Path
) -> None:
    foreign = stack.enter_context(Sandbox(people=60, seed=7, variant="foreign", suggestions=suggestions))
    location = Location(foreign, tmp_path, clone)
    said = location.run("targetdata", "schema", "pull").stdout
    assert "learned from validation errors" in said
    assert "usedApps" in said
    assert foreign.refresh_token not in said
    columns = materialize(location)
    people = {foreign.person_of(umid)["profileId"]: foreign.person_of(umid) for umid in reachable(foreign)}
    assert sorted(columns["profile_id"].to_pylist()) == sorted(people)
    for profile_id, attributes in zip(
        columns["profile_id"].to_pylist(), columns["attributes"].to_pylist(), strict=True
    ):
        truth = people[profile_id]["attributes"]
        assert names(attributes, "field_name") == names(truth, "fieldName")
        assert names(attributes, "field_value") == names(truth, "fieldValue")
    assert all(len(r.keys) <= 5 for r in foreign.requests if r.answered)
    wide = plain(location.lake.read("profiles_wide", f"date={DAY}"))
    assert wide == expected_wide(foreign, foreign.umids_of(DAY), variant="foreign")


def reachable(sandbox: Sandbox) -> list[str]:
    return [umid for umid in sandbox.umids_of(DAY) if sandbox.person_of(umid)]


def names(items: list[dict[str, object] | None] | None, key: str) -> list[object] | None:
    return None if items is None else [item and item[key] for item in items]


def test_an_account_that_allows_introspection_is_pulled_as_it_is(
    clone: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    location = Location(sandbox, tmp_path, clone)
    before = (clone / "pipelines/defs/profiles/profiles.graphql").read_text()
    said = location.run("targetdata", "schema", "pull").stdout
    assert "from introspection" in said
    assert "fits as it is" in said
    assert "identifiersByName" in said
    assert (clone / "pipelines/defs/profiles/profiles.graphql").read_text() == before
    assert "identifiersByName(names: [String!]!)" in (clone / "pipelines/schema.graphql").read_text()


def test_a_dry_run_writes_nothing(clone: Path, stack: ExitStack, tmp_path: Path) -> None:
    foreign = stack.enter_context(Sandbox(people=5, seed=7, variant="foreign"))
    before = {path: path.read_bytes() for path in clone.rglob("*.graphql")}
    said = Location(foreign, tmp_path, clone).run("targetdata", "schema", "pull", "--dry-run").stdout
    assert "was not written" in said
    assert "-      name" in said
    assert {path: path.read_bytes() for path in clone.rglob("*.graphql")} == before


@pytest.mark.parametrize("variant", ["targetdata", "foreign"])
def test_a_document_of_another_api_is_left_as_it_is(
    variant: str, clone: Path, stack: ExitStack, tmp_path: Path
) -> None:
    account = stack.enter_context(Sandbox(people=5, seed=7, variant=variant))
    other = clone / "pipelines/defs/orders/orders.graphql"
    other.parent.mkdir()
    other.write_text("query ($id: ID!) { order(id: $id) { id total } }")
    said = Location(account, tmp_path, clone).run("targetdata", "schema", "pull").stdout
    assert "left as it is: pipelines/defs/orders/orders.graphql:1:20: there is no root field order" in said
    assert "profiles.graphql: " in said
    assert other.read_text() == "query ($id: ID!) { order(id: $id) { id total } }"


def test_a_broken_document_is_named_before_the_server_is_asked(
    clone: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    (clone / "pipelines/defs/orders.graphql").write_text("{ order(id: ")
    run = Location(sandbox, tmp_path, clone).run("targetdata", "schema", "pull", check=False)
    assert "pipelines/defs/orders.graphql:1:13: Syntax Error" in run.stderr
    assert run.returncode == 1
    assert sandbox.requests == []

"""The daily check of an extract's schema, and `targetdata schema diff`."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import pytest
from graphql import build_schema

from pipelines.api import Api
from pipelines.checks.drift import drift_check
from pipelines.definitions import defs
from pipelines.schema.diff import diff_schema
from resources.errors import ConfigurationError
from resources.graphql.query import Query
from tests.conftest import ROOT, SCHEMA, Connect
from tests.dagster_runs import Location
from tests.sandbox import Faults, Sandbox

FOREIGN = ROOT / "tests" / "sandbox" / "foreign.graphql"


@dg.asset
def profiles() -> None:
    """Stands for an extract."""


@pytest.fixture
def checked(
    connect: Connect, stack: ExitStack, profiles_query: Query
) -> Callable[..., dg.AssetCheckEvaluation]:
    """Run the check on a sandbox whose schema is edited; the run must succeed whatever the check says."""

    def run(
        schema: Path = SCHEMA, query: Query = profiles_query, **server: object
    ) -> dg.AssetCheckEvaluation:
        sandbox = stack.enter_context(Sandbox(people=5, **server))  # type: ignore[arg-type]
        check = drift_check(profiles, query, schema_file=schema, resource="targetdata")
        resource = connect(sandbox, max_attempts=1)
        done = dg.materialize([profiles, check], resources={"targetdata": resource})
        (found,) = done.get_asset_check_evaluations()
        return found

    return run


def test_the_check_passes_with_safe_changes_and_lists_them(
    checked: Callable[..., dg.AssetCheckEvaluation],
) -> None:
    found = checked(edits={"  owner: String\n": "  owner: String\n  fresh: Int\n"})
    assert found.passed
    assert found.description is None
    assert found.metadata["safe_changes"].value == 3
    assert found.metadata["changes"].value["safe"][-1] == {  # type: ignore[index, call-overload]
        "place": "PersonTargetData.identifiersByName",
        "change": "PersonTargetData.identifiersByName was added.",
        "used": False,
    }


@pytest.mark.parametrize(
    ("edits", "severity", "words"),
    [
        ({"  owner: String\n": ""}, "ERROR", "may fail: PersonTargetData.owner."),
        ({"  umdids: [Identifier]\n": ""}, "WARN", "the query goes on working"),
        ({"(umid: String!)": "(umid: String!, hint: Int)"}, "WARN", "the query goes on working"),
    ],
)
def test_the_check_is_an_error_for_what_the_query_uses_and_else_a_warning(
    edits: dict[str, str], severity: str, words: str, checked: Callable[..., dg.AssetCheckEvaluation]
) -> None:
    found = checked(edits=edits)
    assert not found.passed
    assert found.severity.name == severity
    assert words in (found.description or "")


def test_the_check_is_an_error_where_an_argument_that_the_query_does_not_pass_became_required(
    checked: Callable[..., dg.AssetCheckEvaluation], tmp_path: Path
) -> None:
    kept = tmp_path / "kept.graphql"
    kept.write_text(SCHEMA.read_text().replace("  owner: String", "  owner(form: Int): String"))
    found = checked(kept, edits={"  owner: String": "  owner(form: Int!): String"})
    assert (found.passed, found.severity.name) == (False, "ERROR")
    assert "may fail: PersonTargetData.owner(form:)." in (found.description or "")


def test_the_check_says_what_it_cannot_see_without_introspection(
    checked: Callable[..., dg.AssetCheckEvaluation],
) -> None:
    text = "query q($umid: String!) { personTargetDataByUmid(umid: $umid) { profileId owner } }"
    query = Query.parse(text, schema=build_schema(FOREIGN.read_text()), path="q", name="q")
    same = checked(FOREIGN, query, variant="foreign")
    assert same.passed
    assert "does not allow introspection" in (same.description or "")
    assert same.metadata["introspected"].value is False
    gone = checked(FOREIGN, query, variant="foreign", edits={"  owner: String\n": ""})
    assert (gone.passed, gone.severity.name) == (False, "ERROR")
    assert "PersonTargetData.owner" in (gone.description or "")


def test_the_check_does_not_fail_a_run_for_want_of_a_server_or_a_schema_file(
    checked: Callable[..., dg.AssetCheckEvaluation], tmp_path: Path
) -> None:
    found = checked(faults=Faults(status=503))
    assert (found.passed, found.severity.name) == (False, "WARN")
    assert "could not be compared: " in (found.description or "")
    assert "cannot be read" in (checked(tmp_path / "none.graphql").description or "")


def test_the_daily_job_runs_the_checks_of_its_assets() -> None:
    job = defs().resolve_job_def("profiles_daily")
    names = {str(node.name) for node in job.nodes}
    assert {"profiles_schema_drift", "profiles_refresh_schema_drift"} <= names


@pytest.fixture
def diff(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run the command on a sandbox; give its exit code and what it says."""

    def run(sandbox: Sandbox, *options: str) -> tuple[int, str]:
        location = Location(sandbox, tmp_path)
        done = location.run("targetdata", "schema", "diff", *options, check=False)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout if "--json" in options else done.stdout + done.stderr

    return run


def test_the_command_as_json_is_json_and_exits_with_zero_for_what_no_query_uses(
    diff: Callable[..., tuple[int, str]], stack: ExitStack
) -> None:
    sandbox = stack.enter_context(Sandbox(people=5, edits={"  umdids: [Identifier]\n": ""}))
    code, said = diff(sandbox, "--json")
    found = json.loads(said)
    assert code == 0
    assert list(found) == ["schema", "introspected", "changes", "left_out", "notes"]
    assert found["left_out"] == []
    assert found["introspected"] is True
    assert found["changes"][0] == {
        "kind": "breaking",
        "place": "PersonTargetData.umdids",
        "text": "PersonTargetData.umdids was removed.",
        "used_by": [],
    }


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_query_that_does_not_fit_the_schema_file_is_named_and_does_not_pass_for_one_that_works(
    options: tuple[str, ...], diff: Callable[..., tuple[int, str]], sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "people.graphql").write_text("{ people { id } }")
    code, said = diff(sandbox, "--queries", str(tmp_path), *options)
    assert code == 1
    reason = f"{tmp_path / 'people.graphql'}:1:3: Cannot query field 'people' on type 'Query'."
    if options:
        left_out = [{"document": str(tmp_path / "people.graphql"), "reason": reason}]
        assert json.loads(said)["left_out"] == left_out
    else:
        assert f"left out, as it does not fit the schema file: {reason}" in said
        assert "go on working." not in said
        assert "schema pull" in said


def test_without_a_schema_file_no_request_is_made_and_the_error_says_how_to_get_one(
    sandbox: Sandbox, connect: Connect, tmp_path: Path
) -> None:
    missing, api = tmp_path / "none.graphql", Api.TARGETDATA
    with pytest.raises(ConfigurationError, match="schema pull"):
        diff_schema(missing, None, api=api, resource=connect(sandbox), unmarked=True, as_json=False)
    assert sandbox.requests == []

"""Several accounts: the same code, each with its own server, token, feed, lake and asset keys."""

import re
import shlex
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import pytest

from resources.lake import Lake
from tests.conftest import ROOT
from tests.dagster_runs import Location
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_profiles, plain

DAY = last_days(1)[0]
DOCS = (ROOT / "docs" / "accounts.md").read_text(encoding="utf-8")
NAMES = ("eu", "us")


@pytest.fixture
def sandboxes(stack: ExitStack) -> dict[str, Sandbox]:
    return {name: stack.enter_context(Sandbox(60, seed)) for name, seed in zip(NAMES, (1, 2), strict=True)}


@pytest.fixture
def location(sandboxes: dict[str, Sandbox], tmp_path: Path) -> Location:
    """Give a location of both; the settings of one account alone would lead nowhere."""
    own: dict[str, str] = {}
    for name, sandbox in sandboxes.items():
        sandbox.write_feed(tmp_path / name, [DAY])
        prefix = f"TARGETDATA_{name.upper()}_"
        own[f"{prefix}BASE_URL"] = sandbox.url
        own[f"{prefix}REFRESH_TOKEN"] = sandbox.refresh_token
        own[f"{prefix}FEED"] = str(tmp_path / name / "events-{date}.jsonl.gz")
        own[f"{prefix}LAKE"] = str(tmp_path / "lake" / name)
    shared = {"TARGETDATA_BASE_URL": "http://127.0.0.1:9", "TARGETDATA_REFRESH_TOKEN": "of-nobody"}
    return Location(sandboxes["eu"], tmp_path, settings=own | shared)


def materialize(location: Location, name: str, *, check: bool = True) -> str:
    chosen = ["--select", "*", "--partition", str(DAY)]
    done = location.run(
        "dagster", "asset", "materialize", "-m", "pipelines.accounts", "-a", name, *chosen, check=check
    )
    return done.stdout + done.stderr


@pytest.mark.journey
def test_each_account_has_its_own_server_lake_and_asset_keys(
    location: Location, sandboxes: dict[str, Sandbox], tmp_path: Path
) -> None:
    for name, sandbox in sandboxes.items():
        materialize(location, name)
        profiles = Lake(path=str(tmp_path / "lake" / name)).read("profiles", f"date={DAY}")
        assert plain(profiles) == expected_profiles(sandbox, sandbox.umids_of(DAY))
        assert sandbox.answers == dict.fromkeys(sandbox.umids_of(DAY), 1)
    with location.instance() as instance:
        keys = {dg.AssetKey([name, "profiles"]) for name in NAMES}
        assert keys <= set(instance.all_asset_keys())
        for key in keys:
            assert instance.get_materialized_partitions(key) == {str(DAY)}
            check = dg.AssetCheckKey(key, "accounting")
            (record,) = instance.event_log_storage.get_asset_check_execution_history(check, limit=9)
            assert record.partition == str(DAY)
            assert record.status.value == "SUCCEEDED"


@pytest.mark.journey
def test_the_token_of_another_account_is_never_used_instead(location: Location) -> None:
    del location.settings["TARGETDATA_US_REFRESH_TOKEN"]
    assert "there is no offline refresh token" in materialize(location, "us", check=False)
    del location.settings["TARGETDATA_US_BASE_URL"]
    assert "TARGETDATA_EU_BASE_URL" in materialize(location, "us", check=False)


@pytest.mark.journey
def test_the_workspace_of_the_docs_loads_both(location: Location, tmp_path: Path) -> None:
    (workspace,) = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    (tmp_path / "workspace.yaml").write_text(workspace)
    file = str(tmp_path / "workspace.yaml")
    done = location.run("dagster", "definitions", "validate", "-w", file, "--load-with-grpc")
    assert "Validation successful for code location eu" in done.stderr + done.stdout
    assert "Validation successful for code location us" in done.stderr + done.stdout


@pytest.mark.journey
def test_the_commands_of_the_docs_work(location: Location) -> None:
    commands = [
        line for text in re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL) for line in text.splitlines()
    ]
    assert len(commands) == 2
    for command in commands:
        before, _, after = command.replace("2026-11-22", str(DAY)).partition(".venv/bin/")
        location.settings |= dict(setting.split("=", 1) for setting in before.split())
        location.run(*shlex.split(after))


def test_a_process_is_of_one_account(location: Location) -> None:
    code = "import pipelines.accounts as a; a.eu; a.us"
    done = location.run("python", code, check=False)
    assert "this process is already of the account 'eu'" in done.stderr
    done = location.run("python", "import pipelines.accounts as a; a.EU", check=False)
    assert "'EU' is no account's name" in done.stderr

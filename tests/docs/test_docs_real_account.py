"""docs/real-account.md is executed: from the login to the first day, on a copy of the checkout."""

import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from resources.graphql.sending.settings import Limits
from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.documents import blocks
from tests.sandbox import Sandbox

PAGE = ROOT / "docs" / "real-account.md"
TEXT = PAGE.read_text(encoding="utf-8")
DAY = date(2026, 11, 22)


def commands() -> list[list[str]]:
    """Give the page's commands, each without what is piped into it."""
    lines = [line for text in blocks(PAGE, "sh") for line in text.splitlines() if ".venv/bin/" in line]
    return [shlex.split(line.rpartition(".venv/bin/")[2]) for line in lines]


class Unset(Location):
    """A code location whose settings are those of its `.env` alone."""

    @property
    def environment(self) -> dict[str, str]:
        """Give what is left without the settings of the account."""
        found = super().environment
        return {name: text for name, text in found.items() if not name.startswith("TARGETDATA_")}


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    """A copy of the checkout without an account, with a feed where it is by default."""
    clone = copied_checkout(tmp_path / "clone")
    sandbox.write_feed(clone / "data" / "feed", [DAY])
    (clone / "umids.csv").write_text("\n".join(["umid", *sandbox.umids_of(DAY)[:5]]))
    return Unset(sandbox, tmp_path, clone)


@pytest.mark.journey
def test_its_commands_lead_from_a_login_to_the_first_day(location: Location, sandbox: Sandbox) -> None:
    _, piped, *others = commands()
    login = [word.replace("https://targetdata.example.com", sandbox.url) for word in piped]
    command = [sys.executable, "-m", "pipelines.cli", *login[1:]]
    environment = location.environment | {"PYTHONPATH": str(location.root)}
    subprocess.run(
        command, cwd=location.root, env=environment, input=sandbox.refresh_token, text=True, check=True
    )
    assert f"TARGETDATA_BASE_URL={sandbox.url}" in (location.root / ".env").read_text()
    assert (location.root / ".env").stat().st_mode & 0o777 == 0o600
    said = [location.run(*command) for command in others]
    assert "token" in said[0].stdout
    assert "5 keys asked" in "".join(done.stderr for done in said)
    lake = location.root / "data" / "lake"
    assert (lake / "profiles" / f"date={DAY}" / "part-00000.parquet").is_file()
    stored = location.everything_stored()
    assert sandbox.refresh_token.encode() not in stored


def test_its_limits_are_those_of_the_code() -> None:
    named = {"max_in_flight": 8, "max_batch": 100, "read_timeout_seconds": 60.0, "requests_per_second": None}
    for name, default in named.items():
        assert Limits.model_fields[name].default == default
        assert f"`TARGETDATA_{name.upper()}` ({'none' if default is None else int(default)})" in TEXT


def test_its_settings_are_settings() -> None:
    (text,) = blocks(PAGE, "ini")
    names = [line.partition("=")[0] for line in text.splitlines()]
    own = [name.removeprefix("TARGETDATA_").lower() for name in names if name.startswith("TARGETDATA_")]
    assert set(own) <= Limits.model_fields.keys()

"""`make dev`: whose account it runs with, and a port that is taken."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import dev
from tests.conftest import ROOT


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "tests.dev"]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | {"PORT": port}, capture_output=True, text=True, timeout=60
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Port {port} is in use" in done.stderr


def test_a_shell_reads_the_sandboxs_settings_while_it_runs(tmp_path: Path) -> None:
    settings = {"TARGETDATA_FEED": f"{tmp_path}/it's a $feed/{{date}}.jsonl", "TARGETDATA_WIDE": "city, age"}
    with dev.settings_for_a_shell(tmp_path, settings) as path:
        names = " ".join(settings)
        done = subprocess.run(
            ["sh", "-c", f'. "$0" && printenv {names}', path], capture_output=True, text=True, check=True
        )
    assert done.stdout.splitlines() == list(settings.values())
    assert not path.exists()


@pytest.mark.parametrize(
    ("environment", "file", "named"),
    [
        ("", "", False),
        ("https://account.example", "", True),
        ("", "TARGETDATA_BASE_URL=https://account.example\n", True),
        ("", "TARGETDATA_BASE_URL=\n", False),
        ("", "TARGETDATA_EU_BASE_URL=https://eu.example\n", True),
    ],
)
def test_an_account_is_the_environments_or_that_of_the_env_file(
    environment: str, file: str, named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.delenv("TARGETDATA_BASE_URL", raising=False)
    if environment:
        monkeypatch.setenv("TARGETDATA_BASE_URL", environment)
    (tmp_path / ".env").write_text(file)
    assert dev.names_account() == named

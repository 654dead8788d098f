"""A person's checkout, with nothing set, and `targetdata` as it is run there."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from tests.dagster_runs import copied_checkout
from tests.sandbox import Sandbox
from tests.terminal import Terminal


@dataclass
class Desk:
    """A person's checkout, beside a sandbox: nothing of it is set but what is named."""

    sandbox: Sandbox
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = copied_checkout(self.folder / "clone")
        self.env_file = self.root / ".env"

    @property
    def environment(self) -> dict[str, str]:
        ours = ("TARGETDATA_", "GRAPHQL_", "DAGSTER_", "DISPLAY", "WAYLAND", "BROWSER")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        places = {"PYTHONPATH": str(self.root), "XDG_DATA_HOME": str(self.folder / "data")}
        return inherited | places | self.settings

    def run(self, *arguments: str, piped: str = "") -> "subprocess.CompletedProcess[str]":
        """Run `targetdata` with something piped into it."""
        return subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=piped,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def at_terminal(self, *arguments: str) -> Terminal:
        """Run `targetdata` at a terminal."""
        return Terminal(
            ["-m", "pipelines.cli", *arguments], cwd=self.folder, env=self.environment | {"TERM": "xterm"}
        )

    def extract(self) -> "subprocess.CompletedProcess[str]":
        """Extract one person, with whatever token is stored."""
        keys = self.folder / "keys.csv"
        person = next(p for p in self.sandbox.people if not p["testProfile"])
        umid = next(i["value"] for i in person["identifiers"] if i["name"] == "umid")
        keys.write_text(f"umid\n{umid}\n")
        query = str(self.root / "pipelines" / "defs" / "profiles" / "profiles.graphql")
        out = self.folder / "out.parquet"
        done = self.run("extract", query, "--keys", str(keys), "--out", str(out))
        assert (done.returncode, pq.read_table(out).num_rows) == (0, 1), done.stderr
        return done


def said(done: "subprocess.CompletedProcess[str]") -> str:
    """Give all that was printed, on one line."""
    return " ".join((done.stdout + done.stderr).split())

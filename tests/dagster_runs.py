"""Runs of the real code location, in processes of their own, as Dagster's command line starts them."""

import os
import shutil
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from resources.lake import Lake
from tests.conftest import ROOT
from tests.forks import Forked
from tests.local import account_environment, dagster_home
from tests.sandbox import Sandbox

BIN = Path(sys.executable).parent
COMMANDS = {
    "dagster": ["-m", "dagster"],
    "targetdata": ["-m", "pipelines.cli"],
    "provocations": ["-m", "tests.provocations"],
    "python": ["-c"],
}
IN_LAKE = 'not group:"warehouse"'  # all assets but the loads, which are tried where they are the matter
SHIPPED = ("pipelines", "resources", "pyproject.toml", "workspace.yaml", "README.md", ".env.example")


def copied_checkout(folder: Path) -> Path:
    """Copy what is run, so that a command may rewrite it."""
    folder.mkdir()
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)
    return folder


def materialization(*partition: str, select: str = IN_LAKE) -> list[str]:
    """Write the arguments of `dagster asset materialize`."""
    option = "--partition" if len(partition) == 1 else "--partition-range"
    chosen = ["--select", select, option, "...".join(partition)]
    return ["asset", "materialize", "-m", "pipelines.definitions", *chosen]


@dataclass
class Location:
    """A code location of a sandbox: its environment, its lake and its Dagster instance, in one folder."""

    sandbox: Sandbox
    folder: Path
    root: Path = ROOT  # the checkout, or a copy of it
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = dagster_home(self.folder)

    @property
    def lake(self) -> Lake:
        return Lake(path=str(self.folder / "lake"))

    @property
    def environment(self) -> dict[str, str]:
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("TARGETDATA_", "GRAPHQL_", "DAGSTER_"))
        }
        return inherited | account_environment(self.sandbox, self.folder) | self.settings

    def run(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command of the installation to its end, on the code in `root`."""
        process = self.start(*arguments)
        try:
            printed, errors = process.communicate(timeout=120)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        assert process.returncode == 0 or not check, printed + errors
        return subprocess.CompletedProcess(process.args, process.returncode, printed, errors)

    def start(self, *arguments: str) -> Forked:
        """Start a command of the installation, on the code in `root`."""
        return Forked(
            [*COMMANDS[arguments[0]], *arguments[1:]],
            cwd=self.root,
            env=self.environment | {"PYTHONPATH": str(self.root), "COLUMNS": "200"},
        )

    def materialize(
        self, *partition: str, select: str = IN_LAKE, check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        """Run `dagster asset materialize` for one partition (a day) or a range (two)."""
        return self.run("dagster", *materialization(*partition, select=select), check=check)

    def instance(self) -> dg.DagsterInstance:
        """Open the instance that the runs wrote to."""
        return dg.DagsterInstance.from_config(str(self.home))

    def everything_stored(self) -> bytes:
        """Give all that Dagster keeps: databases with what is packed in them, events, logs of all runs."""
        files = [path for path in sorted(self.home.rglob("*")) if path.is_file()]
        packed = [blob for path in files if path.suffix == ".db" for blob in unpacked(path)]
        return b"\0".join([*(path.read_bytes() for path in files), *packed])


def unpacked(database: Path) -> Iterator[bytes]:
    """Give what stands in an SQLite file compressed, as Dagster's snapshots of definitions do."""
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                for value in row:
                    with suppress(zlib.error):
                        yield zlib.decompress(value) if isinstance(value, bytes) else b""

"""The loopback server as a process of its own, from its start to its end."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from tests.benchmarks.load import Behaviour

ROOT = Path(__file__).resolve().parent.parent.parent
READY = "listening on "
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Loopback:
    """A server that runs: `url` is its endpoint."""

    url: str

    def counts(self) -> dict[str, float]:
        """Give what was answered since the last reset."""
        return self._figures("GET", "/counts")

    def reset(self) -> None:
        """Set the counts to zero."""
        self._figures("POST", "/reset")

    def _figures(self, method: str, path: str) -> dict[str, float]:
        request = Request(self.url.removesuffix("/graphql") + path, method=method)
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            figures: dict[str, float] = json.load(answer)
            return figures


@contextmanager
def running(behaviour: Behaviour) -> Iterator[Loopback]:
    """Start a server, and end it."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in asdict(behaviour).items()]
    command = [sys.executable, "-m", "tests.benchmarks.server", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert line.startswith(READY), f"the server did not start: {line}"
            yield Loopback(line.removeprefix(READY).strip())
        finally:
            process.terminate()

"""Whole processes that take turns against one server: A B C A B C …, each result compared with the rows."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory

from tests.benchmarks.contestant import Contestant, Usage
from tests.benchmarks.figures import Measured
from tests.benchmarks.load import Behaviour
from tests.benchmarks.loopback import ROOT, Loopback, running

TRIAL_ROWS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run of the benchmarks is told: rows of a list, turns of each contestant, whether to say more."""

    rows: int = 200_000
    repeats: int = 3

    def say(self, text: str) -> None:
        """Tell how far it is."""
        print(text, file=sys.stderr, flush=True)


def try_out(contestants: Sequence[Contestant], options: Options) -> dict[str, Usage]:
    """Run each twice over few rows, and compare all of what it left; give the second, which starts warm."""
    tried = _race(contestants, TRIAL_ROWS, 2, options, whole=True)
    return {measured.name: measured.runs[-1] for measured in tried}


def race(contestants: Sequence[Contestant], options: Options, *, rows: int | None = None) -> list[Measured]:
    """Run each several times in turn over so many rows, by default those of the options."""
    return _race(contestants, rows or options.rows, options.repeats, options, whole=False)


def _race(
    contestants: Sequence[Contestant], rows: int, repeats: int, options: Options, *, whole: bool
) -> list[Measured]:
    measured = [Measured(contestant.name, rows // contestant.fewer) for contestant in contestants]
    with TemporaryDirectory(prefix="benchmark-") as folder, running(Behaviour(rows=rows)) as server:
        for turn in range(repeats):
            for contestant, runs in zip(contestants, measured, strict=True):
                keys = _keys(Path(folder), runs.rows)
                usage = _turn(contestant, server, runs.rows, keys, whole=whole)
                options.say(f"{runs.rows:>9,} rows, turn {turn + 1}: {contestant.name} {usage.seconds:.1f} s")
                runs.runs.append(usage)
    return measured


def _keys(folder: Path, rows: int) -> Path:
    """Write a file of so many keys, once."""
    file = folder / f"keys-{rows}.csv"
    if not file.exists():
        run([sys.executable, "-m", "tests.benchmarks.keys", str(rows), str(file)], cwd=ROOT, check=True)
    return file


def _turn(contestant: Contestant, server: Loopback, rows: int, keys: Path, *, whole: bool) -> Usage:
    """Run one once, in a folder of its own."""
    server.reset()
    with TemporaryDirectory(prefix="benchmark-") as folder:
        usage = contestant.run(server.url, Path(folder), keys, kept=whole)
        contestant.check(Path(folder), rows, whole=whole)
    asked = server.counts()["rows"]
    assert asked == rows, f"{contestant.name} asked for {asked} rows instead of {rows}"
    return usage

"""Ten times as many rows: the same memory, and ten times the time."""

from dataclasses import replace

from tests.benchmarks.contestants.known import OURS
from tests.benchmarks.figures import Ratio, Result
from tests.benchmarks.race import TRIAL_ROWS, Options, race, try_out

FEW, MANY = 1, 10  # times the rows of the other cases
MEGABYTE = 1_000_000


def measure(options: Options) -> Result:
    """Compare peaks, and the time of a row without that of the start, as a run over few rows shows it."""
    start = try_out([OURS], options)[OURS.name].seconds
    once = replace(options, repeats=1)  # the large one has as many rows as many turns
    few, many = (race([OURS], once, rows=options.rows * times)[0] for times in (FEW, MANY))
    a_row = [(m.seconds - start) / (m.rows - TRIAL_ROWS) for m in (few, many)]
    for measured in (few, many):
        measured.name = f"{OURS.name}, {measured.rows:,} rows"
    return Result(
        "Ten times as many rows",
        [few, many],
        [
            Ratio("peak memory, many rows / few", many.memory_bytes / few.memory_bytes, 1.1, at_least=False),
            Ratio("peak memory, many rows", many.memory_bytes / MEGABYTE, 400, at_least=False, unit="MB"),
            Ratio("time of a row, many rows / few", a_row[1] / a_row[0], 1.1, at_least=False),
        ],
    )

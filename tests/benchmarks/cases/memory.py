"""Ten times as many rows: the same memory, and ten times the time."""

from dataclasses import replace

from tests.benchmarks.contestants.known import OURS
from tests.benchmarks.figures import Ratio, Result, after_start
from tests.benchmarks.race import TRIAL_ROWS, Options, race, try_out

FEW, MANY = 1, 10  # times the rows of the other cases
MEGABYTE = 1_000_000


def measure(options: Options) -> Result:
    """Compare peaks, and the time of a row without that of the start, as a run over few rows shows it."""
    trial = try_out([OURS], options)[OURS.name]
    once = replace(options, repeats=1)  # the large one has as many rows as many turns
    few, many = (race([OURS], once, rows=options.rows * times)[0] for times in (FEW, MANY))
    rates = [after_start(measured, trial, TRIAL_ROWS) for measured in (few, many)]
    for measured in (few, many):
        measured.name = f"{OURS.name}, {measured.rows:,} rows"
    result = Result("Ten times as many rows", [few, many])
    result.ratios = [
        Ratio("peak memory, many rows / few", many.memory_bytes / few.memory_bytes, 1.1, at_least=False),
        Ratio("peak memory, many rows", many.memory_bytes / MEGABYTE, 400, at_least=False, unit="MB"),
    ]
    if rates[0] and rates[1]:
        what = "time of a row, many rows / few"
        result.ratios.append(Ratio(what, rates[0] / rates[1], 1.1, at_least=False))
    else:
        result.notes.append("There are too few rows to tell the time of a row from that of the start.")
    return result

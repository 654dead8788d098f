"""Ten times as many rows: the same memory, and ten times the time."""

from dataclasses import replace

from tests.benchmarks.contestants.known import IDENTITY, OURS
from tests.benchmarks.figures import Ratio, Result, after_start
from tests.benchmarks.race import TRIAL_ROWS, Options, race, try_out

FEW, MANY = 1, 10  # times the rows of the other cases
MEGABYTE = 1_000_000


def measure(options: Options) -> Result:
    """Compare peaks, and the time of a row without that of the start, as a run over few rows shows it."""
    trial = try_out([OURS], options)[OURS.name]
    once = replace(options, repeats=1)  # the large one has as many rows as many turns
    (few, few_known), (many, many_known) = (
        race([OURS, IDENTITY], once, rows=options.rows * times) for times in (FEW, MANY)
    )
    rates = [after_start(measured, trial, TRIAL_ROWS) for measured in (few, many)]
    all_runs = [few, many, few_known, many_known]
    for measured in all_runs:
        measured.name += f", {measured.rows:,} rows"
    result = Result("Ten times as many rows", all_runs)
    result.ratios = [
        Ratio("peak memory, many rows / few", many.memory_bytes / few.memory_bytes, 1.1, at_least=False),
        Ratio("peak memory, many rows", many.memory_bytes / MEGABYTE, 400, at_least=False, unit="MB"),
    ]
    result.ratios += [
        Ratio(
            "with an identity, many rows / few",
            many_known.memory_bytes / few_known.memory_bytes,
            1.1,
            at_least=False,
        ),
        Ratio(
            "with an identity, many rows", many_known.memory_bytes / MEGABYTE, 400, at_least=False, unit="MB"
        ),
    ]
    if rates[0] and rates[1]:
        what = "time of a row, many rows / few"
        result.ratios.append(Ratio(what, rates[0] / rates[1], 1.1, at_least=False))
    else:
        result.notes.append("There are too few rows to tell the time of a row from that of the start.")
    return result

"""The list along a cursor, by all, and by offset; the CPU is the limit."""

from tests.benchmarks.contestants.known import (
    DAGSTER,
    DLT_CHILDREN,
    DLT_NESTED,
    FLOOR,
    FLOOR_LISTS,
    FLOOR_THREADS,
    OFFSET,
    OURS,
    OURS_CHILDREN,
    SINGER,
)
from tests.benchmarks.figures import Ratio, Result, after_start, times_as_fast
from tests.benchmarks.race import TRIAL_ROWS, Options, race, try_out

CONTESTANTS = (
    OURS,
    FLOOR,
    FLOOR_THREADS,
    OFFSET,
    DAGSTER,
    SINGER,
    DLT_NESTED,
    OURS_CHILDREN,
    DLT_CHILDREN,
)
MORE = 5  # times the rows, where the start of the process, a second of imports, counts for less
TARGETS = [
    (OURS, FLOOR, 1.0),
    (OURS, DLT_NESTED, 8.0),
    (OURS_CHILDREN, DLT_CHILDREN, 10.0),
    (OURS, FLOOR_THREADS, None),
    (OURS, SINGER, None),
    (OURS, DAGSTER, None),
]


def measure(options: Options) -> Result:
    """Race all of them; of the floor's two ways to decode, the faster one was chosen beforehand."""
    trials = try_out([*CONTESTANTS, FLOOR_LISTS], options)
    result = Result("Pages along a cursor", race(CONTESTANTS, options))
    for ours, other, target in TARGETS:
        value = times_as_fast(result.of(ours.name), result.of(other.name))
        result.ratios.append(Ratio(f"{ours.name} / {other.name}", value, target))
    long = race([OURS, FLOOR], options, rows=MORE * options.rows)
    for measured in long:
        measured.name += f", {measured.rows:,} rows"
    result.measured += long
    result.ratios.append(Ratio(f"{long[0].name} / floor", times_as_fast(*long), 1.0))
    rates = [after_start(result.of(c.name), trials[c.name], TRIAL_ROWS) for c in (OURS, FLOOR)]
    if rates[0] and rates[1]:
        what = f"{OURS.name} / {FLOOR.name}, without the start of the process"
        result.ratios.append(Ratio(what, rates[0] / rates[1]))
    return result

"""Lookups by key: batches of aliases against one lookup a request."""

from tests.benchmarks.contestants.known import LOOKUPS, NAIVE
from tests.benchmarks.figures import Ratio, Result, times_as_fast
from tests.benchmarks.race import Options, race, try_out

TARGET = 15.0


def measure(options: Options) -> Result:
    """Compare rows a second."""
    try_out([LOOKUPS, NAIVE], options)
    result = Result("Lookups by key", race([LOOKUPS, NAIVE], options))
    value = times_as_fast(result.of(LOOKUPS.name), result.of(NAIVE.name))
    result.ratios.append(Ratio(f"{LOOKUPS.name} / {NAIVE.name}", value, TARGET))
    return result

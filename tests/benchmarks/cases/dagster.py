"""What Dagster's part costs: loading the code location, and a run of one small partition."""

from tests.benchmarks.dagster_cost import measure_cost
from tests.benchmarks.figures import Ratio, Result
from tests.benchmarks.race import Options

TURNS = 2  # for each of the others: its processes are short


def measure(options: Options) -> Result:
    """Compare with importing Dagster, and with a run of an empty asset."""
    costs = measure_cost(TURNS * options.repeats)
    ratios = [Ratio(cost.what, cost.value, cost.target, at_least=False, unit=cost.unit) for cost in costs]
    return Result("Dagster", ratios=ratios)

"""One module a case, found by its name: `measure(options)` gives a `Result`, in which ratios have targets."""

import importlib
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.benchmarks.figures import Result
from tests.benchmarks.race import Options


def known() -> list[str]:
    """Name all cases."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def run_apart(name: str, options: Options) -> Result:
    """Run one in a process of its own: what that has in memory counts for those that it starts."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_run, name, options).result()


def _run(name: str, options: Options) -> Result:
    options.say(f"--- {name}")
    result: Result = importlib.import_module(f"{__name__}.{name}").measure(options)
    return result

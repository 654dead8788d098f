"""The benchmarks: `python -m tests.benchmarks --help`, or `make bench`."""

import argparse
import sys
from pathlib import Path

from tests.benchmarks.cases import known, run_apart
from tests.benchmarks.figures import Result
from tests.benchmarks.loopback import ROOT
from tests.benchmarks.race import Options
from tests.benchmarks.report import as_json, markdown, put_into

DOCS = ROOT / "docs" / "benchmarks.md"
DEFAULTS = Options()
OUT = ROOT / "data" / "benchmarks.json"
EPILOG = """
Each case is a module of tests/benchmarks/cases/. Figures are medians of whole processes that take turns;
leave the machine alone meanwhile. A short look at one case:

  python -m tests.benchmarks pages --rows 20000 --repeats 1
"""


def main() -> None:
    """Run cases, print their tables, and write the figures down."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.docs and arguments.cases:
        parser.error("--docs writes the figures of all cases: name none")
    options = Options(rows=arguments.rows, repeats=arguments.repeats)
    results = {}
    for name in arguments.cases or known():
        results[name] = run_apart(name, options)
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(as_json(results), "utf-8")
    print(markdown(results))
    if arguments.docs:
        _write_docs(results)
    if arguments.strict and not all(r.is_reached for result in results.values() for r in result.ratios):
        sys.exit("a target is not reached")


def _write_docs(results: dict[str, Result]) -> None:
    from tests.benchmarks.plot import plot  # matplotlib would count as memory of the processes started

    put_into(DOCS, results)
    shown = [m for name in ("pages", "lookups") if name in results for m in results[name].measured]
    plot(shown, DOCS.with_suffix(".svg"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="The same extraction by targetdata and by others, against a loopback server.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cases", nargs="*", choices=[*known(), []], metavar="CASE", help=", ".join(known()))
    rows, repeats = DEFAULTS.rows, DEFAULTS.repeats
    parser.add_argument("--rows", type=int, default=rows, help=f"of a list; default {rows:,}")
    parser.add_argument("--repeats", type=int, default=repeats, help=f"of each; default {repeats}")
    parser.add_argument("--out", type=Path, default=OUT, help="JSON; default data/benchmarks.json")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md and its plot anew")
    parser.add_argument("--strict", action="store_true", help="fail where a target is not reached")
    return parser


if __name__ == "__main__":
    main()

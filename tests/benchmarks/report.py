"""What the benchmarks found, as tables in Markdown and as JSON."""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.figures import Ratio, Result

PACKAGES = (
    "dagster", "gql", "aiohttp", "pyarrow", "msgspec", "pandas", "dlt", "singer-sdk", "duckdb",
    "adbc-driver-postgresql", "sqlalchemy", "psycopg",
)  # fmt: skip
BEGIN, END = "<!-- measured: make bench DOCS=1 -->", "<!-- end -->"
PLOT = "![Rows a second and memory of each contestant](benchmarks.svg)"
MEGABYTE = 1_000_000


def machine() -> str:
    """Name the processor, how many there are, and the system."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    return f"{os.cpu_count()} × {model or platform.processor() or platform.machine()}, {platform.system()}"


def versions() -> dict[str, str]:
    """Give the versions of Python and of what was compared."""
    return {"Python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def markdown(results: Mapping[str, Result]) -> str:
    """Write a table of runs and one of ratios for each case."""
    return "\n\n".join(_section(result) for result in results.values())


def _section(result: Result) -> str:
    parts = [f"### {result.title}"]
    if result.measured:
        rows = [
            (
                m.name,
                f"{m.rows:,}",
                f"{m.seconds:.1f}",
                f"{m.rate:,.0f}",
                f"{m.cpu_seconds:.1f}",
                f"{m.memory_bytes / MEGABYTE:,.0f}",
            )
            for m in result.measured
        ]
        names = ("", "rows", "seconds", "rows a second", "seconds of CPU", "MB at the peak")
        parts.append(_table(names, rows))
    if result.ratios:
        parts.append(_table(("figure", "measured", "target", "reached"), map(_shown, result.ratios)))
    return "\n\n".join([*parts, *result.notes])


def _shown(ratio: Ratio) -> tuple[str, ...]:
    reached = ("yes" if ratio.is_reached else "no") if ratio.target is not None else ""
    return ratio.what, f"{ratio.value:,.2f} {ratio.unit}".strip(), ratio.shown_target, reached


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---", *(["---:"] * (len(names) - 1))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [names, rule, *rows])


def as_json(results: Mapping[str, Result]) -> str:
    """Write all that was measured."""
    found = {"machine": machine(), "versions": versions()}
    return json.dumps(found | {"cases": {name: asdict(r) for name, r in results.items()}}, indent=1)


def put_into(page: Path, results: Mapping[str, Result]) -> None:
    """Replace what stands between the marks of a page of the docs."""
    before, rest = page.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    using = ", ".join(f"{name} {number}" for name, number in versions().items())
    measured = f"On {machine()}; {using}.\n\n{PLOT}\n\n{markdown(results)}"
    page.write_text(f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}", "utf-8")

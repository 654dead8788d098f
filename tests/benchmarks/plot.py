"""The plot of the docs: rows a second and memory of each contestant."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.benchmarks.figures import Measured

OURS, OTHERS = "#2457a6", "#b9bfc7"
MEGABYTE = 1_000_000


def plot(measured: Sequence[Measured], file: Path) -> None:
    """Draw bars, ours in another colour; the same figures give the same file."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "benchmarks", "font.size": 9}):
        figure = Figure(figsize=(9, 0.6 + 0.32 * len(measured)), layout="constrained")
        speed, memory = figure.subplots(1, 2, sharey=True)
        _bars(speed, measured, [m.rate for m in measured], "rows a second")
        _bars(memory, measured, [m.memory_bytes / MEGABYTE for m in measured], "MB at the peak")
        speed.invert_yaxis()
        figure.savefig(file, format="svg", metadata={"Date": None})


def _bars(axes: Axes, measured: Sequence[Measured], values: Sequence[float], title: str) -> None:
    colours = [OURS if m.name.startswith(("targetdata", "Dagster")) else OTHERS for m in measured]
    bars = axes.barh([m.name for m in measured], values, color=colours)
    axes.bar_label(bars, [f"{value:,.0f}" for value in values], padding=3)
    axes.set_title(title, loc="left", fontsize=10)
    axes.margins(x=0.18)
    axes.xaxis.set_visible(False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)

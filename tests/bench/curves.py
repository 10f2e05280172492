"""Plots over time or number as SVG, readable on light and on dark pages alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

# In the middle between black and white, and a blue and an orange that stand out from both.
GREY, LINE, BOUND = "#767676", "#3b82d6", "#d9772b"
COLUMNS = 2
WIDTH, ROW_HEIGHT = 9.0, 1.9  # inches


@dataclass(frozen=True, slots=True)
class Curve:
    """One figure over what the plot goes along, with the bound that it is to stay under and what it is `beside`."""

    title: str
    at: Sequence[float]
    values: Sequence[float]
    bound: float | None = None
    beside: Sequence[float] = ()


def draw(target: Path, curves: Sequence[Curve], *, until: float | None = None, along: str = "seconds") -> None:
    """Write the curves as one SVG, beside each other, `along` seconds or, by powers of ten, something else.

    A line marks the end of the burst, `until` seconds.
    """
    mpl.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "rungs", "font.size": 9, "text.color": GREY, "axes.labelcolor": GREY}
    )
    rows = -(-len(curves) // COLUMNS)
    figure = Figure(figsize=(WIDTH, ROW_HEIGHT * rows), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, sharex=True).flat
    for axes in grid[len(curves) :]:
        axes.set_axis_off()
    for place, (axes, curve) in enumerate(zip(grid, curves, strict=False)):
        axes.plot(curve.at, curve.values, color=LINE, linewidth=1.2)
        if curve.beside:
            axes.plot(curve.at, curve.beside, color=GREY, linewidth=1.0)
        if curve.bound is not None:
            axes.axhline(curve.bound, color=BOUND, linewidth=1.0, linestyle="--")
        if until is not None:
            axes.axvline(until, color=GREY, linewidth=0.6, linestyle=":")
        if along != "seconds":
            axes.set_xscale("log")
        axes.set_title(curve.title, loc="left", fontsize=9)
        axes.set_ylim(bottom=0)
        axes.patch.set_alpha(0)
        axes.tick_params(colors=GREY)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY)
        if place >= len(curves) - COLUMNS:
            axes.set_xlabel(along)
            axes.tick_params(labelbottom=True)
    figure.savefig(target, transparent=True, metadata={"Date": None})

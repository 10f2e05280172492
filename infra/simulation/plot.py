"""The simulation's figures as an SVG that is read on light and on dark paper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.simulation.disciplines import NAMES
from infra.simulation.figures import Figures, Size
from storage.settings import SettingsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A grey and colours that keep a contrast of at least 3 to white as well as to black.
GREY = "#808080"
COLOURS = {"targets": "#1a8f4c", "fifo": "#d4550f", "round-robin": "#3f7fd0", "whole-video": "#a35fc0"}
WIDE, HIGH = 11.0, 3.6  # inches
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "rungs",  # the same figures give the same file
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), GREY),
}
PART = 0.95
PLAIN = "{x:,g}"  # 1,000, not a power of ten


def plot(results: Mapping[str, Figures], title: str, target: Path) -> None:
    """Draw the figures by discipline into the file. Raises SettingsError if that, or matplotlib, cannot be had."""
    try:
        from matplotlib import rc_context  # noqa: PLC0415 (not among what runs)
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError("--plot needs matplotlib, which is not installed. The tables need none.") from error
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDE, HIGH), layout="constrained")
        waits, stretches, refused = figure.subplots(1, 3, width_ratios=(3, 3, 1.2))
        _waits(waits, results)
        _stretches(stretches, results)
        _refused(refused, results)
        figure.suptitle(title, color=GREY)
        figure.legend(*waits.get_legend_handles_labels(), loc="outside lower center", ncols=len(results), frameon=False)
        try:
            figure.savefig(target, format="svg", transparent=True, metadata={"Date": None})
        except OSError as error:
            raise SettingsError(f"{target} cannot be written: {error}") from error


def _waits(axes: Axes, results: Mapping[str, Figures]) -> None:
    for name, figures in results.items():
        below = figures.playable.below() or [(1.0, 0.0)]
        seconds, shares = zip(*below, strict=True)
        axes.plot(seconds, [100 * share for share in shares], color=COLOURS[name], label=NAMES[name])
    axes.set(xscale="log", xlabel="seconds until the first pictures", ylabel="% of jobs", ylim=(0, 101))
    axes.xaxis.set_major_formatter(PLAIN)


def _stretches(axes: Axes, results: Mapping[str, Figures]) -> None:
    wide = 0.8 / len(results)
    for row, (name, figures) in enumerate(results.items()):
        # Where there are no jobs a bar of one, which is no height.
        values = [figures.stretch[size].quantile(PART) or 1.0 for size in Size]
        places = [place + row * wide for place in range(len(values))]
        axes.bar(places, [value - 1 for value in values], wide, bottom=1.0, color=COLOURS[name])
    axes.set_xticks([place + 0.4 - wide / 2 for place in range(len(Size))], [f"{size} jobs" for size in Size])
    axes.set(yscale="log", ylabel=f"x alone, {PART:.0%} of jobs at most")
    axes.yaxis.set_major_formatter(PLAIN)


def _refused(axes: Axes, results: Mapping[str, Figures]) -> None:
    for row, (name, figures) in enumerate(results.items()):
        axes.bar([row], [100 * figures.refused / max(1, figures.offered)], color=COLOURS[name])
    axes.set_xticks([])
    axes.set(ylabel="% of uploads refused", ylim=(0, 100))

"""The simulation's tables, for a terminal; they are Markdown as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from infra.simulation.disciplines import NAMES
from infra.simulation.figures import Figures, Size, Spread

PARTS = (0.5, 0.95, 0.99)
HEADS = {
    Size.SMALL: "small jobs, x alone",
    Size.MEDIUM: "medium, x alone",
    Size.LARGE: "large, x alone",
}
LEGEND = """\
Three figures: 50, 95 and 99 of 100 jobs have no more. Begins: from acceptance until an encoder takes the first task.
First pictures: until a player could show them. x alone: from acceptance to ready, as a multiple of what the job takes
in this installation if nothing else is there. Small jobs cost up to 100 encoder-seconds (about a minute of 1080p),
medium ones up to 1000. Single: the longest of a job that was its owner's only one. Refused: part of all uploads; of
those who came back when they had been told to, so many were taken then; lost: never taken."""
_UNITS = ((5400.0, 3600.0, "h"), (90.0, 60.0, "min"))


def report(results: Mapping[str, Figures]) -> str:
    """Return the tables of the figures by discipline, and what they mean."""
    waits = [_waits(name, figures) for name, figures in results.items()]
    loads = [_loads(name, figures) for name, figures in results.items()]
    head = ["discipline", "begins", "first pictures", *HEADS.values(), "single"]
    load = ["discipline", "jobs", "refused", "taken on return", "lost", "encoders busy", "control busy", "simulated"]
    return "\n\n".join([table(head, waits), table(load, loads), LEGEND])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose columns are aligned."""
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)


def _waits(name: str, figures: Figures) -> list[str]:
    stretches = [_three(figures.stretch[size], _times) for size in HEADS]
    single = _times(figures.single.greatest) if figures.single.count else "-"
    return [NAMES[name], _three(figures.begun, _short), _three(figures.playable, _short), *stretches, single]


def _loads(name: str, figures: Figures) -> list[str]:
    shares = (
        _percent(figures.refused, figures.offered),
        _percent(figures.kept, figures.returned),
        _percent(figures.lost, figures.offered),
    )
    speed = figures.events / max(figures.took, 1e-9)
    told = f"{figures.events:,} tasks, {speed:,.0f}/s"
    busy = (f"{figures.utilisation:.0%}", f"{figures.control:.0%}")
    return [NAMES[name], f"{figures.ready.count:,}", *shares, *busy, told]


def _three(spread: Spread, words: Callable[[float], str]) -> str:
    values = (spread.quantile(part) for part in PARTS)
    return " / ".join("-" if value is None else words(value) for value in values)


def _short(seconds: float) -> str:
    """Return a length of time in one unit, such as `4.2 s`."""
    for least, unit, name in _UNITS:
        if seconds >= least:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.1f} s"


def _times(stretch: float) -> str:
    return f"{stretch:,.1f}"


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"

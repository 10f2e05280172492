"""What a simulation counts, in memory that does not grow with the number of jobs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from math import log

PRECISION = 1.01  # values are told within 1 %
LEAST = 1e-3  # seconds, or times; what is less counts as that


class Spread:
    """How values above 0 are spread, as counts of logarithmic steps."""

    def __init__(self) -> None:
        self._steps: Counter[int] = Counter()
        self.count = 0
        self.greatest = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._steps[round(log(max(value, LEAST)) / log(PRECISION))] += 1
        self.count += 1
        self.greatest = max(self.greatest, value)

    def below(self) -> list[tuple[float, float]]:
        """Return values, ascending, each with the part of all values (0..1) that does not exceed it."""
        steps = sorted(self._steps)
        seen = accumulate(self._steps[step] for step in steps)
        return [(float(PRECISION**step), count / self.count) for step, count in zip(steps, seen, strict=True)]

    def quantile(self, part: float) -> float | None:
        """Return the value that so much of all values do not exceed, 0..1; None if there are none."""
        reached = (value for value, share in self.below() if share >= part)
        return min(self.greatest, next(reached)) if self.count else None


class Size(StrEnum):
    """How much a job is, by its encoder-seconds."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


SMALL_COST = 100.0  # encoder-seconds: about a minute of 1080p
MEDIUM_COST = 1000.0  # about ten


def size_of(cost: float) -> Size:
    """Return the size of a job of so many encoder-seconds."""
    if cost <= SMALL_COST:
        return Size.SMALL
    return Size.MEDIUM if cost <= MEDIUM_COST else Size.LARGE


def _spreads() -> dict[Size, Spread]:
    return {size: Spread() for size in Size}


@dataclass(slots=True)
class Figures:
    """Times in seconds from acceptance, stretches as multiples of what the job takes alone.

    `begun` until an encoder begins, `playable` until the start is encoded, `ready` until the end. `single` are
    stretches of jobs whose owner had no other one. `offered` uploads came (each once, however often it came back),
    `refused` of them at least once; of the `returned` who came back when they had been told to, `kept` were taken then.
    `lost` never got in. Encoders and control slots were busy for such parts of their time, 0..1.
    """

    begun: Spread = field(default_factory=Spread)
    playable: Spread = field(default_factory=Spread)
    ready: Spread = field(default_factory=Spread)
    stretch: dict[Size, Spread] = field(default_factory=_spreads)
    single: Spread = field(default_factory=Spread)
    offered: int = 0
    refused: int = 0
    returned: int = 0
    kept: int = 0
    lost: int = 0
    accepted: int = 0
    finished: int = 0
    events: int = 0
    took: float = 0.0
    utilisation: float = 0.0
    control: float = 0.0

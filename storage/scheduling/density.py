"""What the bits of an original tell of the cost of its pictures. Pure.

Whoever encoded it first needed more bits for pictures that move or have much detail, and encoding them again takes
longer. How much longer depends on what people bring: an installation learns it from the jobs that it finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import fmean

# Time goes with this power of the bits, before there is anything to learn from: 33 videos of all kinds had 0.18 to
# 0.24, a fifth of the differences between them; cuts of the film and of the dash camera have 0.6 to 0.9.
FIRST_POWER = 0.2
# What was learned counts for as much as that once the squared differences of the logarithms add up to so much: after
# nine jobs that differ by 15 %. Ends promised of drawn loads at 62 % busy (46 %) came true to 76 (83) % by the pace
# alone and to 79 (85) % with this, and hardly to others with half or twice as much (docs/simulation-why.md).
DOUBT = 0.2
MOST_POWER = 1.0  # twice the bits are no more than twice the work
MOST_UNUSUAL = 2.7  # times the usual bits, or a part of them; what lies beyond was said by no job


@dataclass(frozen=True, slots=True)
class BitDensity:
    """Jobs here have `usual` bytes for a nominal second of pictures, None if none is known; time goes by `power`."""

    usual: float | None = None
    power: float = FIRST_POWER

    def slowdown(self, density: float) -> float:
        """Return how many times as long as usual pictures of so many bytes a nominal second take."""
        if self.usual is None or density <= 0:
            return 1.0
        return float(min(MOST_UNUSUAL, max(1 / MOST_UNUSUAL, density / self.usual)) ** self.power)


NOTHING_LEARNED = BitDensity()


def fit_density(densities: Sequence[float], paces: Sequence[float]) -> BitDensity:
    """Return what jobs tell that had so many bytes for a nominal second, above 0, and these paces, above 0.

    The power is that of least squares over logarithms, drawn to FIRST_POWER (ridge regression).
    """
    if not densities:
        return NOTHING_LEARNED
    bits, times = [log(density) for density in densities], [log(pace) for pace in paces]
    usual, pace = fmean(bits), fmean(times)
    together = sum((one - usual) * (time - pace) for one, time in zip(bits, times, strict=True))
    spread = sum((one - usual) ** 2 for one in bits)
    power = (together + DOUBT * FIRST_POWER) / (spread + DOUBT)
    return BitDensity(exp(usual), min(MOST_POWER, max(0.0, power)))

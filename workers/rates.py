"""The output frame rate: constant, one of the standard ones where the source is near one, at most 60. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

STANDARD_RATES = tuple(
    Fraction(*rate)
    for rate in (
        (5, 1), (6, 1), (8, 1), (10, 1), (12, 1), (25, 2), (15, 1), (20, 1),
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1),
    )
)  # fmt: skip
MIN_RATE = Fraction(1)  # slower sources repeat frames: players stall on rates below one frame a second
MAX_RATE = Fraction(60)
SLOWEST = Fraction(1, 100_000)  # one frame a day: a step of years between two lying timestamps is still a rate above 0
SNAP = 0.02  # phones write 29.87 and 15.26 and mean 30 and 15; standard rates far apart enough lie 4 % from each other
STEP_TOLERANCE = 0.35  # containers with whole milliseconds write 24 fps as steps of 41 and 42, 60 fps as 16 and 17
AGREE = 0.002  # a declared rate this close to the measured one is the exact form of it
QUANTILE = 0.25  # a variable source's rate is the one that a quarter of its frames really have


def source_rate(times: Sequence[float], declared: Fraction, *, interlaced: bool) -> Fraction:
    """Return the source's frames per second from its sorted frame times (seconds) and what the container declares.

    Constant sources give their exact average; for variable ones the rate while something moves counts, not the average
    over pauses, as a screen recording would stutter otherwise. Interlaced sources may come as fields, two to a frame:
    then the declared rate counts.
    """
    steps = sorted(after - before for before, after in pairwise(times) if after > before)
    if not steps:
        return declared or Fraction(25)
    typical = steps[int(len(steps) * QUANTILE)]
    near = [step for step in steps if abs(step - typical) <= STEP_TOLERANCE * typical]
    measured = max(Fraction(len(near) / sum(near)).limit_denominator(100_000), SLOWEST)
    if interlaced and declared:
        return declared
    if declared and abs(declared / measured - 1) <= AGREE:
        return declared
    return measured


def output_rate(source: Fraction) -> Fraction:
    """Return the standard rate within SNAP, else the next one above, so that no moving frame is dropped.

    Sources slower than every standard rate keep theirs (to 1/100 frame), but not below MIN_RATE.
    """
    nearest = min(STANDARD_RATES, key=lambda rate: abs(rate - source))
    if abs(nearest / source - 1) <= SNAP:
        return nearest
    if source < STANDARD_RATES[0]:
        return max(MIN_RATE, Fraction(round(source * 100), 100))
    return next((rate for rate in STANDARD_RATES if rate >= source), MAX_RATE)

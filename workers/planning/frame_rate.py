"""The output frame rate: constant, one of the standard ones where the source is near one, at most 60. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from operator import sub

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
# A declared rate this close to the measured one is the exact form of it: 60 and 59.94 lie 0.001 apart. Times that are
# rounded, or few, measure less exactly.
AGREE = 0.0003
MOST_UNSURE = 0.002
EXACT = 0.0005  # 119.88 lies 0.001 from 120
QUANTILE = 0.25  # a variable source's rate is the one that a quarter of its frames really have
# How far steps lie from whole multiples of the typical one, in the mean and as a share of it. Whole milliseconds leave
# 0.03 at 60 a second and 0.06 at 240; times that jitter by 4 ms leave 0.08 at 30.
JITTER = 0.08
PAUSE_STEPS = 3.0  # longer steps are pauses; jitter of less than half a step makes none longer than two
ROUNDS_TO_ONE = 1.5  # steps below it, as nearly all are; there are as many as pictures, and rounding takes time
DOUBLE_TELEVISION = Fraction(60_000, 1001)


def source_rate(times: Sequence[float], declared: Fraction, *, interlaced: bool) -> Fraction:
    """Return the source's frames per second from its sorted frame times (seconds) and what the container declares.

    Constant sources give their exact average, also where their times jitter; for variable ones the rate while something
    moves counts, not the average over pauses, as a screen recording would stutter otherwise. Interlaced sources may
    come as fields, two to a frame: then the declared rate counts.
    """
    steps = sorted(map(sub, times[1:], times))
    steps = steps[bisect_right(steps, 0.0) :]
    if not steps:
        return declared or Fraction(25)
    if interlaced and declared:
        return declared
    step = _step(steps)
    measured = max(Fraction(1 / step).limit_denominator(100_000), SLOWEST)
    if declared and abs(declared / measured - 1) <= min(MOST_UNSURE, AGREE + _unsure(steps, step)):
        return declared
    return measured


def _unsure(steps: Sequence[float], step: float) -> float:
    """Return how far the measured rate may be off as a share of it, by how much the steps differ from it."""
    moving = _moving(steps, step)
    return 2 * max(abs(moving[0] - step), abs(moving[-1] - step)) / sum(moving) if moving else MOST_UNSURE


def _step(steps: Sequence[float]) -> float:
    """Return the step of sorted ones at which pictures come while something moves, in seconds."""
    typical = steps[int(len(steps) * QUANTILE)]
    least, most = typical * (1 - STEP_TOLERANCE), typical * (1 + STEP_TOLERANCE)
    near = steps[bisect_left(steps, least) : bisect_right(steps, most)]
    measured = sum(near) / len(near)
    if _off_grid(steps, measured) <= JITTER:
        return measured
    # Steps on no grid jitter: then only their average tells the rate.
    middle = steps[len(steps) // 2]
    moving = _moving(steps, middle)
    return sum(moving) / len(moving)


def _off_grid(steps: Sequence[float], unit: float) -> float:
    """Return how far sorted steps lie from whole multiples of the unit in the mean, as a share of it."""
    moving = _moving(steps, unit)
    single = bisect_left(moving, ROUNDS_TO_ONE * unit)
    off = sum([abs(step - unit) for step in moving[:single]])
    off += sum([abs(step - unit * round(step / unit)) for step in moving[single:]])
    return off / unit / len(moving) if moving else 0.0


def _moving(steps: Sequence[float], typical: float) -> Sequence[float]:
    """Return those of sorted steps that are no pauses beside a typical one."""
    return steps[: bisect_right(steps, PAUSE_STEPS * typical)]


def output_rate(source: Fraction) -> Fraction:
    """Return the standard rate within SNAP, else the next one above, so that no moving frame is dropped.

    Sources slower than every standard rate keep theirs (to 1/100 frame), but not below MIN_RATE. Multiples of 59.94
    end as 59.94, whose pictures are each the second or fourth of theirs.
    """
    nearest = min(STANDARD_RATES, key=lambda rate: abs(rate - source))
    if abs(nearest / source - 1) <= SNAP:
        return nearest
    if source < STANDARD_RATES[0]:
        return max(MIN_RATE, Fraction(round(source * 100), 100))
    if any(abs(source / (DOUBLE_TELEVISION * times) - 1) <= EXACT for times in (2, 4)):
        return DOUBLE_TELEVISION
    return next((rate for rate in STANDARD_RATES if rate >= source), MAX_RATE)

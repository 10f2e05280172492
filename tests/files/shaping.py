"""Whether a rung has the shape, the size and the rate that the source asks for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.files.decoding import Times
from tests.files.recording import Recording
from tests.files.results import View

SHAPE_SHARE = 0.02
PIXEL = 1.0  # sizes are whole and even
MIN_SIDE = 16
BOX = (1920, 1080)  # the largest rung
NEAR = 0.85  # of what the source has: a ladder's top may be the standard size next below
MOST_ASPECT = 10.0  # pixels of such a shape are a broken header
LASTS_SECONDS, LASTS_SHARE = 1.0, 0.1  # a shape that is on for so long, or for such a share, counts
RATE_SHARE = 0.25  # what snapping to a standard rate moves at most
GRID_SHARE, NEARLY_ALL, SOME = 0.15, 0.9, 0.1  # of a step; of all steps
MOST_RATE, LEAST_RATE = 60.0, 1.0


def lasting(recorded: Recording) -> list[tuple[float, float]]:
    """Return width and height, in square pixels, of each shape of the source that lasts; the longest first."""
    sizes, shapes = recorded.pictures.sizes, recorded.pictures.shapes
    shown = np.diff(np.append(recorded.shown, recorded.shortest)).clip(0)
    found = dict[tuple[float, float], float]()
    for (_, height), shape, seconds in zip(sizes, shapes, shown, strict=True):
        size = (float(height * shape), float(height))
        found[size] = found.get(size, 0.0) + float(seconds)
    enough = min(LASTS_SECONDS, LASTS_SHARE * recorded.shortest)
    order = sorted(found, key=lambda size: -found[size])
    return [size for size in order if found[size] >= enough] or order[:1]


def shape_faults(recorded: Recording, view: View, *, top: bool) -> Iterator[str]:
    """Yield what is wrong with a view's shape and size; `top` is the ladder's largest."""
    width, height = (float(side) for side in view.pictures.sizes[0])
    shape = float(view.pictures.shapes[0])
    sizes = lasting(recorded)
    if not any(_alike(height, shape, one) for one in sizes):
        wanted = " or ".join(f"{one[0]:.0f}x{one[1]:.0f}" for one in sizes[:3])
        yield f"{height * shape:.0f}x{height:.0f} for {wanted}"
    if min(width, height) < MIN_SIDE:
        yield f"a side under {MIN_SIDE}: {width:.0f}x{height:.0f}"
    largest = max(sizes, key=lambda size: size[0] * size[1])
    fit = min(1.0, max(BOX) / max(largest), min(BOX) / min(largest))
    share = max(width, height) / (max(largest) * fit)
    # Pixels that are not square may become square by growing or by shrinking.
    unsquare = max(float(np.max(recorded.pictures.sizes)) / max(largest), 1.0)
    if top and not NEAR / unsquare <= share <= unsquare + 2 / max(largest) + SHAPE_SHARE:
        yield f"top rung {width:.0f}x{height:.0f} of {largest[0]:.0f}x{largest[1]:.0f}"


def _alike(height: float, shape: float, size: tuple[float, float]) -> bool:
    wanted = size[0] / size[1]
    if not 1 / MOST_ASPECT <= wanted <= MOST_ASPECT and not 1 / MOST_ASPECT <= shape <= MOST_ASPECT:
        return True
    one_pixel = abs(height * shape - height * wanted) <= PIXEL or abs(height * shape / wanted - height) <= PIXEL
    return abs(shape / wanted - 1) <= SHAPE_SHARE or one_pixel


def rate_fault(recorded: Recording, view: View) -> str | None:
    """Return what is wrong with the rate: it is to be near the source's average, or what its usual step says.

    A source that leaves pictures out of a steady rate may have that one.
    """
    times = recorded.shown
    steps = np.diff(times)
    steps = steps[(steps > 0) & (steps < 2)]
    if len(steps) < 10:
        return None
    if _on_grid(steps, view.rate):
        return None
    rates = sorted(min(MOST_RATE, max(LEAST_RATE, 1 / value)) for value in (steps.mean(), np.median(steps)))
    if rates[0] * (1 - RATE_SHARE) <= view.rate <= rates[1] * (1 + RATE_SHARE):
        return None
    return f"{view.rate:.2f} pictures a second for {rates[0]:.2f} to {rates[1]:.2f}"


def _on_grid(steps: Times, rate: float) -> bool:
    """Tell whether nearly all steps are whole numbers of the rate's, and some are one."""
    counts = steps * rate
    whole = np.abs(counts - np.round(counts)) < GRID_SHARE
    single = np.abs(counts - 1) < GRID_SHARE
    return bool(whole.mean() > NEARLY_ALL and single.mean() > SOME and counts.min() > 1 - GRID_SHARE)

"""Clocks that jump: gaps are closed, stray pictures left out, and steady clocks left alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.clock import GAP_SECONDS, pieces_of, straightened
from workers.packets import PacketTimes

DAY = 24 * 3600.0


def run(start: float, frames: int, step: float = 0.04) -> list[float]:
    """Return the times of so many pictures."""
    return [start + step * number for number in range(frames)]


@pytest.mark.parametrize(
    "times",
    [
        [],
        [1.0],
        run(70_000, 100),
        [*run(0, 100), *run(40, 100)],  # a pause of 36 s
        run(0, 30, step=300.0),  # a slide every five minutes
    ],
)
def test_a_steady_clock_has_no_pieces(times: list[float]) -> None:
    """Whatever a player would show as it is stays as it is."""
    assert pieces_of(times) == ()


def test_a_gap_of_a_day_is_closed() -> None:
    """Two recordings a day apart are as long as both together, one step between them."""
    times = (*run(10, 100), *run(10 + DAY, 50))
    pieces = pieces_of(times)
    moved = straightened(PacketTimes(times, 0.04, ()), pieces).times
    assert len(moved) == 150
    assert moved == pytest.approx(run(10, 150), abs=1e-6)


def test_stray_pictures_are_left_out() -> None:
    """A first picture that claims to be an hour later does not make the clip an hour long."""
    times = (*run(100, 50), 3700.0)
    (piece,) = pieces_of(times)
    assert (piece.shift, straightened(PacketTimes(times, 0.04, ()), (piece,)).times) == (0.0, tuple(run(100, 50)))


@given(st.lists(st.tuples(st.floats(0.01, 10 * DAY), st.integers(1, 40)), min_size=1, max_size=8))
def test_no_gap_is_left_and_time_only_grows(runs: list[tuple[float, int]]) -> None:
    """After straightening no pause is longer than the limit, and pictures keep their order."""
    times: list[float] = []
    for gap, frames in runs:
        times += run((times[-1] if times else 0.0) + gap, frames)
    pieces = pieces_of(times)
    if not pieces:
        return
    moved = straightened(PacketTimes(tuple(times), 0.04, ()), pieces).times
    assert list(moved) == sorted(moved)
    steps = [after - before for before, after in pairwise(moved)]
    assert max(steps, default=0.0) <= max(GAP_SECONDS, 20 * sorted(steps or [0.0])[len(steps) // 2]) + 1e-6

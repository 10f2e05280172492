"""What simulated videos cost: the planner's own cutting and the cost model, nothing of its own."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from infra.simulation.videos import (
    GRID,
    TaskShape,
    Videos,
    in_one_piece,
    length_at,
    package_seconds,
    shape_of,
    step_of,
    step_of_cost,
)
from storage.scheduling.costs import START_SECONDS
from storage.scheduling.forecast import PLAN_SECONDS
from workers.planning.ladder import ladder
from workers.planning.segments import Timeline, cut

LENGTHS = some.floats(1, 3 * 3600)


def test_a_video_is_cut_as_the_planner_cuts_it() -> None:
    """An hour for four slots has sound, poster and as many segments as `cut` makes, each at the model's price."""
    rate, keyframes = Fraction(25), [2.5 * number for number in range(1441)]
    segments = cut(Timeline(90_000, 0, rate, 4, ladder(1920, 1080, rate), 0.0, keyframes))
    shape = shape_of(3600, 4)
    assert (shape.starts, len(shape.tasks)) == (3, len(segments) + 2)
    per_frame = (shape.tasks[0] - START_SECONDS) / segments[0].frames
    assert shape.tasks[-1] == pytest.approx(START_SECONDS + per_frame * segments[-1].frames)


@given(LENGTHS, some.integers(1, 200))
def test_cutting_costs_a_start_of_ffmpeg_for_each_further_segment(seconds: float, slots: int) -> None:
    """All tasks together cost what one piece does, and the starts of the segments but the first."""
    shape = shape_of(seconds, slots)
    further = len(shape.tasks) - shape.starts
    assert shape.cost == pytest.approx(shape.whole + START_SECONDS * further)
    assert in_one_piece(shape).cost == shape.whole


@given(LENGTHS)
def test_the_grid_is_near_every_length(seconds: float) -> None:
    """A length on the grid differs from the real one by half a step at most, and keeps its place there."""
    near = length_at(step_of(seconds))
    assert GRID**-0.5 * 0.999 <= near / seconds <= GRID**0.5 * 1.001
    assert step_of(near) == step_of(seconds)


def test_a_cost_has_the_length_of_a_video_that_costs_as_much() -> None:
    """Cost and length lead to each other, but for what starts of ffmpeg and the sound add."""
    videos = Videos(10)
    step = step_of_cost(600.0)
    assert videos.shape(step).cost == pytest.approx(600.0, rel=0.2)
    assert step_of_cost(1e12) == step_of(24 * 3600)
    assert step_of_cost(0.01) == 0


@pytest.mark.parametrize(("slots", "seconds"), [(1, 10.0), (2, 6.0), (3, 4.0), (100, 4.0)])
def test_tasks_alone_take_the_next_free_slot(slots: int, seconds: float) -> None:
    """Tasks of 4, 3, 1 and 2 s: in two slots 4 + 2 beside 3 + 1."""
    assert TaskShape((4.0, 3.0, 1.0, 2.0), 1, 10.0).encoded_alone(slots) == seconds


def test_alone_counts_planning_and_packaging() -> None:
    """What a job takes alone is planning, its tasks and packaging; twice the work, twice the time in the middle."""
    videos = Videos(4)
    step = step_of(60)
    shape = videos.shape(step)
    encoded = shape.encoded_alone(4)
    assert videos.alone(step) == PLAN_SECONDS + encoded + package_seconds(shape.cost, 4)
    assert videos.alone(step, 2.0) == PLAN_SECONDS + 2 * encoded + package_seconds(2 * shape.cost, 4)

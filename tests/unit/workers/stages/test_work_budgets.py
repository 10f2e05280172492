"""How much processor time tasks are given."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.media_errors import TooCostlyError
from storage.model.plan import Segment
from storage.scheduling.costs import Calibration, encoding_cost, nominal_cost
from storage.settings import Settings
from tests.support.jobs import make_plan
from workers.stages.work_budgets import (
    DECODED_BYTES_PER_SECOND,
    FLOOR_SECONDS,
    MOST_PACE,
    MULTIPLE,
    PLAN_CEILING_SECONDS,
    PLAN_FLOOR_SECONDS,
    PRESET_COST,
    UNMEASURED,
    audio_budget,
    check_affordable,
    look_budget,
    package_budget,
    planning_budget,
    poster_budget,
    segment_budget,
    speed,
)

PLAN = make_plan(segments=4)
FRAMES = PLAN.frames // 4
SEGMENT = Segment(2, 2 * FRAMES, FRAMES, threads=1, seek=PLAN.video.start_time + float(2 * FRAMES / PLAN.rate) - 1)
SIZES = st.integers(1, 64 * 1024**3)


def test_every_preset_has_a_cost() -> None:
    """Of all that the settings take, none less than what the figures were measured with."""
    presets = Settings.model_fields["encode_preset"].annotation
    assert set(PRESET_COST) == set(getattr(presets, "__args__", ()))
    assert min(PRESET_COST.values()) == PRESET_COST["veryfast"] == 1.0


def test_a_slow_machine_has_larger_budgets_and_a_fast_one_no_smaller_ones() -> None:
    """Nor do those who bring costly videos raise them without end; before any job was finished all are larger."""
    paces = (0.1, 1.0, 3.0, 1000.0)
    assert [speed(Calibration(pace=pace, per_job=1.0), "veryfast") for pace in paces] == [1.0, 1.0, 3.0, MOST_PACE]
    assert speed(Calibration(), "veryfast") == UNMEASURED
    assert speed(Calibration(pace=1.0, per_job=1.0), "medium") == PRESET_COST["medium"]


def test_a_segment_may_take_many_times_what_it_costs() -> None:
    """All segments together at least MULTIPLE times the plan's cost, besides what each may take at least."""
    four = [segment_budget(PLAN, replace(SEGMENT, index=index), 1, 1.0) - FLOOR_SECONDS for index in range(4)]
    assert sum(four) > MULTIPLE * (nominal_cost(PLAN) - 2.5)
    assert sum(four) < 2 * MULTIPLE * nominal_cost(PLAN)


def test_a_small_picture_gets_little_more_than_the_floor() -> None:
    """However many megapixels hide behind it: 64 x 64, two seconds, 421 kB."""
    video = replace(PLAN.video, width=64, height=64, pictures=60)
    tiny = replace(PLAN, video=video, frames=60, segment_count=1, rungs=(replace(PLAN.rungs[-1], width=64, height=64),))
    for given_seconds in (
        segment_budget(tiny, Segment(0, 0, 60, threads=2), 421_000, 1.0),
        poster_budget(tiny, 421_000, 1.0),
        audio_budget(tiny, 421_000, 1.0),
        look_budget(tiny, Segment(0, 0, 60, threads=2), 421_000, 1.0),
    ):
        assert FLOOR_SECONDS < given_seconds < 2 * FLOOR_SECONDS


def test_pictures_between_those_that_are_shown_are_decoded_as_well() -> None:
    """A film of 240 pictures a second becomes one of 60; and a keyframe far ahead means decoding from there."""
    slow_motion = replace(PLAN, video=replace(PLAN.video, pictures=8 * PLAN.frames))
    assert segment_budget(slow_motion, SEGMENT, 1, 1.0) > segment_budget(PLAN, SEGMENT, 1, 1.0)
    assert segment_budget(PLAN, replace(SEGMENT, seek=None), 1, 1.0) >= segment_budget(PLAN, SEGMENT, 1, 1.0)


def test_bytes_buy_the_time_of_slow_decoders() -> None:
    """JPEG 2000 takes a second for some megabytes, of a whole file as of its parts."""
    light, heavy = (segment_budget(PLAN, replace(SEGMENT, seek=None), size, 1.0) for size in (1, 10**9))
    assert heavy - light >= 0.9 * 10**9 / DECODED_BYTES_PER_SECOND


def test_planning_goes_by_bytes_up_to_a_ceiling() -> None:
    """There is nothing else to go by."""
    assert planning_budget(1_300_000) == pytest.approx(PLAN_FLOOR_SECONDS, rel=0.01)
    assert planning_budget(64 * 1024**3) == PLAN_CEILING_SECONDS


def test_a_plan_of_too_many_hours_is_refused() -> None:
    """With both figures; twelve hours of 1080p at 60 frames a second are taken by default."""
    day = replace(PLAN, frames=12 * 3600 * 60, rate_num=60, rate_den=1)
    check_affordable(day, Settings.model_fields["max_job_hours"].default)
    with pytest.raises(TooCostlyError) as refusal:
        check_affordable(day, 10)
    assert refusal.value.values["limit"] == 10
    assert 30 < refusal.value.values["hours"] < 50


@given(size=SIZES, more=SIZES, pace=st.floats(1.0, 10.0), frames=st.integers(1, 10**6), pictures=st.integers(0, 10**7))
def test_budgets_grow_with_all_that_work_grows_with(
    size: int, more: int, pace: float, frames: int, pictures: int
) -> None:
    """And none is below the floor; a slower machine has a larger one."""
    plan = replace(PLAN, frames=frames, video=replace(PLAN.video, pictures=pictures))
    whole = Segment(0, 0, frames, threads=1)

    def budgets(size: int, speed: float) -> tuple[float, ...]:
        return (
            segment_budget(plan, whole, size, speed),
            look_budget(plan, whole, size, speed),
            audio_budget(plan, size, speed),
            poster_budget(plan, size, speed),
            package_budget(plan, speed),
            planning_budget(size),
        )

    low, high = budgets(size, pace), budgets(size + more, pace + 1.0)
    assert all(FLOOR_SECONDS <= before <= after for before, after in zip(low, high, strict=True))
    assert segment_budget(plan, whole, size, pace) > MULTIPLE * pace * encoding_cost(plan) * frames

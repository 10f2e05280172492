"""Costs are arithmetic on plans, bytes, and what was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.job import JobState
from storage.scheduling.costs import (
    CALIBRATED_BY,
    DOUBT_OF_PACE,
    MOST_SECONDS_PER_BYTE,
    ONCE_SECONDS,
    Calibration,
    FinishedJob,
    Work,
    calibrate,
    cost_of_bytes,
    nominal_cost,
    whole_cost,
)
from tests.support.jobs import make_plan

SLOW = Calibration(pace=3.0, per_byte=1e-6, per_job=60.0)
HALF_DONE = Work("a", "local", JobState.ENCODING, 1000, 100.0, 10, 1000, frames_done=500, frames_finished=400)


def cost_left(work: Work, known: Calibration) -> float:
    """Return what is to be estimated of what is left."""
    return whole_cost(work, known) * work.left


def took(measured: float, *, nominal: float = 10.0, size: int = 1_000_000) -> FinishedJob:
    """Return a finished job."""
    return FinishedJob(nominal, measured, size, queued_at=0.0, ready_at=1.0)


def test_a_plan_costs_by_its_pictures_and_segments() -> None:
    """Twice of both cost twice as much, but for what every job costs once; a smaller ladder costs less."""
    plan, longer = make_plan(segments=2), make_plan(segments=4)
    assert nominal_cost(longer) - ONCE_SECONDS == pytest.approx(2 * (nominal_cost(plan) - ONCE_SECONDS))
    assert nominal_cost(replace(plan, segment_count=4)) == pytest.approx(nominal_cost(plan) + 1.0)
    assert nominal_cost(replace(plan, rungs=plan.rungs[1:])) < nominal_cost(plan)


def test_the_film_clip_costs_what_was_measured() -> None:
    """A second of 1080p30 with its ladder takes between one and three encoder-seconds."""
    plan = make_plan(segments=1, frames=30)
    assert 1.0 < nominal_cost(plan) - ONCE_SECONDS < 3.0


def test_hdr_costs_its_tone_mapping() -> None:
    """Nearly as much again as encoding the picture."""
    plan = make_plan(segments=1, frames=300)
    hdr = replace(plan, video=replace(plan.video, colour=replace(plan.video.colour, transfer="smpte2084")))
    assert nominal_cost(hdr) == pytest.approx(nominal_cost(plan) + 300 * 0.043, rel=0.01)


def test_without_a_finished_job_the_stated_figures_hold() -> None:
    """Neither does a job that says nothing change them."""
    assert calibrate(()) == Calibration()
    assert calibrate((took(0.0), took(1.0, nominal=0.0), took(1.0, size=0))) == Calibration()


def test_one_odd_job_does_not_change_the_pace() -> None:
    """The median of the newest jobs counts."""
    known = calibrate((took(20.0), took(22.0), took(900.0), *(took(18.0) for _ in range(2))))
    assert (known.pace, known.per_byte) == pytest.approx((2.0, 2e-5))
    old = tuple(took(1000.0) for _ in range(99))
    assert calibrate((*(took(20.0) for _ in range(CALIBRATED_BY)), *old)).pace == 2.0


def test_jobs_under_way_tell_before_they_are_finished() -> None:
    """A plan tells what a byte costs; what is done of it, at which pace; a start alone tells no pace."""
    half_done = replace(HALF_DONE, size=10_000_000)
    planned = replace(half_done, frames_done=0, frames_finished=0)
    assert calibrate((), (planned,)) == Calibration(pace=1.0, per_byte=1e-5, doubt=DOUBT_OF_PACE)
    done = ONCE_SECONDS + 0.4 * (100.0 - ONCE_SECONDS)
    known = calibrate((), (replace(half_done, measured=3.0 * done),))
    assert (known.pace, known.per_byte, known.doubt) == pytest.approx((3.0, 3e-5, 1.0))
    assert calibrate((), (replace(HALF_DONE, frames_finished=10, measured=50.0),)).pace == 1.0
    unplanned = Work("b", "local", JobState.QUEUED, 1000)
    assert calibrate((took(20.0),), (unplanned,)) == calibrate((took(20.0),))


def test_small_files_of_many_hours_do_not_make_bytes_dear() -> None:
    """A megabyte that is twelve hours counts for nothing beside jobs that were finished, and never without bound."""
    twelve_hours = Work("a", "x", JobState.ENCODING, 1_300_000, 60_000.0, 900, 1_000_000)
    done = tuple(took(15.0, size=10_000_000) for _ in range(CALIBRATED_BY))
    assert calibrate(done, (twelve_hours,) * 50).per_byte == calibrate(done).per_byte
    assert calibrate((), (twelve_hours,) * 50).per_byte == MOST_SECONDS_PER_BYTE


def test_an_unplanned_job_costs_by_its_bytes() -> None:
    """With the installation's own figure for a byte."""
    assert cost_of_bytes(10_000_000, SLOW) == pytest.approx(10.0 + 1.5)
    assert whole_cost(Work("a", "local", JobState.QUEUED, 10_000_000), SLOW) == cost_of_bytes(10_000_000, SLOW)


def test_a_running_job_believes_itself_more_and_more() -> None:
    """Before it has done anything it goes by the others, at its end by what it took."""
    assert whole_cost(replace(HALF_DONE, frames_finished=0), SLOW) == pytest.approx(300.0)
    fast = replace(HALF_DONE, measured=40.0)
    assert 100.0 < whole_cost(fast, SLOW) < 200.0
    long = replace(fast, nominal=1e6, measured=4e5)
    assert whole_cost(long, SLOW) == pytest.approx(1e6, rel=1e-3)


def test_a_job_of_more_bits_is_expected_to_take_longer() -> None:
    """Beside jobs of the same plan that had fewer; before there are any, and of its own pace, nothing changes."""
    known = calibrate(tuple(took(20.0 + number, size=100_000 + 10_000 * number) for number in range(10)))
    planned = Work("a", "local", JobState.ENCODING, 300_000, 10.0, 1, 100)
    usual = whole_cost(replace(planned, size=145_000), known)
    assert usual == pytest.approx(known.pace * 10.0, rel=0.01)
    assert 1.15 * usual < whole_cost(planned, known) < 2.1 * usual


@given(
    done=st.integers(0, 1000),
    finished=st.floats(0, 1),
    measured=st.floats(0, 1e6),
    nominal=st.none() | st.floats(0, 1e6),
    state=st.sampled_from([state for state in JobState if not state.finished]),
)
def test_what_is_left_is_never_negative_nor_more_than_all(
    done: int, finished: float, measured: float, nominal: float | None, state: JobState
) -> None:
    """Whatever a record says."""
    work = Work("a", "x", state, 5, nominal, 3, 1000, done, round(done * finished), measured)
    assert 0.0 <= cost_left(work, SLOW) <= whole_cost(work, SLOW)


def test_packaging_costs_encoders_nothing() -> None:
    """Damaged files have fewer frames than planned, and are over all the same."""
    assert cost_left(replace(HALF_DONE, state=JobState.PACKAGING), SLOW) == 0.0

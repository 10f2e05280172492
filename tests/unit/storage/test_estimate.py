"""Progress and estimates are arithmetic on records, and say nothing where nothing is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.estimate import ENCODED, PLANNED, eta_seconds, progress
from storage.jobs import Job, JobState
from tests.support.jobs import make_job, make_plan

NOW = 1_790_001_000.0


def encoding(frames_done: int = 0, *, seconds: float = 10.0) -> Job:
    """Return a job of 200 frames that has been encoding for so many seconds."""
    return make_job(
        state=JobState.ENCODING, plan=make_plan(), frames_done=frames_done, encoding_at=NOW - seconds, started_at=NOW
    )


@given(st.integers(min_value=0, max_value=200))
def test_progress_lies_within_the_encoding_share(frames: int) -> None:
    """While encoding, progress runs from the planned to the encoded share."""
    assert PLANNED <= progress(encoding(frames)) <= ENCODED


def test_progress_only_grows_along_the_states() -> None:
    """Each state that follows stands at least as high as the one before."""
    steps = [
        make_job(),
        make_job(state=JobState.PLANNING),
        encoding(0),
        encoding(100),
        encoding(200),
        replace(encoding(200), state=JobState.PACKAGING),
        replace(encoding(200), state=JobState.READY),
    ]
    values = [progress(job) for job in steps]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (0.0, 1.0)


def test_a_cancelled_job_keeps_its_progress() -> None:
    """A cancelled job shows how far it came."""
    assert progress(replace(encoding(100), state=JobState.CANCELLED)) == progress(encoding(100))


def test_a_running_job_is_estimated_by_its_own_speed() -> None:
    """Half of the frames in ten seconds leave about ten more, and a little for packaging."""
    eta = eta_seconds(encoding(100), ahead=(), rates=(), now=NOW)
    assert eta is not None
    assert 10.0 < eta < 11.0


def test_a_speed_measured_over_an_instant_is_not_believed() -> None:
    """In its first seconds a job goes by what recent jobs took."""
    young = encoding(1, seconds=0.5)
    assert eta_seconds(young, ahead=(), rates=(), now=NOW) is None
    assert eta_seconds(young, ahead=(), rates=(2.0,), now=NOW) == pytest.approx(make_plan().duration * 2)


def test_a_waiting_job_counts_those_ahead_and_how_many_run_side_by_side() -> None:
    """Two jobs ahead that run together delay it by half of what is left of both."""
    ahead = (encoding(100), encoding(100))
    eta = eta_seconds(encoding(0), ahead=ahead, rates=(1.0,), now=NOW)
    assert eta == pytest.approx(10.0 + make_plan().duration)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.PLANNING])
def test_unknown_lengths_give_no_estimate(state: JobState) -> None:
    """Neither an unplanned job nor one behind an unplanned job has an estimate."""
    unplanned = make_job(state=state)
    assert eta_seconds(unplanned, ahead=(), rates=(1.0,), now=NOW) is None
    assert eta_seconds(encoding(0), ahead=(unplanned,), rates=(1.0,), now=NOW) is None


@pytest.mark.parametrize("state", [JobState.PACKAGING, JobState.READY, JobState.FAILED, JobState.CANCELLED])
def test_nothing_is_estimated_once_encoding_is_over(state: JobState) -> None:
    """Jobs past encoding have no estimate."""
    assert eta_seconds(replace(encoding(200), state=state), ahead=(), rates=(1.0,), now=NOW) is None

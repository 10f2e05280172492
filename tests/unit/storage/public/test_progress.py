"""Progress is arithmetic on records."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from storage.model.job import Job, JobState
from storage.public.progress import ENCODED, PLANNED, progress
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

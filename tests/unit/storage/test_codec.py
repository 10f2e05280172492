"""Plans and jobs survive the way to text and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.codec import (
    checked_cursor,
    cursor_of,
    decode_job,
    decode_plan,
    encode_job,
    encode_plan,
    fields_of_job,
    job_of_fields,
    wanted_frames,
)
from storage.errors import InvalidRequestError
from storage.jobs import Job, JobError, JobState, Output
from storage.plan import Plan
from tests.support.jobs import make_job, make_plan

TIMES = st.none() | st.floats(min_value=0, max_value=4e9)
TEXT = st.text(max_size=40)
JOBS = st.builds(
    Job,
    id=st.text("0123456789abcdef", min_size=32, max_size=32),
    owner=TEXT,
    title=TEXT,
    filename=TEXT,
    size=st.integers(0, 2**60),
    created_at=st.floats(min_value=0, max_value=4e9),
    webhook_url=st.none() | TEXT,
    state=st.sampled_from(JobState),
    started_at=TIMES,
    encoding_at=TIMES,
    finished_at=TIMES,
    plan=st.none() | st.builds(make_plan, segments=st.integers(1, 4), audio=st.booleans()),
    frames_done=st.integers(0, 2**40),
    has_poster=st.booleans(),
    outputs=st.lists(st.builds(Output, TEXT, st.integers(0, 2**50)), max_size=3).map(tuple),
    warnings=st.lists(TEXT, max_size=3).map(tuple),
    error=st.none() | st.builds(JobError, TEXT, TEXT, TEXT),
)


@given(JOBS)
def test_jobs_survive(job: Job) -> None:
    """As one text and as a record's fields, every job comes back equal."""
    assert decode_job(encode_job(job)) == job
    assert job_of_fields(fields_of_job(job)) == job


@given(st.builds(make_plan, segments=st.integers(1, 50), frames=st.integers(1, 500), audio=st.booleans()))
def test_plans_survive(plan: Plan) -> None:
    """A plan comes back equal, and its tasks make all its frames."""
    assert decode_plan(encode_plan(plan)) == plan
    assert sum(wanted_frames(plan, "job").values()) == plan.frames


@given(JOBS, JOBS)
def test_cursors_sort_like_creation(one: Job, other: Job) -> None:
    """The text of cursors has the order of creation (to the microsecond), and is a cursor itself."""
    earlier, later = sorted((one, other), key=lambda job: (round(job.created_at * 1e6), job.id))
    assert cursor_of(earlier) <= cursor_of(later)
    assert checked_cursor(cursor_of(one)) == cursor_of(one)


def test_a_cursor_cannot_be_made_up() -> None:
    """Bounds of Redis' own syntax are refused."""
    with pytest.raises(InvalidRequestError):
        checked_cursor("+")


def test_a_broken_record_is_not_taken_for_a_job() -> None:
    """A field of the wrong kind raises instead of travelling on."""
    fields = fields_of_job(replace(make_job(), frames_done=1)) | {"frames_done": '"many"'}
    with pytest.raises(ValueError, match="frames_done"):
        job_of_fields(fields)

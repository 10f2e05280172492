"""Plans, segments and jobs survive the way to text and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InvalidRequestError
from storage.job_store.codec import (
    checked_cursor,
    cursor_of,
    decode_segment,
    encode_segment,
    fields_of_job,
    fields_of_wanted,
    job_of_fields,
)
from storage.model.damage import Damage, DamageKind
from storage.model.job import FailedAttempt, Job, JobError, JobState, Output, Priority, Promise
from storage.model.job_fields import FIELDS
from storage.model.job_warnings import UNNAMED, JobWarning
from storage.model.plan import Plan, Segment
from tests.support.jobs import make_job, make_plan, make_segments

TIMES = st.none() | st.floats(min_value=0, max_value=4e9)
TEXT = st.text(max_size=40)
WARNINGS = st.builds(JobWarning, TEXT, TEXT, st.dictionaries(TEXT, st.floats(0, 4e9), max_size=2))
DAMAGE = st.builds(Damage, st.sampled_from(DamageKind), st.floats(0, 4e9), st.floats(0, 4e9))
PROMISES = st.builds(Promise, st.floats(0, 4e9), st.floats(0, 4e9))
FAILED = st.builds(FailedAttempt, TEXT, TEXT, st.floats(0, 4e9), TEXT, TEXT)
KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "id": st.text("0123456789abcdef", min_size=32, max_size=32),
    "owner": TEXT,
    "title": TEXT,
    "filename": TEXT,
    "size": st.integers(0, 2**60),
    "created_at": st.floats(min_value=0, max_value=4e9),
    "webhook_url": st.none() | TEXT,
    "priority": st.sampled_from(Priority),
    "state": st.sampled_from(JobState),
    "started_at": TIMES,
    "encoding_at": TIMES,
    "begun_at": TIMES,
    "finished_at": TIMES,
    "plan": st.none() | st.builds(make_plan, segments=st.integers(1, 4), audio=st.booleans()),
    "frames_done": st.integers(0, 2**40),
    "issued": st.integers(0, 2**20),
    "has_poster": st.booleans(),
    "playable": st.booleans(),
    "outputs": st.lists(st.builds(Output, TEXT, st.integers(0, 2**50)), max_size=3).map(tuple),
    "has_storyboard": st.booleans(),
    "warnings": st.lists(WARNINGS, max_size=3).map(tuple),
    "damage": st.lists(DAMAGE, max_size=3).map(tuple),
    "error": st.none() | st.builds(JobError, TEXT, TEXT, TEXT),
    "failed_attempts": st.lists(FAILED, max_size=3).map(tuple),
    "promise": st.none() | PROMISES,
    "encoder_seconds": st.floats(0, 4e9),
    "in_flight": st.floats(0, 1e6),
    "start_target": st.floats(0, 4e9),
    "target": st.floats(0, 4e9),
}
JOBS = st.builds(Job, **KNOWN)


def test_every_field_is_tried() -> None:
    """What follows is of all fields of the table."""
    assert tuple(KNOWN) == tuple(field.name for field in FIELDS)


def test_a_plan_from_before_turns_and_crops_leaves_them_to_ffmpeg() -> None:
    """As it was planned: segments of one job are made alike, before and after an update of Rungs."""
    fields = fields_of_job(make_job(plan=make_plan()))
    kept = json.loads(fields["plan"])
    for later in ("mirrored", "crop", "pieces", "look_seconds"):
        del kept["video"][later]
    plan = job_of_fields(fields | {"plan": json.dumps(kept)}).plan
    assert plan is not None
    assert (plan.video.mirrored, plan.video.crop, plan.video.pieces) == (None, None, ())


@given(JOBS)
def test_jobs_survive(job: Job) -> None:
    """From a record's fields every job comes back equal."""
    assert job_of_fields(fields_of_job(job)) == job


@given(st.builds(make_plan, segments=st.integers(1, 50), frames=st.integers(1, 500), audio=st.booleans()))
def test_plans_survive(plan: Plan) -> None:
    """A plan comes back equal; its segments do not make it longer."""
    fields = fields_of_job(make_job(plan=plan))
    assert job_of_fields(fields).plan == plan
    assert len(fields["plan"]) < 1050


@given(
    st.builds(
        Segment,
        index=st.integers(0, 99_999),
        first_frame=st.integers(0, 2**40),
        frames=st.integers(1, 2**40),
        threads=st.integers(0, 64),
        seek=st.none() | st.floats(0, 1e6),
    )
)
def test_segments_survive(segment: Segment) -> None:
    """A segment comes back equal, to the last bit of where it is to be decoded from."""
    assert decode_segment(encode_segment(segment)) == segment


def test_warnings_kept_as_sentences_are_read() -> None:
    """Records and plans of before warnings had codes come back with the sentence."""
    kept = fields_of_job(make_job(plan=make_plan())) | {"warnings": '["cut short"]'}
    kept["plan"] = json.dumps(json.loads(kept["plan"]) | {"warnings": ["two streams were dropped"]})
    job = job_of_fields(kept)
    assert job.plan is not None
    assert job.warnings == (JobWarning(UNNAMED, "cut short"),)
    assert job.plan.warnings == (JobWarning(UNNAMED, "two streams were dropped"),)


def test_every_task_of_encoding_is_wanted_once() -> None:
    """Poster, sound where there is some, and every segment with its frames."""
    plan = make_plan(segments=2)
    wanted = fields_of_wanted(plan, make_segments(plan), "job")
    assert {name: json.loads(text).get("frames") for name, text in wanted.items()} == {
        "poster:0": None,
        "audio:0": None,
        "segment:0": 100,
        "segment:1": 100,
    }
    assert fields_of_wanted(None, (), "job") == {}


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

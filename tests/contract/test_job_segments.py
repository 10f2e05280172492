"""The plan's segments and what of them is out, of the JobStore contract, on a real Redis."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.errors import LeaseLostError
from storage.job_store.contract import JobStore
from storage.model.job import Changes, JobState
from storage.model.task import Stage, Task
from tests.support.jobs import claim, created, encoding, make_plan, make_segments, with_plan
from web.routes.uploading import new_job_id


def finish(store: JobStore, task: Task) -> None:
    """Claim and finish the task."""
    claim(store, task)
    store.finish(task, "a", {})


def test_segments_come_back_as_they_were(job_store: JobStore) -> None:
    """One by one and all in order, however many there are, to the last digit of where decoding begins."""
    plan = make_plan(segments=12)
    segments = tuple(replace(segment, seek=segment.index / 3 or None) for segment in make_segments(plan))
    job = created(job_store)
    job_store.move(job.id, JobState.PLANNING)
    moved = job_store.move(job.id, JobState.ENCODING, Changes(plan=plan, segments=segments))
    assert moved.plan == plan
    assert job_store.segments(job.id) == segments
    assert tuple(job_store.segment(job.id, index) for index in range(12)) == segments


def test_a_job_made_with_a_plan_has_its_segments(job_store: JobStore) -> None:
    """A rebuilt record has what its plan names."""
    plan = make_plan(segments=3)
    job = created(job_store, state=JobState.ENCODING, plan=plan)
    assert job_store.segments(job.id) == make_segments(plan)


def test_a_segment_that_is_not_planned_is_lost(job_store: JobStore) -> None:
    """An attempt that was granted it has nothing to do any more; before the plan and behind its end there are none."""
    waiting, job, unknown = created(job_store), encoding(job_store), new_job_id()
    for job_id, index in ((waiting.id, 0), (job.id, 2), (unknown, 0)):
        with pytest.raises(LeaseLostError):
            job_store.segment(job_id, index)
    assert job_store.segments(waiting.id) == job_store.segments(unknown) == ()


@pytest.mark.parametrize("end", ["again", "deleted"])
def test_segments_go_with_their_plan(job_store: JobStore, end: str) -> None:
    """A job that starts again or is deleted has none, and nothing out."""
    job = encoding(job_store)
    job_store.issue(plans=0, tasks=1)
    if end == "again":
        job_store.move(job.id, JobState.CANCELLED)
        job_store.move(job.id, JobState.QUEUED)
    else:
        job_store.delete(job.id)
    assert job_store.segments(job.id) == ()
    assert job_store.out(job.id) == frozenset()


def test_a_new_plan_replaces_all_segments(job_store: JobStore) -> None:
    """None of the old ones is left behind, and what was out of them is not any more."""
    job = encoding(job_store, segments=5)
    job_store.issue(plans=0, tasks=5)
    finish(job_store, Task(job.id, Stage.POSTER))
    whole = with_plan(segments=1, frames=500)
    assert whole.plan is not None
    job_store.replan(job.id, whole.plan, whole.segments, ())
    assert job_store.segments(job.id) == whole.segments
    assert job_store.out(job.id) == {"audio:0"}
    with pytest.raises(LeaseLostError):
        job_store.segment(job.id, 1)


def test_what_is_issued_is_out_until_it_is_finished(job_store: JobStore) -> None:
    """Poster and sound with the first segment, whatever attempts at them come to."""
    assert job_store.out(created(job_store).id) == frozenset()
    job = encoding(job_store, segments=4)
    job_store.issue(plans=0, tasks=4)
    assert job_store.out(job.id) == {"poster:0", "audio:0", "segment:0", "segment:1"}
    first = Task(job.id, Stage.SEGMENT, 0)
    claim(job_store, first)
    job_store.release(first, "a")
    assert "segment:0" in job_store.out(job.id)
    for task in (first, Task(job.id, Stage.POSTER)):
        finish(job_store, task)
    assert job_store.out(job.id) == {"audio:0", "segment:1"}
    job_store.issue(plans=0, tasks=3)
    assert job_store.out(job.id) == {"audio:0", "segment:1", "segment:2"}


def test_a_segment_finished_before_its_issue_is_not_out(job_store: JobStore) -> None:
    """A message from before a new plan may be worked on first: its work is not to be asked for again."""
    job = encoding(job_store, audio=False)
    finish(job_store, Task(job.id, Stage.SEGMENT, 0))
    job_store.issue(plans=0, tasks=2)
    assert job_store.out(job.id) == {"poster:0", "segment:1"}

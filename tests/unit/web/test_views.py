"""Facts about the other jobs, as they are put into a job's public JSON."""

from __future__ import annotations

from storage.job_store import JobStore
from storage.jobs import Changes, JobState, new_job_id
from storage.memory_jobs import MemoryJobStore
from tests.support.jobs import CREATED_AT, make_job, make_plan
from web import views
from web.views import JobViews


class _Clock:
    """A clock that a test sets."""

    now = CREATED_AT

    def __call__(self) -> float:
        return self.now


def finish_one(store: JobStore, clock: _Clock) -> None:
    """Let one job be encoded at twice its length, so that a rate is known."""
    done = make_job(created_at=CREATED_AT - 100)
    store.create(done)
    store.move(done.id, JobState.PLANNING)
    store.move(done.id, JobState.ENCODING, Changes(plan=make_plan()))
    clock.now += make_plan().duration * 2
    store.move(done.id, JobState.PACKAGING)
    store.move(done.id, JobState.READY)


def test_a_queued_job_has_its_place() -> None:
    """The place counts from one and is gone once the job has started."""
    store = MemoryJobStore()
    jobs = [make_job(created_at=CREATED_AT + number) for number in range(3)]
    for job in jobs:
        store.create(job)
    shown = JobViews(store)
    assert [shown.by_id(job.id)["queue_position"] for job in jobs] == [1, 2, 3]
    store.move(jobs[0].id, JobState.PLANNING)
    assert [shown.by_id(job.id)["queue_position"] for job in jobs] == [None, 1, 2]


def test_a_job_that_waits_for_encoders_is_estimated_by_those_ahead() -> None:
    """Its estimate is its own work and that of the job before it, at the measured rate."""
    clock = _Clock()
    store = MemoryJobStore(clock)
    finish_one(store, clock)
    first, second = (
        make_job(state=JobState.ENCODING, plan=make_plan(), created_at=CREATED_AT + number) for number in range(2)
    )
    for job in (first, second):
        store.create(job)
    shown = JobViews(store, clock)
    alone = make_plan().duration * 2
    assert shown.by_id(first.id)["eta_seconds"] == round(alone)
    assert shown.by_id(second.id)["eta_seconds"] == round(alone * 2)


def test_behind_very_many_jobs_nothing_is_promised() -> None:
    """An estimate over more jobs than are read would be a lie."""
    clock = _Clock()
    store = MemoryJobStore(clock)
    finish_one(store, clock)
    for number in range(views.AHEAD_LIMIT + 1):
        store.create(make_job(state=JobState.ENCODING, plan=make_plan(), created_at=CREATED_AT + number))
    last = store.unfinished()[-1]
    assert JobViews(store, clock).by_id(last)["eta_seconds"] is None


def test_a_job_that_is_gone_is_none() -> None:
    """Looking at a deleted job is no error where events are handed out."""
    assert JobViews(MemoryJobStore()).present(new_job_id()) is None

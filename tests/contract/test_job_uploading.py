"""Jobs whose upload is not whole, of the JobStore contract, on a real Redis: they are listed, and count for nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.errors import ConflictError, JobExistsError, TransitionError
from storage.job_store.contract import JobStore
from storage.model.job import Changes, Job, JobError, JobState, Priority
from tests.support.jobs import created, make_job
from tests.support.sums_right import wrong_sums

WHY = JobError("upload_expired", "It was given up.")
MANY = 1000
ENDS = {JobState.CANCELLED: None, JobState.FAILED: Changes(error=WHY)}


def uploading(store: JobStore, **fields: object) -> Job:
    """Create the job of an upload that is not whole, and return it as the store keeps it."""
    return created(store, state=JobState.UPLOADING, incomplete=True, **fields)


def whole(job: Job, size: int = 77) -> Job:
    """Return the job as it is queued."""
    return replace(job, state=JobState.QUEUED, incomplete=False, size=size)


def of_queue(store: JobStore, owner: str) -> tuple[object, ...]:
    """Return all that the queue says of itself."""
    sets = (store.counts(), store.unfinished(), store.active(), store.owners_over(-1.0), store.first_of(owner))
    return (*sets, store.figures(), store.owners_jobs(owner), store.totals(), store.last_planned(9))


def kinds(store: JobStore, job: Job) -> list[tuple[str, object]]:
    """Return the job's events as the stream of all has them."""
    return [(event.type, event.data.get("state")) for event in store.events(None, "0") if event.job_id == job.id]


def test_a_thousand_uploads_change_nothing_of_the_queue(job_store: JobStore) -> None:
    """Not as they come, nor as they end; lists have them all the same."""
    queued = created(job_store)
    before = of_queue(job_store, queued.owner)
    jobs = [uploading(job_store, created_at=queued.created_at + number + 1) for number in range(MANY)]
    assert of_queue(job_store, queued.owner) == before
    assert job_store.issue(plans=9, tasks=9)[0].job_id == queued.id
    assert job_store.places({queued.id: queued.start_target}) == {queued.id: 1}
    for state in (None, JobState.UPLOADING):
        page = job_store.page(owner=queued.owner, state=state, limit=3, cursor=None)
        assert [job.id for job in page.jobs] == [job.id for job in reversed(jobs[-3:])]
    for job in jobs[:50]:
        job_store.move(job.id, JobState.CANCELLED)
    assert job_store.totals().ended == 0
    assert list(wrong_sums(job_store)) == []
    assert not job_store.estimate(jobs[-1].id, None)


def test_a_whole_upload_is_queued(job_store: JobStore) -> None:
    """As any job that comes now, in its place in the lists; once, with one event."""
    job, other = uploading(job_store), created(job_store)
    job_store.create(whole(job))
    queued = job_store.get(job.id)
    assert (queued.state, queued.size, queued.created_at, queued.incomplete) == ("queued", 77, job.created_at, False)
    assert queued.start_target > other.start_target
    assert job_store.places({queued.id: queued.start_target}) == {queued.id: 2}
    assert (job_store.figures().waiting, job_store.totals().arrived) == (2, 2)
    assert list(wrong_sums(job_store)) == []
    assert job_store.page(owner=job.owner, state=JobState.UPLOADING, limit=9, cursor=None).jobs == ()
    assert kinds(job_store, job) == [("created", "uploading"), ("state", "queued")]
    with pytest.raises(JobExistsError):
        job_store.create(whole(job))
    with pytest.raises(JobExistsError):
        job_store.create(job)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("slim", [False, True])
def test_what_ended_before_it_was_whole_is_never_queued(job_store: JobStore, end: JobState, *, slim: bool) -> None:
    """Neither by its upload, which may be on its last byte, nor by a retry."""
    job = uploading(job_store)
    ended = job_store.move(job.id, end, ENDS[end])
    assert (ended.state, ended.error) == (end, None if end is JobState.CANCELLED else WHY)
    assert job_store.leftovers(9) == (job.id,)
    if slim:
        assert job_store.saved(ended)
    assert (job_store.get(job.id).incomplete, job_store.get(job.id).slim is not None) == (True, slim)
    for again in (whole(job), job):
        with pytest.raises(TransitionError):
            job_store.create(again)
    with pytest.raises(ConflictError) as refused:
        job_store.move(job.id, JobState.QUEUED)
    assert refused.value.message.startswith("The file of this job did not come whole")
    assert not job_store.restore(job, (), {}, tell=False)
    assert job_store.get(job.id).state is end


def test_no_move_queues_an_upload(job_store: JobStore) -> None:
    """Whoever knows no more than its id knows nothing of its bytes; its priority has nothing to work on."""
    job = uploading(job_store)
    with pytest.raises(ConflictError):
        job_store.move(job.id, JobState.QUEUED)
    with pytest.raises(TransitionError):
        job_store.move(job.id, JobState.PLANNING)
    with pytest.raises(TransitionError):
        job_store.prioritise(job.id, Priority.HIGH)
    assert job_store.get(job.id) == job


def test_a_move_may_be_from_one_state_only(job_store: JobStore) -> None:
    """An upload that is given up while it becomes whole goes on as a job."""
    job = uploading(job_store)
    job_store.create(whole(job))
    with pytest.raises(TransitionError):
        job_store.move(job.id, JobState.FAILED, ENDS[JobState.FAILED], if_in=JobState.UPLOADING)
    assert job_store.get(job.id).state is JobState.QUEUED
    assert job_store.move(job.id, JobState.CANCELLED, if_in=JobState.QUEUED).state is JobState.CANCELLED


def test_an_upload_that_is_found_again_is_no_first_event(job_store: JobStore) -> None:
    """That a store has no event tells that it was emptied, and that jobs are to be rebuilt."""
    job = make_job(state=JobState.UPLOADING, incomplete=True)
    assert job_store.restore(job, (), {}, tell=False)
    assert not job_store.restore(job, (), {}, tell=False)
    assert job_store.get(job.id) == job
    assert job_store.last_event_id() == "0-0"
    other = uploading(job_store)
    assert job_store.restore(replace(job, id=other.id[::-1]), (), {}, tell=False)
    assert [event.type for event in job_store.events(None, "0")] == ["created", "created"]


def test_a_deleted_upload_is_gone(job_store: JobStore) -> None:
    """From all lists, and what is left of it is to be removed; whoever looked at it before does not bring it back."""
    job = uploading(job_store)
    job_store.delete(job.id)
    assert not job_store.restore(job, (), {}, tell=False)
    with pytest.raises(TransitionError):
        job_store.create(whole(job))
    assert job_store.page(owner=job.owner, state=None, limit=9, cursor=None).jobs == ()
    assert list(wrong_sums(job_store)) == []

"""Notices for webhooks in the JobStore contract, on a real Redis."""

from __future__ import annotations

import pytest

from storage.job_store.contract import JobStore, Notice
from storage.model.job import Changes, Job, JobError, JobState
from tests.support.jobs import created, with_plan
from tests.support.waiting import wait_until

URL = "https://example.org/hook?a=1"
MANY = 100


def ended(store: JobStore, state: JobState = JobState.FAILED, **fields: object) -> Job:
    """Create a job with a webhook and bring it to its end."""
    job = created(store, **{"webhook_url": URL} | fields)
    if state is JobState.READY:
        store.move(job.id, JobState.PLANNING)
        store.move(job.id, JobState.ENCODING, with_plan())
        store.move(job.id, JobState.PACKAGING)
    return store.move(job.id, state)


def due(store: JobStore) -> list[str]:
    """Return the ids of the jobs whose notices are due."""
    return [notice.job.id for notice in store.due_notices(MANY)]


def test_the_end_of_a_job_makes_a_notice(job_store: JobStore) -> None:
    """Ready and failed are told at once and in order, with the job as it ended; cancelled is not."""
    ready, failed = ended(job_store, JobState.READY), ended(job_store, JobState.FAILED)
    ended(job_store, JobState.CANCELLED)
    assert job_store.due_notices(MANY) == (Notice(ready, 0), Notice(failed, 0))
    assert job_store.due_notices(1) == (Notice(ready, 0),)


def test_without_a_webhook_there_is_no_notice(job_store: JobStore) -> None:
    """Nobody is told of jobs that named nobody, of unfinished jobs, and of ends that lie before the record."""
    ended(job_store, webhook_url=None)
    created(job_store, webhook_url=URL)
    created(job_store, webhook_url=URL, state=JobState.FAILED, finished_at=1.0)
    assert job_store.due_notices(MANY) == ()


def test_a_repeated_move_makes_no_second_notice(job_store: JobStore) -> None:
    """Once ended, a notice stays ended when the move is sent again."""
    job = ended(job_store)
    job_store.end_notice(Notice(job))
    job_store.move(job.id, JobState.FAILED, Changes(error=JobError("a", "b")))
    assert due(job_store) == []


def test_a_failed_try_is_counted_once_and_comes_back(job_store: JobStore) -> None:
    """The notice is not due until its time; a repeated call, whose answer was lost, counts nothing more."""
    job = ended(job_store)
    for _ in range(2):
        job_store.postpone_notice(Notice(job, 0), seconds=0.1, failed=True)
    assert due(job_store) == []
    wait_until(lambda: due(job_store) == [job.id], seconds=5)
    assert job_store.due_notices(MANY) == (Notice(job, 1),)
    job_store.postpone_notice(Notice(job, 1), seconds=3600, failed=True)
    assert due(job_store) == []


def test_a_notice_can_be_put_back_without_a_count(job_store: JobStore) -> None:
    """Nothing was tried, so nothing is counted; those that waited longer come first."""
    first, second = ended(job_store), ended(job_store)
    job_store.postpone_notice(Notice(first), seconds=0.01, failed=False)
    wait_until(lambda: due(job_store) == [second.id, first.id], seconds=5)
    assert {notice.tries for notice in job_store.due_notices(MANY)} == {0}


def test_an_ended_notice_is_gone(job_store: JobStore) -> None:
    """Ending it twice is no error, and postponing does not bring it back."""
    job = ended(job_store)
    for _ in range(2):
        job_store.end_notice(Notice(job))
    job_store.postpone_notice(Notice(job), seconds=0, failed=True)
    assert due(job_store) == []
    assert job_store.get(job.id) == job


@pytest.mark.parametrize("state", [JobState.READY, JobState.FAILED])
def test_a_deleted_job_is_told_to_nobody(job_store: JobStore, state: JobState) -> None:
    """Its notice ends with it, and late answers to it change nothing."""
    job = ended(job_store, state)
    job_store.delete(job.id)
    job_store.postpone_notice(Notice(job), seconds=0, failed=True)
    job_store.end_notice(Notice(job))
    assert due(job_store) == []


def test_starting_again_ends_the_notice(job_store: JobStore) -> None:
    """A retry takes the old end back; its own end is told with a count of its own."""
    job = ended(job_store)
    job_store.postpone_notice(Notice(job), seconds=0, failed=True)
    job_store.move(job.id, JobState.QUEUED)
    assert due(job_store) == []
    again = job_store.move(job.id, JobState.FAILED)
    assert job_store.due_notices(MANY) == (Notice(again, 0),)


def test_a_late_answer_does_not_touch_the_next_notice(job_store: JobStore) -> None:
    """Who was still sending the first end when the job ended a second time neither ends nor postpones the second."""
    job = ended(job_store)
    job_store.move(job.id, JobState.QUEUED)
    again = job_store.move(job.id, JobState.FAILED)
    job_store.end_notice(Notice(job))
    job_store.postpone_notice(Notice(job), seconds=3600, failed=True)
    assert job_store.due_notices(MANY) == (Notice(again, 0),)

"""Ends to be saved in the object store, of the JobStore contract, on a real Redis."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.job_store.contract import JobStore
from storage.model.job import Job, JobState
from tests.support.jobs import created, encoding, make_job
from web.routes.uploading import new_job_id

MANY = 100


def failed(store: JobStore) -> Job:
    """Create a job and let it fail."""
    return store.move(created(store).id, JobState.FAILED)


def test_every_end_is_to_be_saved(job_store: JobStore) -> None:
    """Ready, failed and cancelled jobs, as they ended, in the order of their ends; no unfinished ones."""
    ready = encoding(job_store)
    created(job_store)
    ended = [job_store.move(created(job_store).id, state) for state in (JobState.CANCELLED, JobState.FAILED)]
    job_store.move(ready.id, JobState.PACKAGING)
    ended.append(job_store.move(ready.id, JobState.READY))
    assert job_store.unsaved(MANY) == tuple(ended)
    assert job_store.unsaved(2) == tuple(ended[:2])


def test_what_is_saved_is_not_to_be_saved_again(job_store: JobStore) -> None:
    """Also when the answer was lost and the call is repeated, or the move is."""
    job, other = failed(job_store), failed(job_store)
    assert job_store.saved(job)
    assert job_store.saved(job)
    job_store.move(job.id, JobState.FAILED)
    assert job_store.unsaved(MANY) == (other,)


def test_an_end_that_is_over_cannot_be_saved(job_store: JobStore) -> None:
    """A job that started again has no end; the one it comes to then is another."""
    first = failed(job_store)
    job_store.move(first.id, JobState.QUEUED)
    assert job_store.unsaved(MANY) == ()
    assert not job_store.saved(first)
    second = job_store.move(first.id, JobState.FAILED)
    assert not job_store.saved(first)
    assert job_store.unsaved(MANY) == (second,)
    assert job_store.saved(second)


@pytest.mark.parametrize("deleted", [False, True])
def test_a_job_that_is_gone_has_nothing_to_save(job_store: JobStore, *, deleted: bool) -> None:
    """Neither one that was deleted nor one that never was; what was saved of it is not wrong for that."""
    job = failed(job_store) if deleted else replace(make_job(id=new_job_id()), finished_at=1.0)
    job_store.delete(job.id)
    assert job_store.unsaved(MANY) == ()
    assert job_store.saved(job)

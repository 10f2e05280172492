"""Leftovers, counted repairs and idle times of the JobStore contract, on a real Redis."""

from __future__ import annotations

import pytest

from storage.errors import BusyError
from storage.job_store import redis_records
from storage.job_store.contract import JobStore, Leftovers
from storage.model.job import JobState
from storage.model.task import Stage, Task
from tests.support.jobs import claim, created, encoding
from tests.support.waiting import wait_until
from web.routes.uploading import new_job_id


@pytest.mark.parametrize("end", [JobState.FAILED, JobState.CANCELLED])
def test_a_job_that_comes_to_nothing_leaves_something(job_store: JobStore, end: JobState) -> None:
    """From the move that ended it on, until somebody says that it is gone."""
    job, other = encoding(job_store), encoding(job_store)
    assert job_store.leftovers(9) == ()
    job_store.move(job.id, end)
    job_store.move(other.id, end)
    assert job_store.leftovers(9) == (job.id, other.id)
    assert job_store.leftovers(1) == (job.id,)
    assert job_store.begin_clearing(job.id, seconds=60) is Leftovers.MADE
    assert job_store.leftovers(9) == (other.id,)
    job_store.end_clearing(job.id, gone=True)
    assert not job_store.begin_clearing(job.id, seconds=60)
    job_store.end_clearing(job.id, gone=True)


def test_a_restored_job_may_have_left_something(job_store: JobStore) -> None:
    """What Redis knew of it was lost with its record, so it is looked at once more."""
    job = created(job_store, state=JobState.CANCELLED)
    created(job_store, state=JobState.READY)
    assert job_store.leftovers(9) == (job.id,)


def test_one_clears_at_a_time_and_a_broken_off_clearing_is_done_again(job_store: JobStore) -> None:
    """Whoever died at it holds it up for as long as was said."""
    job = encoding(job_store)
    job_store.move(job.id, JobState.CANCELLED)
    assert job_store.begin_clearing(job.id, seconds=0.3)
    assert not job_store.begin_clearing(job.id, seconds=60)
    wait_until(lambda: job_store.begin_clearing(job.id, seconds=60), seconds=5)


def test_what_could_not_be_removed_is_due_again_behind_the_others(job_store: JobStore) -> None:
    """An object store that refuses one job's objects does not hold up the rest, nor the job's next run."""
    first, second = encoding(job_store), encoding(job_store)
    for job in (first, second):
        job_store.move(job.id, JobState.FAILED)
    job_store.begin_clearing(first.id, seconds=60)
    job_store.end_clearing(first.id, gone=False)
    assert job_store.leftovers(9) == (second.id, first.id)
    assert job_store.move(first.id, JobState.QUEUED).state is JobState.QUEUED
    job_store.end_clearing(first.id, gone=False)
    assert job_store.leftovers(9) == (second.id,)


def test_a_job_is_not_started_again_while_it_is_cleared(job_store: JobStore) -> None:
    """Else the removal could take the new run's objects; before and after, nothing is in the way."""
    job = encoding(job_store)
    job_store.move(job.id, JobState.FAILED)
    assert job_store.begin_clearing(job.id, seconds=60)
    with pytest.raises(BusyError) as refusal:
        job_store.move(job.id, JobState.QUEUED)
    assert refusal.value.retry_after > 0
    with pytest.raises(BusyError):
        job_store.check_cleared(job.id)
    assert job_store.get(job.id).state is JobState.FAILED
    job_store.end_clearing(job.id, gone=True)
    job_store.check_cleared(job.id)
    job_store.move(job.id, JobState.QUEUED)
    job_store.move(job.id, JobState.CANCELLED)
    assert job_store.move(job.id, JobState.QUEUED).state is JobState.QUEUED
    assert not job_store.begin_clearing(job.id, seconds=60)


def test_a_ready_job_leaves_nothing(job_store: JobStore) -> None:
    """What it made is what was wanted."""
    job = encoding(job_store)
    job_store.move(job.id, JobState.PACKAGING)
    job_store.move(job.id, JobState.READY)
    assert job_store.leftovers(9) == ()


def test_a_deleted_jobs_leftovers_wait_for_its_last_writers(job_store: JobStore) -> None:
    """They are not due at once; deleting what is not there leaves nothing."""
    job = encoding(job_store)
    job_store.delete(job.id)
    job_store.delete(new_job_id())
    assert job_store.leftovers(9) == ()
    assert not job_store.begin_clearing(job.id, seconds=60)


def test_a_deleted_jobs_leftovers_are_due_in_the_end(job_store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is over in which an attempt may still write, all of it goes, the original too."""
    monkeypatch.setattr(redis_records, "LAST_WRITES_SECONDS", 0.3)
    job = encoding(job_store)
    job_store.delete(job.id)
    assert job_store.leftovers(9) == ()
    wait_until(lambda: job_store.leftovers(9) == (job.id,), seconds=5)
    assert job_store.begin_clearing(job.id, seconds=60) is Leftovers.ALL


def test_repairs_are_counted_by_name(job_store: JobStore) -> None:
    """None were made at first."""
    assert job_store.repairs() == {}
    for name in ("publish", "clear", "publish"):
        job_store.count_repair(name)
    assert job_store.repairs() == {"publish": 2, "clear": 1}


def test_a_job_is_idle_since_its_last_event(job_store: JobStore) -> None:
    """Progress is an event; a lease that is renewed is none. A job without events was never idle."""
    job = created(job_store)
    wait_until(lambda: job_store.idle_seconds(job.id) >= 0.3, seconds=5)
    job_store.move(job.id, JobState.PLANNING)
    assert job_store.idle_seconds(job.id) < 0.3
    task = Task(job.id, Stage.PLAN)
    claim(job_store, task)
    wait_until(lambda: job_store.renew(task, "a", lease_seconds=9) and job_store.idle_seconds(job.id) >= 0.3, seconds=5)
    assert job_store.idle_seconds(new_job_id()) == 0

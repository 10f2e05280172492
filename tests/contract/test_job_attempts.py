"""Attempts that came to nothing, of the JobStore contract, on a real Redis."""

from __future__ import annotations

import pytest

from storage.job_store.contract import LOST, Claim, JobStore, Lease
from storage.model.job import JobError, JobState
from storage.model.task import Stage, Task
from tests.support.jobs import WHY, claim, counted, encoding, make_job
from tests.support.waiting import wait_until
from web.routes.uploading import new_job_id

REST = 0.4


@pytest.fixture
def task(job_store: JobStore) -> Task:
    """Give a task that is wanted."""
    return Task(encoding(job_store).id, Stage.SEGMENT, 1)


def failures(store: JobStore, job_id: str) -> list[tuple[str, str, str]]:
    """Return task, attempt and code of the failed attempts that the job remembers."""
    return [(failed.task, failed.attempt, failed.code) for failed in store.get(job_id).failed_attempts]


def test_a_failed_attempt_is_counted_and_remembered(job_store: JobStore, task: Task) -> None:
    """With where and when it ran and why it failed; the task is free at once."""
    before = job_store.get(task.job_id).encoding_at
    assert before is not None
    claim(job_store, task, "host-1_77_abc")
    assert job_store.fail(task, "host-1_77_abc", JobError("tool_failed", "«Es ging nicht.»", "many lines"))
    (failed,) = job_store.get(task.job_id).failed_attempts
    assert (failed.task, failed.worker) == ("segment:1", "host-1:77")
    assert (failed.code, failed.message) == ("tool_failed", "«Es ging nicht.»")
    assert before - 1 <= failed.at <= before + 60
    assert job_store.attempts(task.job_id) == {"segment:1": 1}
    assert claim(job_store, task, "b") is Claim.GRANTED


def test_only_the_last_twenty_are_remembered(job_store: JobStore, task: Task) -> None:
    """All of them are counted."""
    for number in range(25):
        assert claim(job_store, task, f"{number}", limit=99) is Claim.GRANTED
        assert job_store.fail(task, f"{number}", WHY)
    assert [attempt for _, attempt, _ in failures(job_store, task.job_id)] == [f"{number}" for number in range(5, 25)]
    assert counted(job_store, task) == 25


def test_an_attempt_given_back_never_was(job_store: JobStore, task: Task) -> None:
    """Drains and outages use up no attempts, and giving back twice gives back one."""
    for number in range(5):
        assert claim(job_store, task, f"drained {number}", limit=1) is Claim.GRANTED
        job_store.release(task, f"drained {number}")
        job_store.release(task, f"drained {number}")
    assert counted(job_store, task) == 0
    assert job_store.get(task.job_id).failed_attempts == ()


@pytest.mark.parametrize("end", ["fail", "release"])
def test_a_task_may_rest_before_its_next_attempt(job_store: JobStore, task: Task, end: str) -> None:
    """Deliveries during the rest are dropped; afterwards the lease of nobody shows that it is over."""
    claim(job_store, task, "a")
    if end == "fail":
        assert job_store.fail(task, "a", WHY, rest=REST)
    else:
        job_store.release(task, "a", rest=REST)
    assert job_store.leases(task.job_id) == {"segment:1": Lease("", live=True)}
    assert claim(job_store, task, "b") is Claim.HELD
    wait_until(lambda: job_store.leases(task.job_id) == {"segment:1": Lease("", live=False)}, seconds=5)
    before = failures(job_store, task.job_id)
    assert claim(job_store, task, "b") is Claim.GRANTED
    assert failures(job_store, task.job_id) == before


def test_whoever_takes_over_records_the_lost_attempt(job_store: JobStore, task: Task) -> None:
    """A lease that ran out is the only trace of a worker that died with its machine."""
    claim(job_store, task, "a", lease=0.05, limit=2)
    wait_until(lambda: claim(job_store, task, "b", lease=0.05, limit=2) is Claim.GRANTED, seconds=5)
    assert failures(job_store, task.job_id) == [("segment:1", "a", LOST.code)]
    wait_until(lambda: claim(job_store, task, "c", limit=2) is Claim.SPENT, seconds=5)
    assert claim(job_store, task, "d", limit=2) is Claim.SPENT
    assert failures(job_store, task.job_id) == [("segment:1", "a", LOST.code), ("segment:1", "b", LOST.code)]


def test_nobody_fails_at_what_is_not_there(job_store: JobStore) -> None:
    """An unknown job has no attempts and takes no failure."""
    task = Task(new_job_id(), Stage.AUDIO)
    job_store.release(task, "a")
    assert not job_store.fail(task, "a", WHY)
    assert job_store.attempts(task.job_id) == {}


def test_an_end_is_not_changed_by_attempts_that_fail_later(job_store: JobStore) -> None:
    """What is saved of an end is all of it: who fails after it is not recorded, and its task does not rest."""
    job = encoding(job_store)
    task = Task(job.id, Stage.SEGMENT, 0)
    claim(job_store, task)
    ended = job_store.move(job.id, JobState.CANCELLED)
    assert job_store.fail(task, "a", WHY, rest=30.0)
    assert job_store.get(job.id) == ended
    assert job_store.leases(job.id) == {}


def test_a_new_run_and_a_new_plan_forget_attempts(job_store: JobStore, task: Task) -> None:
    """A retry begins with all attempts and no past; a record that is restored keeps its past."""
    claim(job_store, task, "a")
    job_store.fail(task, "a", WHY)
    job_store.move(task.job_id, JobState.FAILED)
    failed = job_store.get(task.job_id).failed_attempts
    restored = make_job(state=JobState.FAILED, failed_attempts=failed)
    job_store.create(restored)
    assert job_store.get(restored.id).failed_attempts == failed
    assert job_store.move(task.job_id, JobState.QUEUED).failed_attempts == ()
    assert job_store.attempts(task.job_id) == {}

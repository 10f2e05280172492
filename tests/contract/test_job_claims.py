"""Claims and leases of the JobStore contract, on a real Redis."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage.errors import LeaseLostError
from storage.job_store.contract import Claim, JobStore, Lease
from storage.model.job import JobState
from storage.model.task import Stage, Task
from tests.support.jobs import LEASE, WHY, claim, created, encoding, held, make_plan, with_plan
from tests.support.waiting import wait_until


@pytest.mark.parametrize(
    ("stage", "wanted_in"),
    [
        (Stage.PLAN, {JobState.QUEUED, JobState.PLANNING}),
        (Stage.SEGMENT, {JobState.ENCODING}),
        (Stage.AUDIO, {JobState.ENCODING}),
        (Stage.POSTER, {JobState.ENCODING}),
        (Stage.PACKAGE, {JobState.PACKAGING}),
    ],
)
def test_a_stage_is_wanted_in_its_own_state_only(job_store: JobStore, stage: Stage, wanted_in: set[JobState]) -> None:
    """A delivery that comes too early, too late or for a finished job is obsolete."""
    for state in JobState:
        job = created(job_store, state=state, plan=None if state is JobState.QUEUED else make_plan())
        expected = Claim.GRANTED if state in wanted_in else Claim.OBSOLETE
        assert claim(job_store, Task(job.id, stage)) is expected


def test_tasks_outside_the_plan_are_obsolete(job_store: JobStore) -> None:
    """A segment the plan does not have, and audio of a silent video, are not wanted."""
    job = encoding(job_store, segments=2, audio=False)
    assert claim(job_store, Task(job.id, Stage.SEGMENT, 2)) is Claim.OBSOLETE
    assert claim(job_store, Task(job.id, Stage.AUDIO)) is Claim.OBSOLETE


def test_a_held_task_is_held_until_its_attempt_is_over(job_store: JobStore) -> None:
    """A second attempt gets nothing while the first lives; the same attempt may ask again without a count."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    assert claim(job_store, task, "a", limit=2) is Claim.GRANTED
    assert claim(job_store, task, "a", limit=2) is Claim.GRANTED
    assert claim(job_store, task, "b", limit=2) is Claim.HELD
    assert job_store.leases(task.job_id) == {"segment:0": Lease("a", live=True)}
    job_store.release(task, "b")
    assert not job_store.fail(task, "b", WHY)
    assert claim(job_store, task, "b", limit=2) is Claim.HELD
    assert job_store.fail(task, "a", WHY)
    assert job_store.leases(task.job_id) == {}
    assert claim(job_store, task, "b", limit=2) is Claim.GRANTED
    assert job_store.fail(task, "b", WHY)
    assert claim(job_store, task, "c", limit=2) is Claim.SPENT


def test_a_spent_task_is_granted_to_a_claim_without_limit(job_store: JobStore) -> None:
    """Whoever ends a task that no attempt could do has to hold it, however many were spent."""
    task = Task(encoding(job_store).id, Stage.POSTER)
    for attempt in ("a", "b"):
        assert claim(job_store, task, attempt, limit=2) is Claim.GRANTED
        assert job_store.fail(task, attempt, WHY)
    assert claim(job_store, task, "c", limit=2) is Claim.SPENT
    assert claim(job_store, task, "c", limit=sys.maxsize) is Claim.GRANTED
    job_store.finish(task, "c", {"made": False})
    assert not job_store.get(task.job_id).has_poster


def test_a_lease_ends_by_itself(job_store: JobStore) -> None:
    """After `lease_seconds` without a renewal the task is free, and the first attempt has lost it."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    assert claim(job_store, task, "a", lease=0.2) is Claim.GRANTED
    wait_until(lambda: claim(job_store, task, "b") is Claim.GRANTED, seconds=5)
    assert not job_store.renew(task, "a", lease_seconds=LEASE)
    assert not job_store.report(task, "a", 5)
    assert not job_store.fail(task, "a", WHY)
    with pytest.raises(LeaseLostError):
        job_store.finish(task, "a", {})


def test_a_renewed_lease_lasts(job_store: JobStore) -> None:
    """Renewal begins a new term, for the holder only."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    claim(job_store, task, "a", lease=0.5)
    assert not job_store.renew(task, "b", lease_seconds=LEASE)
    assert job_store.renew(task, "a", lease_seconds=LEASE)
    assert claim(job_store, task, "b") is Claim.HELD


def test_a_lease_that_nobody_took_is_revived(job_store: JobStore) -> None:
    """A worker that could not renew while Redis was away goes on and wastes no attempt."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    claim(job_store, task, "a", lease=0.05, limit=1)
    wait_until(lambda: job_store.leases(task.job_id) == {"segment:0": Lease("a", live=False)}, seconds=5)
    assert job_store.renew(task, "a", lease_seconds=LEASE)
    assert held(job_store, task.job_id) == {"segment:0"}
    assert claim(job_store, task, "a", limit=1) is Claim.GRANTED
    assert not job_store.finish(task, "a", {})


@pytest.mark.parametrize("end", [JobState.CANCELLED, JobState.FAILED])
def test_a_stopped_job_takes_the_leases_from_its_workers(job_store: JobStore, end: JobState) -> None:
    """Renewals and results are refused, while `leases` still shows who may be writing."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    claim(job_store, task, "a")
    job_store.move(task.job_id, end)
    assert not job_store.renew(task, "a", lease_seconds=LEASE)
    assert not job_store.report(task, "a", 10)
    with pytest.raises(LeaseLostError):
        job_store.finish(task, "a", {})
    assert held(job_store, task.job_id) == {"segment:0"}
    job_store.release(task, "a")
    assert job_store.leases(task.job_id) == {}


def test_of_many_claimers_one_is_granted(job_store: JobStore) -> None:
    """Sixteen threads that claim the same task at once get one grant and fifteen refusals."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    start = threading.Barrier(16)

    def race(number: int) -> Claim:
        start.wait(10)
        return claim(job_store, task, f"attempt {number}")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(race, range(16)))
    assert answers.count(Claim.GRANTED) == 1
    assert answers.count(Claim.HELD) == 15


def test_the_plan_goes_on_under_its_lease(job_store: JobStore) -> None:
    """Moving to planning keeps the planner's lease; moving to encoding ends it."""
    task = Task(created(job_store).id, Stage.PLAN)
    claim(job_store, task)
    job_store.move(task.job_id, JobState.PLANNING)
    assert job_store.renew(task, "a", lease_seconds=LEASE)
    assert job_store.finish(task, "a", {})
    assert claim(job_store, task, "b") is Claim.GRANTED  # a crash between finish and move is mended
    job_store.move(task.job_id, JobState.ENCODING, with_plan())
    assert not job_store.renew(task, "b", lease_seconds=LEASE)
    assert job_store.leases(task.job_id) == {}

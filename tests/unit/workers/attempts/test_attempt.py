"""One attempt with a stage of the test's own, for each way in which it can end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.broker.contract import queue_of
from storage.errors import BusyError, LeaseLostError, ObjectStoreDownError, OutputMismatchError, RungsError, ToolError
from storage.job_store.contract import Claim
from storage.media_errors import NotMediaError
from storage.model.job import Job, JobState
from storage.model.task import Stage, Task
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import resume
from tests.support.jobs import counted, held, make_job, with_plan
from tests.support.memory_publisher import MemoryPublisher
from tests.support.waiting import wait_until
from workers.attempts import attempt as attempt_module
from workers.attempts.attempt import Attempt, attempt_task

LEASE = 30.0


@pytest.fixture
def job(own_services: Services) -> Job:
    """Give a queued job whose plan is the task."""
    job = make_job()
    own_services.jobs.create(job)
    return job


@pytest.fixture
def plan(job: Job) -> Task:
    """Give the job's plan task."""
    return Task(job.id, Stage.PLAN)


def failing(error: Exception) -> Callable[[Attempt], None]:
    """Return a stage that ends with this error."""

    def stage(attempt: Attempt) -> None:
        (attempt.scratch / "left.bin").write_bytes(b"x")
        raise error

    return stage


def deliver(services: Services, task: Task) -> bool:
    """Take the task's next message from the broker as a worker would; tell whether there was one."""
    assert isinstance(services.publisher, MemoryPublisher)
    delivered = services.publisher.deliver(queue_of(task))
    if delivered is None:
        return False
    assert delivered == task
    services.publisher.acknowledge(delivered)
    return True


def test_a_stage_that_returns_leaves_nothing_behind(own_services: Services, settings: Settings, plan: Task) -> None:
    """The stage has the job, a folder and the lease; afterwards the folder is gone."""
    seen: list[Path] = []

    def stage(attempt: Attempt) -> None:
        assert attempt.job.id == plan.job_id
        assert held(attempt.services.jobs, plan.job_id) == {"plan:0"}
        assert attempt.scratch.is_dir()
        seen.append(attempt.scratch)

    attempt_task(plan, stage, own_services, settings)
    assert len(seen) == 1
    assert not seen[0].exists()


@pytest.mark.parametrize(
    "error", [ToolError(detail="It ended with code 1."), OutputMismatchError(detail="49 of 50.")], ids=type
)
def test_a_failed_attempt_is_published_again(
    error: RungsError, own_services: Services, settings: Settings, plan: Task
) -> None:
    """It is counted and remembered, its folder removed; the task rests before it is published."""
    attempt_task(plan, failing(error), own_services, settings)
    job = own_services.jobs.get(plan.job_id)
    assert job.state is JobState.QUEUED
    assert [(failed.code, failed.message) for failed in job.failed_attempts] == [(error.code, error.message)]
    assert counted(own_services.jobs, plan) == 1
    assert held(own_services.jobs, plan.job_id) == set()
    assert not deliver(own_services, plan)
    attempt_task(plan, failing(AssertionError("never called")), own_services, settings)
    assert resume(own_services, job)
    assert deliver(own_services, plan)
    assert list(settings.scratch_dir.iterdir()) == []


def test_after_the_limit_the_job_fails_with_the_last_error(
    own_services: Services, settings: Settings, plan: Task
) -> None:
    """The job says what was wrong, not that it was tried often; what was made is left to the janitor."""
    error = ToolError(detail="the last lines", killed=True)
    for left in range(settings.attempts - 1, -1, -1):
        attempt_task(plan, failing(error), own_services, settings)
        assert resume(own_services, own_services.jobs.get(plan.job_id)) is (left > 0)
        assert deliver(own_services, plan) is (left > 0)
    job = own_services.jobs.get(plan.job_id)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert (job.error.code, job.error.message, job.error.detail) == ("tool_failed", error.message, "the last lines")
    assert own_services.jobs.leftovers(9) == (plan.job_id,)


def test_what_no_attempt_can_mend_fails_at_once(own_services: Services, settings: Settings, plan: Task) -> None:
    """A file that is no video is looked at once."""
    attempt_task(plan, failing(NotMediaError(detail="moov atom not found")), own_services, settings)
    job = own_services.jobs.get(plan.job_id)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert (job.error.code, job.error.detail) == ("not_a_video", "moov atom not found")
    assert not deliver(own_services, plan)


@pytest.mark.parametrize(
    "error", [BusyError(detail="Later."), ObjectStoreDownError(detail="It does not answer.")], ids=type
)
def test_an_outage_costs_no_attempt(error: RungsError, own_services: Services, settings: Settings, plan: Task) -> None:
    """However often a service is away, the task is published again, at a measured pace, and nothing is counted."""
    for _ in range(settings.attempts + 2):
        attempt_task(plan, failing(error), own_services, settings)
        assert not deliver(own_services, plan)
        assert resume(own_services, own_services.jobs.get(plan.job_id))
        assert deliver(own_services, plan)
    assert counted(own_services.jobs, plan) == 0
    assert own_services.jobs.get(plan.job_id).state is JobState.QUEUED


def test_a_lost_lease_is_left_to_its_new_owner(own_services: Services, settings: Settings, plan: Task) -> None:
    """Nothing is counted and nothing published: whoever owns the task now does both."""
    attempt_task(plan, failing(LeaseLostError(detail="Another attempt owns it.")), own_services, settings)
    assert counted(own_services.jobs, plan) == 0
    assert not deliver(own_services, plan)


def test_a_fault_of_ours_is_tried_again_and_then_said(own_services: Services, settings: Settings, plan: Task) -> None:
    """An unforeseen exception ends as internal_error, and its text, which may hold anything, is not shown."""
    for _ in range(settings.attempts):
        attempt_task(plan, failing(KeyError("secret")), own_services, settings)
        resume(own_services, own_services.jobs.get(plan.job_id))
    job = own_services.jobs.get(plan.job_id)
    assert job.error is not None
    assert (job.state, job.error.code) == (JobState.FAILED, "internal_error")
    assert "secret" not in f"{job.error} {job.failed_attempts}"


def test_a_task_whose_attempts_all_died_fails_the_job(own_services: Services, settings: Settings, plan: Task) -> None:
    """Attempts that were killed say nothing; the delivery after the last of them says it for them."""
    for attempt in range(settings.attempts):
        claim = own_services.jobs.claim(plan, f"dead{attempt}", lease_seconds=-1.0, limit=settings.attempts)
        assert claim is Claim.GRANTED
    attempt_task(plan, failing(AssertionError("never called")), own_services, settings)
    job = own_services.jobs.get(plan.job_id)
    assert job.error is not None
    assert (job.state, job.error.code) == (JobState.FAILED, "worker_lost")


@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.FAILED, None], ids=["cancelled", "failed", "deleted"])
def test_a_delivery_that_nobody_wants_is_dropped(
    state: JobState | None, own_services: Services, settings: Settings, plan: Task
) -> None:
    """The stage is not called, and the job stays what it is."""
    if state is None:
        own_services.jobs.delete(plan.job_id)
    else:
        own_services.jobs.move(plan.job_id, state)
    attempt_task(plan, failing(AssertionError("never called")), own_services, settings)
    assert not deliver(own_services, plan)
    if state is not None:
        assert own_services.jobs.get(plan.job_id).state is state


def test_a_second_delivery_of_a_held_task_is_dropped(own_services: Services, settings: Settings, plan: Task) -> None:
    """The live attempt goes on undisturbed."""
    own_services.jobs.claim(plan, "other", lease_seconds=LEASE, limit=3)
    attempt_task(plan, failing(AssertionError("never called")), own_services, settings)
    assert counted(own_services.jobs, plan) == 1
    assert not deliver(own_services, plan)


def test_a_job_that_is_deleted_meanwhile_ends_quietly(own_services: Services, settings: Settings, plan: Task) -> None:
    """A stage that fails because its job is gone neither publishes nor raises."""

    def stage(attempt: Attempt) -> None:
        attempt.services.jobs.delete(plan.job_id)
        attempt.services.jobs.get(plan.job_id)

    attempt_task(plan, stage, own_services, settings)
    assert not deliver(own_services, plan)


def test_cancelling_stops_the_running_stage(own_services: Services, settings: Settings, plan: Task) -> None:
    """The lease's thread sees that the job ended and says so to the tool's watch; nothing is published after that."""
    running = threading.Event()

    def stage(attempt: Attempt) -> None:
        running.set()
        assert attempt.watch.cancelled.wait(10)
        attempt.check_ours()

    thread = threading.Thread(target=attempt_task, args=(plan, stage, own_services, settings))
    thread.start()
    assert running.wait(10)
    own_services.jobs.move(plan.job_id, JobState.CANCELLED)
    thread.join(10)
    assert not thread.is_alive()
    assert own_services.jobs.get(plan.job_id).state is JobState.CANCELLED
    assert not deliver(own_services, plan)


def test_progress_reaches_the_record_while_the_stage_runs(
    own_services: Services, settings: Settings, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the stage notes is reported by the lease's thread, and the lease is kept beyond its length."""
    monkeypatch.setattr(attempt_module, "REPORT_SECONDS", 0.05)
    monkeypatch.setattr(attempt_module, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(attempt_module, "LEASE_SECONDS", 0.5)
    jobs = own_services.jobs
    jobs.move(job.id, JobState.PLANNING)
    jobs.move(job.id, JobState.ENCODING, with_plan(segments=1, frames=100))
    task = Task(job.id, Stage.SEGMENT, 0)

    def stage(attempt: Attempt) -> None:
        attempt.frames = 40
        wait_until(lambda: jobs.get(job.id).frames_done == 40, what="the report")
        until = threading.Event()
        assert not until.wait(1.0)  # twice the lease
        assert held(jobs, job.id) == {"segment:0"}
        attempt.frames = 60
        wait_until(lambda: jobs.get(job.id).frames_done == 60, what="the second report")
        jobs.finish(task, attempt.name, {})

    attempt_task(task, stage, own_services, settings)
    assert jobs.results(job.id) == {"segment:0": {}}
    assert (job.id, "segment:0") not in own_services.publisher.pending()

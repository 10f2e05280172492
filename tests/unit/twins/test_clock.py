"""The in-memory store's clock can be set, so that tests of leases need not wait."""

from __future__ import annotations

from storage.broker.contract import CONTROL_QUEUE, ENCODE_QUEUE
from storage.job_store.contract import Claim
from storage.model.job import Changes, JobState
from storage.model.task import Stage, Task
from storage.scheduling.costs import FinishedJob, nominal_cost
from tests.support.jobs import make_job, make_plan
from tests.twins.publisher import MemoryPublisher
from tests.twins.records import MemoryJobStore


class Clock:
    """A clock that stands still until it is set."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_leases_end_by_the_clock() -> None:
    """At its end, not before, a lease can be taken over."""
    clock = Clock()
    store = MemoryJobStore(clock)
    job = make_job()
    store.create(job)
    task = Task(job.id, Stage.PLAN)
    assert store.claim(task, "a", lease_seconds=10, limit=2) is Claim.GRANTED
    clock.now += 9.9
    assert store.claim(task, "b", lease_seconds=10, limit=2) is Claim.HELD
    clock.now += 0.1
    assert store.claim(task, "b", lease_seconds=10, limit=2) is Claim.GRANTED


def test_times_come_from_the_clock() -> None:
    """What a finished job took is told by it."""
    clock = Clock()
    store = MemoryJobStore(clock)
    job = make_job()
    plan = make_plan()
    store.create(job)
    store.move(job.id, JobState.PLANNING)
    store.move(job.id, JobState.ENCODING, Changes(plan=plan))
    clock.now += 10
    store.move(job.id, JobState.PACKAGING)
    ready = store.move(job.id, JobState.READY)
    assert (ready.started_at, ready.encoding_at, ready.finished_at) == (1000.0, 1000.0, 1010.0)
    assert store.recent_finished() == (FinishedJob(nominal_cost(plan), 0.0, job.size, 1000.0, 1010.0),)


def test_a_test_delivers_the_twins_messages() -> None:
    """A delivered message stays pending until it is acknowledged."""
    publisher = MemoryPublisher()
    task = Task(make_job().id, Stage.PLAN)
    publisher.publish(task)
    assert publisher.deliver(ENCODE_QUEUE) is None
    assert publisher.deliver(CONTROL_QUEUE) == task
    assert publisher.deliver(CONTROL_QUEUE) is None
    assert publisher.pending() == {(task.job_id, task.field)}
    publisher.acknowledge(task)
    assert publisher.pending() == frozenset()

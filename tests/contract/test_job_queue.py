"""The queue as a whole in the JobStore contract: work, costs, totals, samples, on a real Redis."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.job_store.contract import JobStore
from storage.job_store.queue_contract import FINISHED_KEPT, Pause
from storage.model.job import JobState, Promise
from storage.model.layers import Layer
from storage.model.task import Stage, Task
from storage.scheduling.costs import Work, nominal_cost
from storage.scheduling.queue_rates import SAMPLES_KEPT, Totals
from tests.support.jobs import CREATED_AT, claim, created, encoding, make_plan, make_segments, with_plan
from tests.support.samples import EMPTY
from tests.support.waiting import wait_until
from tests.support.whole_queue import backlog


def finished(store: JobStore, task: Task, seconds: float) -> None:
    """Claim the task and finish it; it took so many seconds."""
    claim(store, task)
    store.finish(task, "a", {"made": True, "seconds": seconds})


def test_the_backlog_is_the_work_of_unfinished_jobs(job_store: JobStore) -> None:
    """Oldest first: what is planned, done and measured, what is out, and which attempts hold what of it."""
    running = encoding(job_store, segments=2)
    job_store.issue(plans=0, tasks=2)
    job_store.issue(plans=0, tasks=4)
    waiting = created(job_store, created_at=CREATED_AT + 1, owner="somebody", size=77)
    ended = created(job_store)
    job_store.move(ended.id, JobState.CANCELLED)
    first, second = (Task(running.id, Stage.SEGMENT, index) for index in range(2))
    finished(job_store, first, 2.5)
    finished(job_store, Task(running.id, Stage.POSTER), 0.5)
    claim(job_store, second, "other")
    job_store.report(second, "other", 40)
    claim(job_store, Task(running.id, Stage.AUDIO), "ran out", lease=0.01)
    assert running.plan is not None
    expected = Work(
        job_id=running.id,
        owner="local",
        state=JobState.ENCODING,
        size=running.size,
        nominal=nominal_cost(running.plan),
        segments=2,
        frames=200,
        frames_done=140,
        frames_finished=100,
        measured=3.0,
        start_target=running.start_target,
        target=running.start_target,
        held=((second.field, "other"),),
        out=(("audio:0", 0), (second.field, 60)),
    )
    start = waiting.start_target
    queued = Work(waiting.id, "somebody", JobState.QUEUED, 77, start_target=start, target=start)
    wait_until(lambda: backlog(job_store) == (expected, queued), seconds=5)
    assert job_store.get(running.id).encoder_seconds == pytest.approx(3.0)


def test_what_ready_jobs_took_is_kept(job_store: JobStore) -> None:
    """The cost of their tasks, when they began and were ready, and what was promised; of failed jobs nothing."""
    assert job_store.recent_finished() == ()
    promise = Promise(CREATED_AT + 1, CREATED_AT + 2)
    job = created(job_store, promise=promise)
    assert job_store.get(job.id).promise == promise
    job_store.move(job.id, JobState.PLANNING)
    changes = with_plan(segments=1)
    assert changes.plan is not None
    job_store.move(job.id, JobState.ENCODING, changes)
    job_store.move(encoding(job_store).id, JobState.FAILED)
    finished(job_store, Task(job.id, Stage.SEGMENT, 0), 4.25)
    job_store.move(job.id, JobState.PACKAGING)
    ready = job_store.move(job.id, JobState.READY)
    (took,) = job_store.recent_finished()
    assert took.nominal == pytest.approx(nominal_cost(changes.plan))
    assert (took.measured, took.size) == (4.25, job.size)
    assert ready.begun_at is not None
    assert took.begun_at is not None
    assert took.begun_at == pytest.approx(ready.begun_at, abs=1e-3)
    assert took.ready_at == pytest.approx(ready.finished_at, abs=1e-3)
    assert took.queued_at <= took.begun_at <= took.ready_at
    assert (took.promised_start, took.promised_ready) == (promise.start_at, promise.ready_at)


def test_only_the_last_ready_jobs_are_kept(job_store: JobStore) -> None:
    """A job that was promised nothing and made no picture is among them."""
    for _ in range(FINISHED_KEPT + 2):
        job = encoding(job_store, segments=1)
        job_store.move(job.id, JobState.PACKAGING)
        job_store.move(job.id, JobState.READY)
    kept = job_store.recent_finished()
    assert len(kept) == FINISHED_KEPT
    assert (kept[0].begun_at, kept[0].promised_start, kept[0].measured) == (None, None, 0.0)
    assert kept[0].ready_at >= kept[-1].ready_at


def test_a_job_that_starts_again_starts_from_nothing(job_store: JobStore) -> None:
    """What its first run cost and was promised is forgotten."""
    job = created(job_store, promise=Promise(1.0, 2.0))
    job_store.move(job.id, JobState.PLANNING)
    job_store.move(job.id, JobState.ENCODING, with_plan())
    finished(job_store, Task(job.id, Stage.SEGMENT, 0), 3.0)
    job_store.move(job.id, JobState.FAILED)
    again = job_store.move(job.id, JobState.QUEUED)
    assert (again.promise, again.encoder_seconds, again.begun_at) == (None, 0.0, None)


def test_a_new_plan_costs_anew(job_store: JobStore) -> None:
    """What segments of the old plan took says nothing of the new one."""
    job = encoding(job_store)
    finished(job_store, Task(job.id, Stage.SEGMENT, 0), 9.0)
    plan = make_plan(segments=1)
    job_store.replan(job.id, plan, make_segments(plan), ())
    (work,) = backlog(job_store)
    assert (work.frames_done, work.frames_finished, work.measured, work.segments) == (0, 0, 0.0, 1)


def test_totals_count_who_came_and_who_left(job_store: JobStore) -> None:
    """A retry comes once more; time passes for whoever is there; a repeated result is delivered once."""
    assert job_store.totals() == Totals()
    job, other = encoding(job_store), created(job_store)
    task = Task(job.id, Stage.SEGMENT, 0)
    finished(job_store, task, 1.5)
    job_store.finish(task, "a", {"seconds": 1.5})
    wait_until(lambda: job_store.idle_seconds(other.id) >= 0.2, seconds=5)
    job_store.move(other.id, JobState.CANCELLED)
    job_store.move(other.id, JobState.QUEUED)
    job_store.count_refusals({"queue_full": 2})
    job_store.count_refusals({"queue_full": 1, "storage_full": 1})
    totals = job_store.totals()
    assert (totals.arrived, totals.ended, totals.delivered) == (3, 1, 1.5)
    assert totals.stayed >= 0.2
    assert totals.refused == {"queue_full": 3, "storage_full": 1}


def test_samples_come_back_in_order_and_are_capped(job_store: JobStore) -> None:
    """The newest ones, oldest first."""
    assert job_store.samples(9) == ()
    taken = [replace(EMPTY, at=CREATED_AT + number, wait=0.1) for number in range(SAMPLES_KEPT + 3)]
    for sample in taken:
        job_store.record_sample(sample)
    assert job_store.samples(2) == tuple(taken[-2:])
    assert job_store.samples(SAMPLES_KEPT * 2) == tuple(taken[3:])


def test_workers_are_told_apart(job_store: JobStore) -> None:
    """Each with its slots, as long as its announcement holds."""
    job_store.announce("a:1", 2, seconds=60)
    job_store.announce("b:2", 3, seconds=60)
    assert job_store.workers() == {"a:1": 2, "b:2": 3}
    assert job_store.slots() == 5


def test_who_pauses_says_why(job_store: JobStore) -> None:
    """As long as it says so; who works again is not among them."""
    job_store.announce("a:1", 0, seconds=60, pause=Pause.SCRATCH)
    job_store.announce("b:2", 3, seconds=60)
    job_store.announce("c:3", 0, seconds=0.2, pause=Pause.OVERLOAD)
    wait_until(lambda: job_store.pauses() == {"a:1": Pause.SCRATCH})
    assert job_store.workers() == {"a:1": 0, "b:2": 3}
    job_store.announce("a:1", 2, seconds=60)
    assert (job_store.pauses(), job_store.slots()) == ({}, 5)


def test_what_a_sandbox_lacks_is_told_beside_the_slots(job_store: JobStore) -> None:
    """With a pause or without; a worker that lacks nothing is not among them."""
    job_store.announce("a:1", 0, seconds=60, pause=Pause.SCRATCH, lacks=(Layer.PORTS,))
    job_store.announce("b:2", 3, seconds=60, lacks=(Layer.FILES, Layer.PORTS))
    job_store.announce("c:3", 1, seconds=60)
    assert job_store.lacking() == {"a:1": (Layer.PORTS,), "b:2": (Layer.FILES, Layer.PORTS)}
    assert (job_store.pauses(), job_store.slots()) == ({"a:1": Pause.SCRATCH}, 4)

"""Sums of work, of the JobStore contract: whatever happens to jobs, they are those of the jobs that are there."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from storage.errors import ConflictError, HighShareError, JobNotFoundError, LeaseLostError
from storage.job_store.contract import JobStore
from storage.model.job import Job, JobState, Priority
from storage.model.task import Stage, Task
from storage.scheduling.costs import Estimate
from storage.scheduling.work_sums import Point
from tests.support.job_store import OwnJobStore
from tests.support.jobs import claim, created, finish_all, make_plan, make_segments, with_plan
from tests.support.sums_right import wrong_sums

STEPS = 60
Step = Callable[[JobStore, Job, random.Random], object]


def estimate(store: JobStore, job: Job, draw: random.Random) -> None:
    """Expect something of the job."""
    cost = draw.uniform(0.1, 1000.0)
    told = draw.choice((job.size * 1e-6, cost, 2 * cost))
    store.estimate(job.id, Estimate(cost, draw.uniform(0.1, 5.0), told, draw.uniform(0.0, 5000.0)))


def go_on(store: JobStore, job: Job, draw: random.Random) -> None:
    """Bring the job a step further, to its end in the end."""
    match job.state:
        case JobState.UPLOADING:
            store.create(replace(job, state=JobState.QUEUED, incomplete=False))
        case JobState.QUEUED:
            store.issue(plans=100, tasks=draw.randrange(10))
            store.move(job.id, JobState.PLANNING)
        case JobState.PLANNING:
            store.move(job.id, JobState.ENCODING, with_plan(segments=draw.randrange(1, 4)))
        case JobState.ENCODING:
            finish_all(store, job)
            store.move(job.id, JobState.PACKAGING)
        case JobState.PACKAGING:
            store.move(job.id, JobState.READY)
        case _:
            store.move(job.id, JobState.QUEUED)


def work_on(store: JobStore, job: Job, draw: random.Random) -> None:
    """Claim a segment, make pictures of it, and finish it or not."""
    store.issue(plans=100, tasks=draw.randrange(10))
    task = Task(job.id, Stage.SEGMENT, draw.randrange(3))
    claim(store, task)
    store.report(task, "a", draw.randrange(120))
    if draw.random() < 0.5:
        store.finish(task, "a", {"seconds": draw.uniform(0.1, 9.0)})


def replan(store: JobStore, job: Job, _: random.Random) -> None:
    """Plan the job anew."""
    plan = make_plan(segments=1)
    store.replan(job.id, plan, make_segments(plan), ())


STEPS_OF_A_JOB: tuple[Step, ...] = (
    estimate,
    go_on,
    go_on,
    work_on,
    replan,
    lambda store, job, draw: store.prioritise(job.id, draw.choice(list(Priority))),
    lambda store, job, _: store.move(job.id, JobState.CANCELLED),
    lambda store, job, _: store.delete(job.id),
    lambda store, job, _: store.estimate(job.id, None),
)


@pytest.mark.parametrize("seed", range(4))
def test_sums_are_those_of_the_jobs(job_store: JobStore, seed: int) -> None:
    """After every step of every kind, in whatever order they come; and nothing is left when all have gone."""
    draw, ids = random.Random(seed), list[str]()
    for _ in range(STEPS):
        owner, arrives = draw.choice(("one", "two", "a third: 100 % «ü»")), draw.random() < 0.3
        state = JobState.UPLOADING if arrives else JobState.QUEUED
        ids.append(created(job_store, owner=owner, state=state, incomplete=arrives).id)
        for job_id in draw.sample(ids, k=min(len(ids), 3)):
            with suppress(ConflictError, JobNotFoundError, HighShareError, LeaseLostError):
                draw.choice(STEPS_OF_A_JOB)(job_store, job_store.get(job_id), draw)
        assert list(wrong_sums(job_store)) == []
    for job_id in ids:
        job_store.delete(job_id)
    assert list(wrong_sums(job_store)) == []
    assert (job_store.active(), job_store.owners_over(-1.0), job_store.last_planned(9)) == ((), (), ())


def test_an_estimate_sets_the_target_of_a_job_without_a_plan(job_store: JobStore) -> None:
    """Once, for each time that it is in flight: what is learned later moves nobody's place."""
    job = created(job_store)
    assert job_store.estimate(job.id, Estimate(40.0, 2.5, 30.0, 100.0))
    assert job_store.estimate(job.id, Estimate(80.0, 2.5, 30.0, 900.0))
    (work,) = job_store.works([job.id])
    assert work.target == pytest.approx(job.start_target + 100.0 * job.in_flight, abs=1e-3)
    assert (work.cost, work.start_cost, work.told) == (80.0, 2.5, 30.0)
    (sums,) = job_store.sums([Point(work.target)])
    assert (sums.before, sums.reach) == (2.5, 30.0)
    job_store.move(job.id, JobState.CANCELLED)
    assert not job_store.estimate(job.id, Estimate(1.0, 1.0, 1.0, 0.0))


def test_sums_that_were_lost_come_back_as_jobs_are_counted() -> None:
    """As for jobs of a version that kept none: the janitor counts each in its turn."""
    store = OwnJobStore()
    jobs = [created(store) for _ in range(3)]
    for job in jobs:
        store.estimate(job.id, Estimate(40.0, 2.5, 30.0, 100.0))
    store.lose_sums()
    assert list(wrong_sums(store)) != []
    for job in jobs:
        store.estimate(job.id, None)
    assert list(wrong_sums(store)) == []

"""Reading the queue, and the samples that are taken of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.model.job import JobState
from storage.model.task import Stage, Task
from storage.scheduling.newcomers import NOBODY, Newcomers
from storage.scheduling.queue_rates import SAMPLE_SECONDS, rates
from storage.services.queue_reading import read_queue, record_sample, take_sample
from tests.support.job_store import OwnJobStore
from tests.support.jobs import claim, created, encoding
from tests.support.samples import EMPTY
from web.read.queue_figures import history


def test_announced_slots_count_and_until_then_those_that_are_meant() -> None:
    """A web service that starts before its encoders does not take itself for dead."""
    store = OwnJobStore()
    created(store)
    assert read_queue(store, encoders=3).outlook.capacity == 3.0
    store.announce("a:1", 8, seconds=60)
    reading = read_queue(store, encoders=3)
    assert (reading.outlook.capacity, reading.slots) == (8.0, 8)


def test_a_sample_tells_waiting_from_running() -> None:
    """Begun is what has a picture; busy are encoders, not planners."""
    store = OwnJobStore()
    store.announce("a:1", 2, seconds=60)
    running, waiting = encoding(store), created(store)
    task = Task(running.id, Stage.SEGMENT, 0)
    claim(store, task)
    store.report(task, "a", 10)
    claim(store, Task(waiting.id, Stage.PLAN))
    store.count_refusals({"queue_full": 2, "draining": 1})
    sample = take_sample(store, now=5.0)
    assert (sample.at, sample.waiting, sample.running, sample.slots, sample.busy) == (5.0, 1, 1, 2, 1)
    assert sample.wait == pytest.approx((sample.waiting_work + sample.running_work) / 2)
    assert (sample.arrived, sample.ended, sample.refused) == (2, 0, 3)


def test_what_came_before_the_first_sample_counts() -> None:
    """Four jobs of a fresh installation are no arrival rate of nothing; later samples have no such help."""
    store = OwnJobStore()
    for _ in range(4):
        created(store)
    store.count_refusals({"queue_full": 2})
    record_sample(store, now=1000.0)
    record_sample(store, now=1000.0 + SAMPLE_SECONDS)
    found = rates(store.samples(10))
    assert found.seconds == 2 * SAMPLE_SECONDS
    assert found.arrival == pytest.approx(4 / (2 * SAMPLE_SECONDS))
    shown = history(store.samples(10))
    assert (shown["waiting"], shown["arrived"], shown["refused"]) == ([4, 4], [24.0, 12.0], [12.0, 6.0])


def test_newcomers_are_like_those_of_the_last_minutes() -> None:
    """Nobody is expected before a minute was seen and a job is ready."""
    store = OwnJobStore()
    job = encoding(store, segments=1)
    task = Task(job.id, Stage.SEGMENT, 0)
    claim(store, task)
    store.finish(task, "a", {"seconds": 4.0})
    store.move(job.id, JobState.PACKAGING)
    store.move(job.id, JobState.READY)
    store.record_sample(replace(EMPTY, at=1000.0, arrived=1))
    store.record_sample(replace(EMPTY, at=1050.0, arrived=7))
    assert read_queue(store, encoders=1).outlook.newcomers == NOBODY
    store.record_sample(replace(EMPTY, at=1100.0, arrived=11))
    assert read_queue(store, encoders=1).outlook.newcomers == Newcomers(1100.0, 0.1, (4.0,))

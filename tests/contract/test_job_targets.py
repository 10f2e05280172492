"""A job's place among all, of the JobStore contract: a script computes what storage.scheduling.fairness says."""

from __future__ import annotations

import random
import time
from contextlib import suppress

import pytest

from storage.errors import HighShareError
from storage.job_store.contract import JobStore
from storage.model.job import Job, JobState, Priority
from storage.scheduling.costs import Work
from storage.scheduling.fairness import LEAD_SECONDS, START_ALONE_SECONDS, STRETCH, in_flight_after, target
from tests.support.jobs import CREATED_AT, created, with_plan
from tests.support.whole_queue import backlog, owners_jobs

ARRIVALS = 25
# The store keeps six decimals.
NEAR = 1e-3  # of times, in seconds: what it rounds is multiplied
VERY_NEAR = 2e-6  # of how many are in flight


def happens(store: JobStore, work: Work, draw: random.Random) -> None:
    """Let the job end, go on or get another priority."""
    match draw.choice(("end", "go on", "prioritise")):
        case "end":
            store.move(work.job_id, JobState.CANCELLED)
        case "go on" if work.state is JobState.QUEUED:
            store.move(work.job_id, JobState.PLANNING)
        case "go on" if work.state is JobState.PLANNING:
            store.move(work.job_id, JobState.ENCODING, with_plan())
        case _:
            with suppress(HighShareError):
                store.prioritise(work.job_id, draw.choice(list(Priority)))


def accepted_at(job: Job) -> float:
    """Return when the job came, from where its start stands."""
    return job.start_target + LEAD_SECONDS[job.priority] - STRETCH * START_ALONE_SECONDS * job.in_flight


@pytest.mark.parametrize("seed", range(6))
def test_a_newcomer_stands_where_fairness_puts_it(job_store: JobStore, seed: int) -> None:
    """Whatever its owner has here already, in whichever states and priorities, and whatever has ended since."""
    draw = random.Random(seed)
    for place in range(ARRIVALS):
        owner, priority = draw.choice("abc"), draw.choice(list(Priority))
        others = owners_jobs(backlog(job_store), owner)
        before = time.time()
        job = created(job_store, owner=owner, priority=priority, created_at=CREATED_AT + place)
        came = accepted_at(job)
        assert before - NEAR <= came <= time.time() + NEAR
        assert job.in_flight == pytest.approx(
            in_flight_after(came, others.count + 1, others.latest_start), abs=VERY_NEAR
        )
        expected = target(came, START_ALONE_SECONDS, in_flight=job.in_flight, priority=priority)
        assert job.start_target == pytest.approx(expected, abs=NEAR)
        assert job.target == job.start_target
        unfinished = backlog(job_store)
        for work in draw.sample(unfinished, k=min(len(unfinished), 2)):
            happens(job_store, work, draw)

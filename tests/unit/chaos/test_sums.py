"""Sums that are kept are held against those that are counted."""

from __future__ import annotations

from storage.model.job import JobState
from storage.services import Services
from tests.chaos.sums import Sums, sums_of, wrong_sums
from tests.support.jobs import make_job


def test_a_sum_that_is_kept_otherwise_than_counted_is_named() -> None:
    """Each by its name, one that only one side knows too."""
    sums = Sums(kept={"jobs": 2, "work": 1.5}, counted={"jobs": 3, "work": 1.5, "told": 1})
    assert list(wrong_sums(sums, "at the end")) == [
        "jobs, at the end: 2 kept, 3 counted",
        "told, at the end: None kept, 1 counted",
    ]


def test_the_sums_of_a_real_store_are_right(services: Services) -> None:
    """With jobs that wait, one that is worked on, and one that has ended."""
    jobs = services.jobs
    made = [make_job() for _ in range(4)]
    for job in made:
        jobs.create(job)
    jobs.move(made[0].id, JobState.PLANNING)
    jobs.move(made[1].id, JobState.CANCELLED)
    sums = sums_of(jobs)
    assert sums.counted == {"unfinished jobs": 3, "waiting jobs": 2, "active jobs": 1}
    assert list(wrong_sums(sums, "now")) == []

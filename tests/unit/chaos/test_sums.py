"""The check of sums: silent where all is right, and a sentence for what is not."""

from __future__ import annotations

from storage.model.job import JobState
from storage.scheduling.costs import Estimate
from tests.chaos.sums import wrong_now
from tests.support.job_store import OwnJobStore
from tests.support.jobs import created, encoding


def test_the_sums_of_a_store_are_right_until_they_are_lost() -> None:
    """Whatever its jobs are doing; what is told names the moment."""
    jobs = OwnJobStore()
    for job in (created(jobs), encoding(jobs)):
        jobs.estimate(job.id, Estimate(40.0, 2.5, 30.0, 100.0))
    jobs.move(created(jobs).id, JobState.CANCELLED)
    assert list(wrong_now(jobs, "at the end")) == []
    jobs.lose_sums()
    told = list(wrong_now(jobs, "at the end"))
    assert told
    assert all(sentence.startswith("at the end: ") for sentence in told)

"""A look at a long queue costs what is worked on, and still counts all jobs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from storage.job_store.contract import Claim
from storage.model.job import JobState
from storage.model.task import Stage, Task
from storage.services import Services
from tests.chaos.journal import Journal
from tests.chaos.watcher import Watcher
from tests.support.jobs import make_job


def test_jobs_that_only_wait_are_counted_and_no_more(services: Services, redis_url: str, tmp_path: Path) -> None:
    """One whose plan was issued is looked at, and stays so when it waits again: what held it is to be seen."""
    with closing(Journal(tmp_path)) as journal:
        jobs, watcher = services.jobs, Watcher(redis_url, journal)
        made = [make_job() for _ in range(3)]
        for job in made:
            jobs.create(job)
        assert watcher.look().unfinished == frozenset()
        assert watcher.look().all_unfinished == 3
        (task,) = jobs.issue(plans=1, tasks=1)
        assert jobs.claim(task, "host_11_aa", lease_seconds=60.0, limit=3) is Claim.GRANTED
        seen = watcher.look()
        assert seen.unfinished == {task.job_id}
        assert {held.piece for held in seen.held} == {(task.job_id, Task(task.job_id, Stage.PLAN).field)}
        jobs.move(task.job_id, JobState.FAILED)
        jobs.move(task.job_id, JobState.QUEUED)
        again = watcher.look()
        assert again.unfinished == {task.job_id}
        assert again.all_unfinished == 3

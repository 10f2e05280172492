"""The real stages at work behind a page: one piece after another, as far as a test wants."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from storage.model.job import Job, JobState
from storage.model.plan import Plan
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import step


@dataclass
class Encoder:
    """Works at a job, one piece after another, and notes when how much of it could be watched."""

    services: Services
    settings: Settings
    edges: list[tuple[float, float]] = field(default_factory=list)

    def work_until(self, done: Callable[[Job], bool], job_id: str) -> Plan:
        """Work until the job is as wanted; return its plan."""
        while not done(job := self.services.jobs.get(job_id)):
            assert step(self.services, self.settings), "nothing is left to do"
            self.edges.append((time.time(), self._edge(job_id)))
        assert job.plan is not None
        return job.plan

    def _edge(self, job_id: str) -> float:
        plan, results = self.services.jobs.get(job_id).plan, self.services.jobs.results(job_id)
        if plan is None:
            return 0.0
        done = [result["frames"] for field, result in results.items() if field.startswith("segment:")]
        return float(sum(done) / plan.rate)

    def edge_at(self, moment: float) -> float:
        """Return up to where the job could be watched at a moment of Unix time."""
        return max((edge for when, edge in self.edges if when <= moment), default=0.0)


def is_ready(job: Job) -> bool:
    """Tell whether all is done."""
    return job.state is JobState.READY

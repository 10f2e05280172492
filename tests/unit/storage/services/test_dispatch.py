"""How tasks come to the broker, and what happens while it is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.errors import BrokerDownError, TransitionError
from storage.model.job import JobState
from storage.model.task import Stage, Task
from storage.objects.local import LocalObjectStore
from storage.services import Services
from storage.services.dispatch import begin_packaging, dispatch_or_leave, finish_task
from tests.support.job_store import OwnJobStore
from tests.support.jobs import claim, created, encoding
from tests.support.memory_publisher import MemoryPublisher


class AwayPublisher(MemoryPublisher):
    """A broker that does not answer."""

    def publish(self, task: Task) -> None:
        """Raise as the real ones do."""
        raise BrokerDownError(detail=f"The broker is away: {task.field}.")


def services(tmp_path: Path, publisher: MemoryPublisher) -> Services:
    """Return the parts, each of this test alone."""
    return Services(jobs=OwnJobStore(), objects=LocalObjectStore(tmp_path), publisher=publisher)


def test_an_outage_is_left_to_the_janitor(tmp_path: Path) -> None:
    """Neither an upload nor an attempt that ended is refused for it, and the task stays issued."""
    parts = services(tmp_path, AwayPublisher())
    job = created(parts.jobs)
    dispatch_or_leave(parts)
    assert parts.jobs.out(job.id) == {"plan:0"}


def test_a_task_that_is_due_is_published(tmp_path: Path) -> None:
    """A new job's first task is there to be taken."""
    parts = services(tmp_path, MemoryPublisher())
    job = created(parts.jobs)
    dispatch_or_leave(parts)
    assert parts.publisher.pending() == {(job.id, "plan:0")}


def test_the_last_task_of_encoding_brings_packaging(tmp_path: Path) -> None:
    """Whoever finishes it moves the job on and publishes what comes next; nobody does so before."""
    parts = services(tmp_path, MemoryPublisher())
    job = encoding(parts.jobs, segments=1, audio=False)
    for task, stage in (
        (Task(job.id, Stage.POSTER), JobState.ENCODING),
        (Task(job.id, Stage.SEGMENT), JobState.PACKAGING),
    ):
        parts.jobs.issue(plans=1, tasks=9)
        claim(parts.jobs, task)
        finish_task(parts, task, "a", {"made": True, "frames": 100, "rungs": {}})
        assert parts.jobs.get(job.id).state is stage
    assert (job.id, "package:0") in parts.publisher.pending()


def test_packaging_begins_once(tmp_path: Path) -> None:
    """The state machine refuses a job that is not encoding."""
    parts = services(tmp_path, MemoryPublisher())
    with pytest.raises(TransitionError):
        begin_packaging(parts, created(parts.jobs).id)
    assert not parts.publisher.pending()

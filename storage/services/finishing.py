"""What follows a task's end, whoever brings it about."""

from __future__ import annotations

from typing import Any

from storage.model.job import JobState, Stage, Task
from storage.services import Services


def finish_task(services: Services, task: Task, attempt: str, result: dict[str, Any]) -> None:
    """Record the result of the attempt that holds the task; whoever finishes the last one moves the job on.

    Raises what `TaskStore.finish`, `RecordStore.move` and `Publisher.publish` do.
    """
    if services.jobs.finish(task, attempt, result):
        services.jobs.move(task.job_id, JobState.PACKAGING)
        services.publisher.publish(Task(task.job_id, Stage.PACKAGE))

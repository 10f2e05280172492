"""Dispatch: how tasks come to the broker.

They go there in the order of their jobs' targets, and no more of them than the encoders need. Whoever earns the queue
room calls this: a job that was accepted, an attempt that ended; the janitor does in every round, for encoders that came
and jobs that went.
"""

from __future__ import annotations

from typing import Any

import structlog

from storage.errors import BusyError
from storage.faults import of_one_job
from storage.model.job import JobState
from storage.model.task import Stage, Task
from storage.scheduling.fairness import budget, plans_budget
from storage.services import Services

_log = structlog.get_logger()


def dispatch(services: Services) -> None:
    """Publish the tasks that are due, of all jobs. Raises BusyError.

    What was issued and could not be published is found by the janitor; early work is done later then.
    """
    slots = services.jobs.slots()
    due = services.jobs.issue(plans=plans_budget(slots), tasks=budget(slots))
    for task in (*due, *services.jobs.issue_early(slots)):
        with of_one_job("dispatch", task.job_id, services.jobs.count_fault):
            services.publisher.publish(task)


def dispatch_or_leave(services: Services) -> None:
    """Publish the tasks that are due; an outage leaves them to the janitor, and is nobody's error."""
    try:
        dispatch(services)
    except BusyError as error:
        _log.warning("nothing dispatched, left to the janitor", error=str(error))


def begin_packaging(services: Services, job_id: str) -> None:
    """Move the job on to packaging and publish its last task. Raises ConflictError, JobNotFoundError, BusyError."""
    services.jobs.move(job_id, JobState.PACKAGING)
    services.publisher.publish(Task(job_id, Stage.PACKAGE))


def finish_task(services: Services, task: Task, attempt: str, result: dict[str, Any]) -> None:
    """Record the result of the attempt that holds the task; whoever finishes the last one moves the job on.

    Raises what `TaskStore.finish`, `RecordStore.move` and `Publisher.publish` do.
    """
    if services.jobs.finish(task, attempt, result):
        begin_packaging(services, task.job_id)

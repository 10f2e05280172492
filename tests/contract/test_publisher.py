"""The Publisher contract, on the in-memory twin and on Celery over a real Redis."""

from __future__ import annotations

from storage.jobs import Stage, Task, new_job_id
from storage.publishing import Publisher


def test_nothing_is_pending_at_first(publisher: Publisher) -> None:
    """An empty broker holds nothing."""
    assert publisher.pending() == frozenset()


def test_published_tasks_are_pending(publisher: Publisher) -> None:
    """Each task is told by its job and field, whatever queue it is in; twice the same is one."""
    job_id = new_job_id()
    tasks = [Task(job_id, stage) for stage in Stage] + [Task(job_id, Stage.SEGMENT, 17)]
    for task in (*tasks, tasks[0]):
        publisher.publish(task)
    assert publisher.pending() == {(job_id, task.field) for task in tasks}

"""The Publisher contract, on the in-memory twin and on Celery over a real Redis and a real RabbitMQ."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.broker.contract import ENCODE_QUEUE, FIRST_QUEUE, Publisher
from storage.model.task import Stage, Task
from storage.settings import Settings
from tests.support.deliveries import work_off
from web.routes.uploading import new_job_id

WorkOff = Callable[[str], Task]


@pytest.fixture
def take(publisher: Publisher, broker_settings: Settings | None) -> WorkOff:
    """Give a call that works off a queue's next message."""
    return lambda queue: work_off(publisher, broker_settings, queue)


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


def test_what_was_worked_off_is_pending_no_more(publisher: Publisher, take: WorkOff) -> None:
    """A task leaves with its message; the others, in its queue and elsewhere, stay."""
    job_id = new_job_id()
    first, *rest = (Task(job_id, Stage.SEGMENT, index) for index in (1, 2, 0))
    for task in (first, *rest):
        publisher.publish(task)
    assert take(ENCODE_QUEUE) == first
    assert publisher.pending() == {(job_id, task.field) for task in rest}


def test_a_queue_is_first_in_first_out(publisher: Publisher, take: WorkOff) -> None:
    """Tasks come as they were published, and are pending again when they are published again."""
    job_id = new_job_id()
    poster, audio = Task(job_id, Stage.POSTER), Task(job_id, Stage.AUDIO)
    for task in (poster, audio):
        publisher.publish(task)
    assert [take(FIRST_QUEUE), take(FIRST_QUEUE)] == [poster, audio]
    assert publisher.pending() == frozenset()
    publisher.publish(poster)
    assert publisher.pending() == {(job_id, poster.field)}
    assert take(FIRST_QUEUE) == poster

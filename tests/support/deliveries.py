"""Being a worker towards each broker: taking a queue's next message, and acknowledging it or giving it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery
from kombu.message import Message

from storage.broker.celery_app import make_celery
from storage.broker.contract import Publisher
from storage.model.task import Stage, Task
from storage.settings import Settings
from tests.support.memory_publisher import MemoryPublisher
from tests.support.waiting import wait_until

PATIENCE = 2.0


class Worker:
    """One that holds a connection to the broker of these settings."""

    def __init__(self, settings: Settings) -> None:
        self.app: Celery = make_celery(settings, PATIENCE)
        self.connection: Any = self.app.connection_for_read()

    def take(self, queue: str) -> Message:
        """Return the queue's next message, delivered and not acknowledged."""
        bound, taken = self.app.amqp.queues[queue](self.connection.default_channel), list[Message]()

        def came() -> bool:
            message = bound.get()
            taken.extend([message] if message else [])
            return bool(taken)

        wait_until(came, what=f"a message in {queue}")
        return taken[0]


@contextmanager
def worker_of(settings: Settings) -> Iterator[Worker]:
    """Run a worker, whose connection ends with it."""
    worker = Worker(settings)
    try:
        yield worker
    finally:
        worker.connection.release()


def task_of(message: Message) -> Task:
    """Return the task that a message tells."""
    (job_id, index), _, _ = message.decode()
    return Task(job_id, Stage(message.headers["task"].removeprefix("rungs.")), index)


def work_off(publisher: Publisher, settings: Settings | None, queue: str) -> Task:
    """Take the queue's next message as a worker does, acknowledge it, return its task; None are the twin's settings."""
    if settings is None:
        assert isinstance(publisher, MemoryPublisher)
        task = publisher.deliver(queue)
        assert task is not None
        publisher.taken(task)
        publisher.acknowledge(task)
        return task
    with worker_of(settings) as worker:
        message = worker.take(queue)
        task = task_of(message)
        publisher.taken(task)
        message.ack()
        return task

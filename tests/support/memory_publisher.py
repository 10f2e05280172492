"""The publisher's in-memory twin: a broker in this process, for tests that need no server."""

from __future__ import annotations

from collections import deque

from storage.broker.contract import QUEUES, queue_of
from storage.model.task import Task


class MemoryPublisher:
    """A Publisher whose messages a test delivers and acknowledges itself."""

    def __init__(self) -> None:
        self._queued: dict[str, deque[Task]] = {queue: deque() for queue in QUEUES}
        self._delivered: list[Task] = []

    def publish(self, task: Task) -> None:
        """See Publisher.publish."""
        self._queued[queue_of(task)].append(task)

    def taken(self, task: Task) -> None:
        """See Publisher.taken: `deliver` has seen it."""

    def pending(self) -> frozenset[tuple[str, str]]:
        """See Publisher.pending."""
        tasks = (*self._delivered, *(task for queue in self._queued.values() for task in queue))
        return frozenset((task.job_id, task.field) for task in tasks)

    def deliver(self, queue: str) -> Task | None:
        """Return the queue's next task, which stays pending until it is acknowledged; None when there is none."""
        if not self._queued[queue]:
            return None
        task = self._queued[queue].popleft()
        self._delivered.append(task)
        return task

    def acknowledge(self, task: Task) -> None:
        """Forget a delivered task."""
        self._delivered.remove(task)

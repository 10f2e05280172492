"""The broker's in-memory twin, whose messages a test delivers itself."""

from __future__ import annotations

from storage.broker.contract import CONTROL_QUEUE, ENCODE_QUEUE
from storage.model.task import Stage, Task
from tests.support.jobs import make_job
from tests.support.memory_publisher import MemoryPublisher


def test_a_test_delivers_the_twins_messages() -> None:
    """A delivered message stays pending until it is acknowledged."""
    publisher = MemoryPublisher()
    task = Task(make_job().id, Stage.PLAN)
    publisher.publish(task)
    assert publisher.deliver(ENCODE_QUEUE) is None
    assert publisher.deliver(CONTROL_QUEUE) == task
    assert publisher.deliver(CONTROL_QUEUE) is None
    assert publisher.pending() == {(task.job_id, task.field)}
    publisher.acknowledge(task)
    assert publisher.pending() == frozenset()

"""Publishing by task name: producer and consumer share the queue's names and delivery options, and nothing else."""

from __future__ import annotations

from typing import Protocol

from storage.model.task import Stage, Task

CONTROL_QUEUE = "control"  # short tasks of planning and packaging: never behind hours of encoding
FIRST_QUEUE = "first"  # what lets a new job's playback start: encoders take from it before the other one
ENCODE_QUEUE = "encode"
QUEUES = (CONTROL_QUEUE, FIRST_QUEUE, ENCODE_QUEUE)

TASK_NAMES: dict[Stage, str] = {stage: f"rungs.{stage}" for stage in Stage}


def queue_of(task: Task) -> str:
    """Return the queue a task belongs to."""
    if not task.is_encoding:
        return CONTROL_QUEUE
    late = task.stage.is_early or (task.stage is Stage.SEGMENT and task.index > 0)
    return ENCODE_QUEUE if late else FIRST_QUEUE


class Publisher(Protocol):
    """Puts tasks at the broker. Every method raises BusyError while the broker, or what it needs beside, is away."""

    def publish(self, task: Task) -> None:
        """Publish one task; it is durable at the broker when this returns."""

    def taken(self, task: Task) -> None:
        """Note that a worker was delivered a message of this task; to be called before it is claimed."""

    def pending(self) -> frozenset[tuple[str, str]]:
        """Return (job id, task field) of all messages that wait at the broker.

        A message that was delivered and is not acknowledged may be among them or not: its lease tells of it. What is
        not among them twice, seconds apart, and has no lease, was lost.
        """

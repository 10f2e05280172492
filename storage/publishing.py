"""Publishing by task name: producer and consumer share the queue's names and delivery options, and nothing else."""

from __future__ import annotations

from typing import Protocol

from storage.jobs import Stage, Task

CONTROL_QUEUE = "control"  # short tasks of planning and packaging: never behind hours of encoding
ENCODE_QUEUE = "encode"

TASK_NAMES: dict[Stage, str] = {stage: f"rungs.{stage}" for stage in Stage}

QUEUES: dict[Stage, str] = {
    Stage.PLAN: CONTROL_QUEUE,
    Stage.PACKAGE: CONTROL_QUEUE,
    Stage.POSTER: ENCODE_QUEUE,
    Stage.AUDIO: ENCODE_QUEUE,
    Stage.SEGMENT: ENCODE_QUEUE,
}


class Publisher(Protocol):
    """Puts tasks at the broker. Raises JobStoreDownError when the broker is away."""

    def publish(self, task: Task) -> None:
        """Publish one task; it is durable at the broker when this returns."""

    def pending(self) -> frozenset[tuple[str, str]]:
        """Return (job id, task field) of all messages at the broker, queued or delivered and not acknowledged."""

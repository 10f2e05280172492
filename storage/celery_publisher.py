"""Publishing through Celery over Redis, and looking at what the broker holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from celery import Celery

from storage.jobs import Task
from storage.publishing import QUEUES, TASK_NAMES, queue_of
from storage.redis_client import PatientRedis, persevere

_UNACKED = "unacked"  # kombu's hash of delivered messages: delivery tag -> [message, exchange, routing key]
_JOB_HEADER = "rungs_job"
_FIELD_HEADER = "rungs_field"


class CeleryPublisher:
    """A Publisher on Celery's broker; `redis` reads the same Redis. Nothing connects before the first call."""

    def __init__(self, app: Celery, redis: PatientRedis, *, patience: float) -> None:
        self._app = app
        self._redis = redis
        self._patience = patience

    def publish(self, task: Task) -> None:
        """See Publisher.publish: Redis answers a push after it is on disk (`appendfsync always`).

        A push whose answer was lost is repeated; the task may then be delivered twice, which is harmless.
        """
        task_id = f"{task.job_id}/{task.field}/{uuid4().hex[:12]}"
        headers = {_JOB_HEADER: task.job_id, _FIELD_HEADER: task.field}

        def send() -> None:
            self._app.send_task(
                TASK_NAMES[task.stage],
                args=[task.job_id, task.index],
                task_id=task_id,
                queue=queue_of(task),
                headers=headers,
            )

        persevere(send, patience=self._patience)

    def pending(self) -> frozenset[tuple[str, str]]:
        """See Publisher.pending. A message is in neither place for a moment between queue and delivery."""

        def read() -> list[list[str]]:
            pipeline = self._redis.client.pipeline(transaction=True)
            for queue in QUEUES:
                pipeline.lrange(queue, 0, -1)
            pipeline.hvals(_UNACKED)
            answer: list[list[str]] = pipeline.execute()
            return answer

        *queued, unacked = self._redis.call(read)
        messages = [json.loads(text) for queue in queued for text in queue]
        messages += [json.loads(text)[0] for text in unacked]
        return frozenset(_tasks(messages))


def _tasks(messages: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield job id and task field of each message of ours; others (Celery's own) have no such headers."""
    for message in messages:
        headers = message["headers"]
        if _JOB_HEADER in headers:
            yield headers[_JOB_HEADER], headers[_FIELD_HEADER]

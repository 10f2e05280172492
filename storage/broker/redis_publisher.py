"""Publishing through Celery over Redis, and looking at what the broker holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from celery import Celery

from storage.broker.celery_app import FIELD_HEADER, JOB_HEADER, send
from storage.broker.contract import QUEUES
from storage.model.task import Task
from storage.redis_client import REDIS_AWAY, PatientRedis
from storage.retrying import retry_until

_UNACKED = "unacked"  # kombu's hash of delivered messages: delivery tag -> [message, exchange, routing key]


class RedisPublisher:
    """A Publisher on Celery's broker; `redis` reads the same Redis. Nothing connects before the first call."""

    def __init__(self, app: Celery, redis: PatientRedis, *, patience: float) -> None:
        self._app = app
        self._redis = redis
        self._patience = patience

    def publish(self, task: Task) -> None:
        """See Publisher.publish: Redis answers a push after it is on disk (`appendfsync always`).

        A push whose answer was lost is repeated; the task may then be delivered twice, which is harmless.
        """
        retry_until(lambda: send(self._app, task), REDIS_AWAY, patience=self._patience)

    def taken(self, task: Task) -> None:
        """See Publisher.taken: Redis shows by itself what it holds."""

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
        texts = (*(text for queue in queued for text in queue), *unacked)
        return frozenset(_tasks(texts))


def _tasks(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield job id and task field of each message of ours; others, Celery's own or anybody's, are passed over."""
    for text in texts:
        try:
            found = json.loads(text)
            headers = (found[0] if isinstance(found, list) else found)["headers"]
            job_id, field = str(headers[JOB_HEADER]), str(headers[FIELD_HEADER])
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            continue
        yield job_id, field

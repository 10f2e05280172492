"""The tally: which tasks have a message waiting at a broker that cannot list its messages, kept in Redis.

A task is noted before it is published and struck off when a worker was delivered its message. So the tally names too
much only where a publisher died between note and message, or the broker lost what it held. Such a note is found out,
as a queue is first in, first out: it is void once a message was taken that was published well after it.
"""

from __future__ import annotations

from storage.broker.contract import queue_of
from storage.model.task import Task
from storage.redis_client import PatientRedis, load_script

# Messages reach their queue in nearly the order of their notes; where an outage kept a publisher waiting for longer,
# the janitor may publish once more.
SLACK_SECONDS = 30.0


class Tally:
    """Notes on all queues; every method raises JobStoreDownError when Redis is away."""

    def __init__(self, redis: PatientRedis) -> None:
        self._redis = redis
        self._add = redis.client.register_script(load_script(__package__, "add"))
        self._taken = redis.client.register_script(load_script(__package__, "taken"))
        self._waiting = redis.client.register_script(load_script(__package__, "waiting"))

    def add(self, task: Task) -> bool:
        """Note that a message of the task is about to be published; False if it was noted, then the note is renewed."""
        return bool(self._redis.call(lambda: self._add(keys=_keys(queue_of(task)), args=[_note(task)])))

    def taken(self, task: Task) -> None:
        """Strike the task off: a worker was delivered its message."""
        self._redis.call(lambda: self._taken(keys=_keys(queue_of(task)), args=[_note(task)]))

    def forget(self, task: Task) -> None:
        """Strike the task off: its message was not published."""
        self._redis.call(lambda: self._redis.client.zrem(_keys(queue_of(task))[0], _note(task)))

    def waiting(self, queue: str) -> frozenset[tuple[str, str]]:
        """Return (job id, task field) of the messages noted for the queue; drop void notes."""
        notes = self._redis.call(lambda: self._waiting(keys=_keys(queue), args=[SLACK_SECONDS]))
        return frozenset((job_id, field) for job_id, _, field in (note.partition(" ") for note in notes))


def _keys(queue: str) -> list[str]:
    return [f"rungs:tally:{queue}", f"rungs:tally-taken:{queue}"]


def _note(task: Task) -> str:
    return f"{task.job_id} {task.field}"

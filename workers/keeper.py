"""The lease keeper: keeps this worker's delivered messages from being given to others while it works on them.

kombu's Redis transport has no real acknowledgement: a delivered message stands in the sorted set `unacked_index` with
its time of delivery, and any worker puts those older than the visibility timeout back into their queues. With the
timeout at seconds, so that a killed worker's messages are soon elsewhere, a live worker has to move its own forward
(measured, DESIGN §5). Other transports have real acknowledgements and need none of this. With each beat the worker also
says to the others how many slots it has, and shows its health check that it is connected and alive.

It beats on the worker's own event loop, not in a thread: the pool forks its children from this process, and a fork
while a thread holds any lock (an import's, measured) gives a child that hangs for ever with its message kept alive.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from celery import bootsteps
from redis.exceptions import RedisError

from storage.errors import BusyError

KEEP_SECONDS = 2.0  # a quarter of the visibility timeout: three beats may be lost

_log = structlog.get_logger()


class LeaseKeeper(bootsteps.StartStopStep):  # type: ignore[misc] # celery has no types
    """A consumer step: starts anew with each connection to the broker, because delivery tags belong to a channel."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        """Begin to keep with the new connection."""
        arguments = (consumer.task_consumer.channel, consumer.app.on_beat)
        self._timer = consumer.timer.call_repeatedly(KEEP_SECONDS, beat, arguments)

    def stop(self, consumer: Any) -> None:  # noqa: ARG002 - the step's signature
        """End with the connection."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def beat(channel: Any, on_beat: Callable[[], None]) -> None:
    """Keep what this channel delivered, if the broker is Redis, and say that this worker is alive."""
    try:
        if hasattr(channel, "unacked_index_key"):
            keep_tags(channel, delivered_tags(channel))
        on_beat()
    except (RedisError, BusyError) as error:
        _log.warning("messages could not be kept", error=str(error))


def delivered_tags(channel: Any) -> list[str]:
    """Return the tags of messages this channel delivered and has not acknowledged."""
    return list(channel.qos._delivered)  # noqa: SLF001 - kombu has no public way; a contract test guards it


def keep_tags(channel: Any, tags: list[str]) -> None:
    """Set the tags' time to now. XX: a tag that is gone has been given to somebody else and stays gone."""
    if tags:
        with channel.conn_or_acquire() as client:
            client.zadd(channel.unacked_index_key, dict.fromkeys(tags, time.time()), xx=True)

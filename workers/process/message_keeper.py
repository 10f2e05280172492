"""The message keeper: keeps this worker's delivered messages from being given to others while it works on them.

kombu's Redis transport has no real acknowledgement: a delivered message stands in the sorted set `unacked_index` with
its time of delivery, and any worker puts those older than the visibility timeout back into their queues. With the
timeout at seconds, so that a killed worker's messages are soon elsewhere, a live worker has to move its own forward
(measured, docs/design.md#delivery). Other transports have real acknowledgements and need none of this. With each beat
the worker also says to the others how many slots it has, and shows its health check that it is connected and alive.

And a connection that breaks just as a task's end is acknowledged leaves its message with the channel for good: Celery
only logs it, the slot's credit is never given back, and without credit kombu does not notice that it has to connect
anew. Kept alive, such a message cost a slot until the worker was started again (seen in `make chaos`, one run of many).
So what is delivered and belongs to no task at work is acknowledged with the next beat.

It beats on the worker's own event loop, not in a thread: the pool forks its children from this process, and a fork
while a thread holds any lock (an import's, measured) gives a child that hangs for ever with its message kept alive.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

import structlog
from celery import bootsteps
from celery.worker import state
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from storage.errors import BusyError, JobStoreDownError
from storage.faults import of_one_job

KEEP_SECONDS = 2.0  # a quarter of the visibility timeout: three beats may be lost

_log = structlog.get_logger()


class MessageKeeper(bootsteps.StartStopStep):  # type: ignore[misc] # celery has no types
    """A consumer step: starts anew with each connection to the broker, because delivery tags belong to a channel."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        """Begin to keep with the new connection."""
        arguments = (
            consumer.task_consumer.channel,
            tags_at_work,
            consumer.app.on_beat,
            consumer.app.children.count_fault,
        )
        self._timer = consumer.timer.call_repeatedly(KEEP_SECONDS, beat, arguments)

    def stop(self, consumer: Any) -> None:  # noqa: ARG002 - the step's signature
        """End with the connection."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def beat(
    channel: Any,
    at_work: Callable[[], Collection[str]],
    on_beat: Callable[[], None],
    count_fault: Callable[[str], None] = lambda _: None,
) -> None:
    """Keep what this channel delivered, if the broker is Redis, and say that this worker is alive.

    `at_work` returns the tags of what is being worked on; `count_fault` is told where one message's fault was passed
    over.
    """
    try:
        if hasattr(channel, "unacked_index_key"):
            acknowledge_ended(channel, at_work(), count_fault)
            keep_tags(channel, delivered_tags(channel))
        on_beat()
    except (RedisError, BusyError) as error:
        _log.warning("messages could not be kept", error=str(error))


def tags_at_work() -> frozenset[str]:
    """Return the tags of the messages whose tasks this worker has begun or is to begin; Celery's own record of them."""
    return frozenset(request.message.delivery_tag for request in state.reserved_requests)


def acknowledge_ended(
    channel: Any, at_work: Collection[str], count_fault: Callable[[str], None] = lambda _: None
) -> None:
    """Acknowledge what this channel delivered and nobody works on any more: its own acknowledgement was lost.

    On the event loop a message that came is a request before anything else happens, so none is overtaken.
    """
    for tag in delivered_tags(channel):
        if tag not in at_work:
            with of_one_job("message", tag, count_fault):
                _acknowledge(channel, tag)


def _acknowledge(channel: Any, tag: str) -> None:
    """Acknowledge late. Raises JobStoreDownError: an outage is no message's fault."""
    try:
        channel.basic_ack(tag)
    except (RedisConnectionError, RedisTimeoutError) as error:
        raise JobStoreDownError(detail=str(error)) from error
    _log.warning("acknowledged late", tag=tag)


def delivered_tags(channel: Any) -> list[str]:
    """Return the tags of messages this channel delivered and has not acknowledged.

    kombu drops what was acknowledged from its list as late as with the next delivery.
    """
    qos = channel.qos
    return [tag for tag in qos._delivered if tag not in qos._dirty]  # noqa: SLF001 - kombu has no public way; a contract test guards it


def keep_tags(channel: Any, tags: list[str]) -> None:
    """Set the tags' time to now. XX: a tag that is gone has been given to somebody else and stays gone."""
    if tags:
        with channel.conn_or_acquire() as client:
            client.zadd(channel.unacked_index_key, dict.fromkeys(tags, time.time()), xx=True)

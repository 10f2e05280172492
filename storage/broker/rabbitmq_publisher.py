"""Publishing through Celery over RabbitMQ, whose queues cannot be listed: a tally in Redis says what waits there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amqp.exceptions import AMQPError, NotFound
from celery import Celery
from kombu.connection import Connection
from kombu.exceptions import OperationalError

from storage.broker.celery_app import send
from storage.broker.contract import QUEUES
from storage.broker.tally import Tally
from storage.errors import BrokerDownError
from storage.model.task import Task
from storage.retrying import Outage, retry_until, socket_timeout

RABBITMQ_AWAY = Outage(
    # A wrong password may be mended too, and a queue that somebody deleted is declared again by the next try.
    failures=(AMQPError, OperationalError, OSError),
    passes=lambda _: True,
    error=BrokerDownError,
    detail="RabbitMQ does not answer or does not keep what it is sent.",
)


class RabbitMQPublisher:
    """A Publisher on quorum queues; `tally` is kept beside the job records. Nothing connects before the first call."""

    def __init__(self, app: Celery, tally: Tally, *, patience: float) -> None:
        self._app = app
        self._tally = tally
        self._patience = patience

    def publish(self, task: Task) -> None:
        """See Publisher.publish: RabbitMQ confirms a message that is on the disks of most nodes of its queue.

        A message whose confirmation was lost is sent again; the task may then be delivered twice, which is harmless.
        """
        new = self._tally.add(task)  # before the message: a note that came after its delivery would stay

        def try_once() -> None:
            with self._connection() as connection:
                producer = self._app.amqp.Producer(connection)
                # Mandatory: a queue that is not there (deleted, say) is an error, not a message confirmed and dropped.
                send(self._app, task, producer=producer, mandatory=True, confirm_timeout=socket_timeout(self._patience))

        try:
            retry_until(try_once, RABBITMQ_AWAY, patience=self._patience)
        except BrokerDownError:
            if new:
                self._tally.forget(task)
            raise

    def taken(self, task: Task) -> None:
        """See Publisher.taken."""
        self._tally.taken(task)

    def pending(self) -> frozenset[tuple[str, str]]:
        """See Publisher.pending: what the tally says of queues that are not empty, so never a delivered message."""
        return frozenset().union(*map(self._waiting, QUEUES))

    def _waiting(self, queue: str) -> frozenset[tuple[str, str]]:
        notes = self._tally.waiting(queue)
        if not notes:
            return notes
        empty = retry_until(lambda: self._is_empty(queue), RABBITMQ_AWAY, patience=self._patience)
        return frozenset() if empty else notes

    def _is_empty(self, queue: str) -> bool:
        """Tell whether no message waits in the queue; those that were delivered do not count."""
        try:
            with self._connection() as connection:
                channel: Any = connection.default_channel
                if channel.queue_declare(queue, passive=True).message_count:
                    return False
                # A queue most of whose nodes are away counts as empty too, but a message can be had only from most.
                message = channel.basic_get(queue)
                if message is not None:
                    channel.basic_reject(message.delivery_tag, requeue=True)
                return message is None
        except NotFound:
            return True

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Lend a connection of the pool; one on which something failed is cut off.

        A confirmation that came late would count for the next message, and a polite end would wait for the server.
        """
        with self._app.pool.acquire(block=True) as connection:
            try:
                yield connection
            except Exception:
                connection.collect()
                raise

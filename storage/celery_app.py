"""Celery: the one place with the broker's and the delivery's options (DESIGN §5), and publishing by task name.

Producers and consumers must share these values: the visibility timeout above all.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.entity import Exchange, Queue

from storage.publishing import CONTROL_QUEUE, QUEUES
from storage.redis_client import socket_timeout
from storage.settings import Settings

# Seconds after which a message whose worker went silent is delivered again; the lease keeper renews every 2 s.
VISIBILITY_SECONDS = 8
# Seconds a worker that is told to stop gives its tasks to end or hand back; the grace period of whoever stops it must
# be longer by 3 s or more.
SOFT_SHUTDOWN_SECONDS = 10

_TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": VISIBILITY_SECONDS,
    # The sweep for silent workers' messages: every 2 s, not every tenth time of 10 s, and a sweeper that dies holds
    # the others up for 5 s, not 5 minutes.
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "unacked_mutex_expire": 5,
    # A worker of several queues empties the first before it looks at the next.
    "queue_order_strategy": "priority",
    "socket_keepalive": True,
    # A consumer whose Redis froze notices within this and the next second.
    "health_check_interval": 5,
    # Tries of kombu itself at connecting; who publishes perseveres by the clock, see storage.redis_client.
    "max_retries": 0,
}

_OPTIONS: dict[str, Any] = {
    # A message is acknowledged when its task ended, so a killed worker's message is delivered again.
    "task_acks_late": True,
    # A failed attempt is acknowledged too: whether there is another one, the job's record decides.
    "task_acks_on_failure": True,
    "task_acks_on_timeout": True,
    # A killed pool child: neither Celery's retry (its delay is an ETA, which raises the prefetch count) nor a reject
    # (it comes back while the dead attempt's lease still lives, and would be dropped). The worker's main process gets
    # the task_failure signal instead, and the janitor finds what is left.
    "task_retry_on_worker_lost": False,
    "task_reject_on_worker_lost": False,
    "worker_lost_wait": 2.0,  # seconds from a child's death to that signal; 10 by default
    # One message for each slot, none in reserve: the rest stays in the queue for other workers. Without the second
    # option a reconnect takes one extra.
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    # On Redis a lost connection is no lost message: the task goes on and its lease tells who owns it.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    # Without results there is nothing to keep or to clean; the job's record has them.
    "task_ignore_result": True,
    "result_backend": None,
    # Never pickle: who can write to Redis must not run code.
    "task_serializer": "json",
    "event_serializer": "json",
    "accept_content": ["json"],
    # Redis may be away for longer than the 100 tries after which a worker would exit, and may refuse commands (memory
    # or disk full), which without the last option ends a worker.
    "broker_connection_retry": True,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_channel_error_retry": True,
    # Persevering is done by the clock around each publish.
    "task_publish_retry": False,
    # A misspelt queue is an error, not a new queue that nobody consumes.
    "task_create_missing_queues": False,
    "task_default_queue": CONTROL_QUEUE,
    "worker_soft_shutdown_timeout": SOFT_SHUTDOWN_SECONDS,
    # Logs are the project's own.
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}


def make_celery(settings: Settings, patience: float) -> Celery:
    """Return the Celery app of a process whose publishing perseveres for `patience` seconds; nothing connects."""
    app = Celery("rungs", broker=_broker_url(settings.broker), set_as_current=False)
    timeout = socket_timeout(patience)
    # Without them a frozen Redis blocks a publish for ever.
    timeouts = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    app.conf.update(_OPTIONS)
    app.conf.update(
        broker_transport_options=_TRANSPORT_OPTIONS | timeouts,
        broker_connection_timeout=timeout,
        task_queues=[_queue(name) for name in QUEUES],
    )
    return app


def _queue(name: str) -> Queue:
    return Queue(name, Exchange(name), routing_key=name)  # type: ignore[no-untyped-call] # kombu's entities have none


def _broker_url(url: str) -> str:
    """Return the URL as kombu writes it: a socket of Redis has another scheme there."""
    return f"redis+socket://{url.removeprefix('unix://')}" if url.startswith("unix://") else url

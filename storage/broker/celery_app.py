"""Celery: the one place with the brokers' and the delivery's options, and publishing by task name.

Producers and consumers must share these values: the visibility timeout and the arguments of queues above all.
docs/design.md#delivery has the measurements behind them.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from celery import Celery
from kombu.entity import Exchange, Queue

from storage.broker.contract import CONTROL_QUEUE, QUEUES, TASK_NAMES, queue_of
from storage.model.task import Task
from storage.retrying import socket_timeout
from storage.settings import Settings

# Headers by which a message tells its task to whoever looks at it without decoding it.
JOB_HEADER = "rungs_job"
FIELD_HEADER = "rungs_field"

# Seconds after which a message whose worker went silent is delivered again; the lease keeper renews every 2 s.
VISIBILITY_SECONDS = 8
# Seconds a worker that is told to stop gives its tasks to end or hand back; the grace period of whoever stops it must
# be longer by 3 s or more.
SOFT_SHUTDOWN_SECONDS = 10

# A worker that fell silent, or a RabbitMQ that did, is noticed by the other within twice this.
HEARTBEAT_SECONDS = 10
# Seconds after which RabbitMQ takes a worker that holds a message for stuck: above the longest attempt (24 h). Before
# 3.12 a queue's own value means nothing and the server's counts, see docs/rabbitmq.md.
HOLDING_SECONDS = 25 * 3600

# Of kombu itself at connecting: who publishes perseveres by the clock, see storage.retrying.
_ONE_TRY = {"max_retries": 0}

_REDIS_TRANSPORT: dict[str, Any] = {
    "visibility_timeout": VISIBILITY_SECONDS,
    # The sweep for silent workers' messages: every second, not every tenth time of 10 s, so that with the 8 s above a
    # dead worker's message is out again within 9 s; and a sweeper that dies holds the others up for 5 s, not 5 minutes.
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "unacked_mutex_expire": 5,
    # A worker of several queues empties the first before it looks at the next.
    "queue_order_strategy": "priority",
    "socket_keepalive": True,
    # A consumer whose Redis froze notices within this and the next second.
    "health_check_interval": 5,
    **_ONE_TRY,
}

_QUORUM_QUEUE: dict[str, Any] = {
    "x-queue-type": "quorum",
    "x-consumer-timeout": HOLDING_SECONDS * 1000,
    # Attempts are counted in the job's record. From 4.0 on RabbitMQ would drop a message that came back 20 times; and
    # only with a limit does what comes back go to the head of its queue in every version.
    "x-delivery-limit": 1_000_000,
}

_OPTIONS: dict[str, Any] = {
    # A message is acknowledged when its task ended, so a killed worker's message is delivered again.
    "task_acks_late": True,
    # A failed attempt is acknowledged too: whether there is another one, the job's record decides.
    "task_acks_on_failure": True,
    "task_acks_on_timeout": True,
    # A killed pool child: neither Celery's retry (its delay is an ETA, which raises the prefetch count) nor a reject
    # (it comes back while the dead attempt's lease still lives, and would be dropped, without a count). The worker's
    # main process ends the lease and publishes the task anew, see workers.process.pool_children.
    "task_retry_on_worker_lost": False,
    "task_reject_on_worker_lost": False,
    # One message for each slot, none in reserve: the rest stays in the queue for other workers.
    "worker_prefetch_multiplier": 1,
    # A lost connection is no lost task: it goes on, and its lease tells who owns it.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    # Nobody steers workers through the broker, and the channel for it ends a busy worker whose Redis goes away: kombu
    # stops closing the lost connection there, and at the second try it stumbles over what is half closed.
    "worker_enable_remote_control": False,
    # Without results there is nothing to keep or to clean; the job's record has them.
    "task_ignore_result": True,
    "result_backend": None,
    # Never pickle: who can write to the broker must not run code.
    "task_serializer": "json",
    "event_serializer": "json",
    "accept_content": ["json"],
    # The broker may be away for longer than the 100 tries after which a worker would exit, and may refuse commands
    # (memory or disk full), which without the last option ends a worker.
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
    app.conf.update(_OPTIONS, broker_connection_timeout=timeout)
    app.conf.update(_on_rabbitmq(settings.broker, timeout) if settings.on_rabbitmq else _on_redis(timeout))
    return app


def send(app: Celery, task: Task, **options: Any) -> None:
    """Publish the task once, by its name, into its queue; `options` are those of Celery's send_task."""
    app.send_task(
        TASK_NAMES[task.stage],
        args=[task.job_id, task.index],
        task_id=f"{task.job_id}/{task.field}/{uuid4().hex[:12]}",
        queue=queue_of(task),
        headers={JOB_HEADER: task.job_id, FIELD_HEADER: task.field},
        **options,
    )


def _on_redis(timeout: float) -> dict[str, Any]:
    # Without them a frozen Redis blocks a publish for ever.
    timeouts = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    return {
        "broker_transport_options": _REDIS_TRANSPORT | timeouts,
        "task_queues": _queues(None),
        # Without it a reconnect takes one message more than there are slots.
        "worker_disable_prefetch": True,
    }


def _on_rabbitmq(url: str, timeout: float) -> dict[str, Any]:
    # None: the name in the URL, which the server's certificate must show. Unless told, py-amqp does not look.
    tls = {"broker_use_ssl": {"server_hostname": None}} if url.startswith("amqps:") else {}
    return tls | {
        # Confirmed: a publish returns when the message is on the disks of most nodes, and fails if nobody says so.
        # Without the timeouts a frozen RabbitMQ blocks it for ever.
        "broker_transport_options": {
            "confirm_publish": True,
            "read_timeout": timeout,
            "write_timeout": timeout,
            **_ONE_TRY,
        },
        "broker_heartbeat": HEARTBEAT_SECONDS,
        "task_queues": _queues(_QUORUM_QUEUE),
    }


def _queues(arguments: dict[str, Any] | None) -> list[Queue]:
    return [Queue(name, Exchange(name), routing_key=name, queue_arguments=arguments) for name in QUEUES]


def _broker_url(url: str) -> str:
    """Return the URL as kombu writes it: a socket of Redis has another scheme there."""
    return f"redis+socket://{url.removeprefix('unix://')}" if url.startswith("unix://") else url

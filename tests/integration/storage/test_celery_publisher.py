"""What publishing means to Celery and kombu themselves: their keys, their messages, their options."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from celery import Celery
from kombu import Connection, Message

from storage.celery_app import VISIBILITY_SECONDS, make_celery
from storage.jobs import Stage, Task, new_job_id
from storage.publishing import CONTROL_QUEUE, ENCODE_QUEUE, FIRST_QUEUE, TASK_NAMES
from storage.services import Services
from storage.settings import Settings

PATIENCE = 2.0
WAIT_SECONDS = 10.0


@pytest.fixture
def app(real_settings: Settings) -> Celery:
    """Give an app as a worker has it."""
    return make_celery(real_settings, PATIENCE)


@pytest.fixture
def connection(app: Celery) -> Iterator[Connection]:
    """Give a connection as a worker's consumer has it."""
    with app.connection_for_read() as connection:
        yield connection


def take(app: Celery, connection: Connection, queue: str) -> Message:
    """Return the queue's next message, delivered and not acknowledged."""
    taken: list[Message] = []
    consumer = app.amqp.TaskConsumer(connection, queues=[app.amqp.queues[queue]], on_message=taken.append)
    consumer.qos(prefetch_count=1)
    with consumer:
        connection.drain_events(timeout=WAIT_SECONDS)
    return taken[0]


def test_a_message_is_what_celery_expects(services: Services, app: Celery, connection: Connection) -> None:
    """Name, arguments and a task id that tells the job; no result is wanted; the body is JSON."""
    task = Task(new_job_id(), Stage.SEGMENT, 3)
    services.publisher.publish(task)
    message = take(app, connection, ENCODE_QUEUE)
    args, kwargs, _ = message.decode()
    assert (message.headers["task"], args, kwargs) == (TASK_NAMES[Stage.SEGMENT], [task.job_id, 3], {})
    assert message.headers["id"].startswith(f"{task.job_id}/segment:3/")
    assert message.content_type == "application/json"
    assert message.headers["eta"] is None
    message.ack()


def test_a_delivered_message_is_pending_until_acknowledged(
    services: Services, app: Celery, connection: Connection
) -> None:
    """Between delivery and acknowledgement the broker still answers for it."""
    task = Task(new_job_id(), Stage.PLAN)
    services.publisher.publish(task)
    message = take(app, connection, CONTROL_QUEUE)
    assert services.publisher.pending() == {(task.job_id, task.field)}
    message.ack()
    assert services.publisher.pending() == frozenset()


def test_a_message_given_back_is_pending(services: Services, app: Celery, connection: Connection) -> None:
    """A message that was rejected and queued again keeps what tells its task."""
    task = Task(new_job_id(), Stage.AUDIO)
    services.publisher.publish(task)
    take(app, connection, FIRST_QUEUE).requeue()
    assert services.publisher.pending() == {(task.job_id, task.field)}
    take(app, connection, FIRST_QUEUE).ack()


def test_publishing_after_redis_lost_everything(services: Services, redis_url: str) -> None:
    """An emptied Redis forgot kombu's bindings too; messages must reach their queues all the same."""
    services.publisher.publish(Task(new_job_id(), Stage.PLAN))
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        task = Task(new_job_id(), Stage.PACKAGE)
        services.publisher.publish(task)
        assert client.llen(CONTROL_QUEUE) == 1
    assert services.publisher.pending() == {(task.job_id, task.field)}


def test_messages_of_others_are_not_ours(services: Services, app: Celery) -> None:
    """What Celery or a person put into our queues does not confuse the count."""
    app.send_task("celery.ping", queue=CONTROL_QUEUE)
    assert services.publisher.pending() == frozenset()


def test_delivery_options_are_the_ones_of_the_design(app: Celery, connection: Connection) -> None:
    """The values reach kombu's channel under the names it reads, and none is misspelt."""
    channel = connection.default_channel
    assert channel.visibility_timeout == VISIBILITY_SECONDS
    assert (channel.unacked_restore_interval, channel.unacked_restore_throttle) == (2, 1)
    assert channel.unacked_mutex_expire == 5
    assert (channel.socket_timeout, channel.socket_connect_timeout) == (PATIENCE, PATIENCE)
    assert channel.health_check_interval == 5
    conf = app.conf
    assert (conf.task_acks_late, conf.worker_prefetch_multiplier, conf.worker_disable_prefetch) == (True, 1, True)
    assert conf.broker_connection_max_retries is None
    assert conf.worker_cancel_long_running_tasks_on_connection_loss is False


def test_every_option_is_one_that_celery_knows(app: Celery) -> None:
    """A misspelt option would be kept and ignored in silence."""
    known = set(Celery("plain", set_as_current=False).conf.keys())
    assert set(app.conf.changes) <= known

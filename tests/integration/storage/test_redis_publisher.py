"""Redis as broker: what kombu keeps where, and the options that the delivery rests on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from storage.broker.celery_app import VISIBILITY_SECONDS
from storage.broker.contract import CONTROL_QUEUE
from storage.model.task import Stage, Task
from storage.services import Services
from storage.settings import Settings
from tests.support.deliveries import PATIENCE, Worker, worker_of
from web.routes.uploading import new_job_id


@pytest.fixture
def worker(real_settings: Settings) -> Iterator[Worker]:
    """Give somebody who takes messages."""
    with worker_of(real_settings) as worker:
        yield worker


def test_a_delivered_message_is_pending_until_acknowledged(services: Services, worker: Worker) -> None:
    """Between delivery and acknowledgement Redis still answers for it."""
    task = Task(new_job_id(), Stage.PLAN)
    services.publisher.publish(task)
    message = worker.take(CONTROL_QUEUE)
    services.publisher.taken(task)
    assert services.publisher.pending() == {(task.job_id, task.field)}
    message.ack()
    assert services.publisher.pending() == frozenset()


def test_publishing_after_redis_lost_everything(services: Services, redis_url: str) -> None:
    """An emptied Redis forgot kombu's bindings too; messages must reach their queues all the same."""
    services.publisher.publish(Task(new_job_id(), Stage.PLAN))
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        task = Task(new_job_id(), Stage.PACKAGE)
        services.publisher.publish(task)
        assert client.llen(CONTROL_QUEUE) == 1
    assert services.publisher.pending() == {(task.job_id, task.field)}


def test_delivery_options_are_the_ones_of_the_design(worker: Worker) -> None:
    """The values reach kombu's channel under the names it reads, and none is misspelt."""
    channel = worker.connection.default_channel
    assert channel.visibility_timeout == VISIBILITY_SECONDS
    assert (channel.unacked_restore_interval, channel.unacked_restore_throttle) == (1, 1)
    assert channel.unacked_mutex_expire == 5
    assert (channel.socket_timeout, channel.socket_connect_timeout) == (PATIENCE, PATIENCE)
    assert channel.health_check_interval == 5
    assert worker.app.conf.worker_disable_prefetch is True

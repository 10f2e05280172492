"""kombu's private parts that the message keeper rests on: they exist, and behave as it expects, on a real Redis."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from kombu.messaging import Consumer
from kombu.transport.redis import Channel
from kombu.transport.virtual import Message
from pydantic import SecretStr

from storage.broker.celery_app import VISIBILITY_SECONDS, make_celery
from storage.broker.contract import CONTROL_QUEUE
from storage.broker.redis_publisher import RedisPublisher
from storage.model.task import Stage, Task
from storage.redis_client import PatientRedis
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import submit
from tests.support.lossy_proxy import LossyProxy
from tests.support.servers import RedisServer
from tests.support.stack import READY_SECONDS, Clip, running
from tests.support.waiting import wait_until
from tests.support.worker_server import WorkerServer
from web.routes.uploading import new_job_id
from workers.process.message_keeper import acknowledge_ended, beat, delivered_tags, keep_tags

UNACKED, INDEX = "unacked", "unacked_index"
LONG_AGO = 60.0
ACKNOWLEDGEMENT = b"ZREM\r\n$13\r\nunacked_index"  # on the wire; the keeper's own command adds


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Give a plain client that sees what kombu writes; what a test spoilt is gone before others use the same Redis."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client
        client.flushall()


@pytest.fixture
def tag(services: Services, channel: Channel) -> str:
    """Give the tag of a message that was published and delivered to the channel."""
    services.publisher.publish(Task(new_job_id(), Stage.PLAN))
    message = channel.basic_get(CONTROL_QUEUE)
    assert message is not None
    return str(message.delivery_tag)


def test_a_delivered_message_is_known_by_its_tag(channel: Channel, client: redis.Redis, tag: str) -> None:
    """The channel lists what it delivered, and Redis holds it under the names that publisher and keeper use."""
    assert channel.unacked_index_key == INDEX
    assert channel.unacked_key == UNACKED
    assert delivered_tags(channel) == [tag]
    assert client.zrange(INDEX, 0, -1) == [tag]
    message, _, queue = json.loads(client.hget(UNACKED, tag) or "[]")
    assert (queue, "rungs_job" in message["headers"]) == (CONTROL_QUEUE, True)


def test_a_consumed_message_is_known_by_its_tag(
    services: Services, channel: Channel, client: redis.Redis, real_settings: Settings
) -> None:
    """What a worker's consumer takes (BRPOP, not RPOP) is listed in the same place, until it is acknowledged."""
    services.publisher.publish(Task(new_job_id(), Stage.PLAN))
    queue = next(queue for queue in make_celery(real_settings, 2.0).conf.task_queues if queue.name == CONTROL_QUEUE)
    taken: list[Message] = []
    with Consumer(channel, [queue], on_message=taken.append, prefetch_count=1):
        channel.connection.client.drain_events(timeout=10)
        assert delivered_tags(channel) == [taken[0].delivery_tag] == client.zrange(INDEX, 0, -1)
        taken[0].ack()
        assert client.zrange(INDEX, 0, -1) == []


def test_a_rejected_message_is_back_and_forgotten(channel: Channel, client: redis.Redis, tag: str) -> None:
    """It is next in its queue, and a beat that still knows its tag does not bring it back."""
    channel.basic_reject(tag, requeue=True)
    assert delivered_tags(channel) == []
    keep_tags(channel, [tag])
    assert (client.exists(UNACKED), client.exists(INDEX)) == (0, 0)
    assert client.llen(CONTROL_QUEUE) == 1


def test_a_channel_that_is_closed_hands_back_what_it_had(channel: Channel, client: redis.Redis, tag: str) -> None:
    """A worker that stops does not leave its messages to the sweep of others."""
    assert client.hexists(UNACKED, tag)
    channel.close()
    assert client.llen(CONTROL_QUEUE) == 1
    assert (client.exists(UNACKED), client.exists(INDEX)) == (0, 0)


def test_the_index_holds_the_time_of_delivery(channel: Channel, client: redis.Redis, tag: str) -> None:
    """In Unix seconds of the worker's clock, as the keeper writes it; the sweep compares them with the timeout."""
    assert abs(time.time() - float(client.zscore(INDEX, tag) or 0)) < LONG_AGO / 2
    assert channel.visibility_timeout == VISIBILITY_SECONDS
    assert channel.qos.visibility_timeout == VISIBILITY_SECONDS
    client.zadd(INDEX, {tag: time.time() - VISIBILITY_SECONDS / 2})
    channel.qos.restore_visible(interval=1)
    assert client.llen(CONTROL_QUEUE) == 0


def test_the_tag_is_moved_forward(channel: Channel, client: redis.Redis, tag: str) -> None:
    """After a beat the message is as young as if it had just been delivered."""
    client.zadd(INDEX, {tag: time.time() - LONG_AGO})
    keep_tags(channel, delivered_tags(channel))
    assert time.time() - float(client.zscore(INDEX, tag) or 0) < LONG_AGO / 2


def test_a_tag_that_was_given_away_never_comes_back(channel: Channel, client: redis.Redis, tag: str) -> None:
    """What another worker's sweep took is not put back into the index by the beat of the first."""
    client.zrem(INDEX, tag)
    keep_tags(channel, delivered_tags(channel))
    assert client.zrange(INDEX, 0, -1) == []


def test_an_acknowledged_message_is_forgotten(channel: Channel, client: redis.Redis, tag: str) -> None:
    """After the acknowledgement Redis holds nothing, and a beat that still knows the tag does not bring it back."""
    channel.basic_ack(tag)
    assert delivered_tags(channel) == []
    keep_tags(channel, [tag])
    assert (client.exists(UNACKED), client.exists(INDEX)) == (0, 0)


def test_a_kept_message_is_not_restored_and_an_old_one_is(channel: Channel, client: redis.Redis, tag: str) -> None:
    """The sweep for silent workers' messages leaves what was kept and requeues what was not."""
    client.zadd(INDEX, {tag: time.time() - LONG_AGO})
    keep_tags(channel, delivered_tags(channel))
    channel.qos.restore_visible(interval=1)
    assert client.llen(CONTROL_QUEUE) == 0
    client.zadd(INDEX, {tag: time.time() - LONG_AGO})
    client.delete(channel.unacked_mutex_key)
    channel.qos.restore_visible(interval=1)
    assert client.llen(CONTROL_QUEUE) == 1


def test_a_lost_connection_can_be_closed(own_redis: RedisServer, settings: Settings) -> None:
    """As a busy worker's when Redis dies: anything but a connection error would end the worker."""
    app = make_celery(settings.model_copy(update={"redis_url": SecretStr(own_redis.url)}), 2.0)
    with app:
        publisher = RedisPublisher(app, PatientRedis(own_redis.url, patience=2.0), patience=2.0)
        publisher.publish(Task(new_job_id(), Stage.PLAN))
    connection = app.connection_for_read()
    channel = connection.default_channel
    assert channel.basic_get(CONTROL_QUEUE) is not None
    channel._active_queues.append(CONTROL_QUEUE)
    channel._queue_cycle.update([CONTROL_QUEUE])
    channel.connection.cycle._register_BRPOP(channel)
    # A second channel would be closed first, and its failure would leave this one open.
    assert not app.conf.worker_enable_remote_control
    own_redis.kill()
    with suppress(redis.ConnectionError):
        connection.collect(socket_timeout=1)
    with suppress(redis.ConnectionError):
        connection.close()


def test_a_beat_shows_that_the_worker_lives(channel: Channel, tmp_path: Path) -> None:
    """With nothing to keep the sign of life is given all the same."""
    beat(channel, frozenset, (tmp_path / "alive").touch)
    assert (tmp_path / "alive").exists()


def test_a_beat_without_redis_shows_no_life(channel: Channel, tag: str, tmp_path: Path, client: redis.Redis) -> None:
    """While the broker refuses, the worker neither dies nor looks alive."""
    client.delete(INDEX)
    client.set(INDEX, "no sorted set")
    beat(channel, lambda: {tag}, (tmp_path / "alive").touch)
    assert not (tmp_path / "alive").exists()
    assert delivered_tags(channel) == [tag]


def test_what_is_at_work_is_kept_and_what_ended_is_acknowledged(
    channel: Channel, tag: str, tmp_path: Path, client: redis.Redis
) -> None:
    """A message of no task is done with, and its credit comes back; one of a task stays."""
    channel.qos.prefetch_count = 1
    beat(channel, lambda: {tag}, (tmp_path / "alive").touch)
    assert (client.zrange(INDEX, 0, -1), channel.qos.can_consume()) == ([tag], False)
    beat(channel, frozenset, (tmp_path / "alive").touch)
    assert (client.exists(UNACKED), client.exists(INDEX), channel.qos.can_consume()) == (0, 0, True)


def test_an_acknowledgement_that_failed_keeps_its_credit(own_redis: RedisServer, settings: Settings) -> None:
    """Why the keeper makes up for it: Celery acknowledges once, and kombu holds on to what Redis did not hear of."""
    app = make_celery(settings.model_copy(update={"redis_url": SecretStr(own_redis.url)}), 2.0)
    with app:
        RedisPublisher(app, PatientRedis(own_redis.url, patience=2.0), patience=2.0).publish(
            Task(new_job_id(), Stage.PLAN)
        )
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        channel.qos.prefetch_count = 1
        message = channel.basic_get(CONTROL_QUEUE)
        own_redis.kill()
        message.ack_log_error(logging.getLogger(), (redis.ConnectionError,))
        own_redis.start()
        assert not channel.qos.can_consume()
        acknowledge_ended(channel, ())
        assert channel.qos.can_consume()
        assert channel.client.exists(UNACKED, INDEX) == 0


def test_a_lost_acknowledgement_costs_no_slot(real_settings: Settings, tmp_path: Path, clip: Clip) -> None:
    """The connection breaks at the end of a task, each time until Celery has given up: the only slot goes on."""
    source = clip("slot.mp4", seconds=1, audio=False)
    parts = running(real_settings, tmp_path, "janitor", "control")
    with LossyProxy(redis_port(real_settings)) as door, closing(parts):
        stack = next(parts)
        through = real_settings.model_copy(update={"redis_url": SecretStr(f"redis://127.0.0.1:{door.port}/0")})
        worker = WorkerServer(tmp_path / "encoder", "encode", through)
        stack.workers.append(worker)
        worker.start()
        door.forbidden = ACKNOWLEDGEMENT
        first = submit(stack.services, source)
        wait_until(lambda: "Couldn't ack" in worker.log(), seconds=READY_SECONDS, what="a lost acknowledgement")
        door.forbidden = b""
        stack.assert_ready(first, attempts=1)
        stack.assert_ready(submit(stack.services, source), attempts=1)
        stack.assert_clean()


def redis_port(settings: Settings) -> int:
    """Return the port of the settings' Redis."""
    return urlsplit(settings.redis_url.get_secret_value()).port or 0

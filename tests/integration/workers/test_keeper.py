"""kombu's private parts that the lease keeper rests on: they exist, and behave as it expects, on a real Redis."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu.transport.redis import Channel

from storage.celery_app import make_celery
from storage.jobs import Stage, Task, new_job_id
from storage.publishing import CONTROL_QUEUE
from storage.services import Services
from storage.settings import Settings
from workers.keeper import beat, delivered_tags, keep_tags

UNACKED, INDEX = "unacked", "unacked_index"
LONG_AGO = 60.0


@pytest.fixture
def channel(real_settings: Settings) -> Iterator[Channel]:
    """Give a channel of the workers' own transport, with their options."""
    with make_celery(real_settings, 2.0).connection_for_read() as connection:
        yield connection.default_channel


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Give a plain client that sees what kombu writes."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


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
    keep_tags(channel, delivered_tags(channel))
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


def test_a_beat_shows_that_the_worker_lives(channel: Channel, tmp_path: Path) -> None:
    """With nothing to keep the sign of life is given all the same."""
    beat(channel, (tmp_path / "alive").touch)
    assert (tmp_path / "alive").exists()


def test_a_beat_without_redis_shows_no_life(channel: Channel, tag: str, tmp_path: Path, client: redis.Redis) -> None:
    """While the broker refuses, the worker neither dies nor looks alive."""
    client.delete(INDEX)
    client.set(INDEX, "no sorted set")
    beat(channel, (tmp_path / "alive").touch)
    assert not (tmp_path / "alive").exists()
    assert delivered_tags(channel) == [tag]

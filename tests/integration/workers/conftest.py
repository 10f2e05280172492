"""Clips to catch workers at, tools without the sandbox, kombu as workers use it, and a Redis that may go away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu.transport.redis import Channel

from storage.broker.celery_app import make_celery
from storage.settings import Settings
from tests.support.servers import RedisServer
from tests.support.stack import Clip
from tests.support.unfenced import unfenced


@pytest.fixture
def source(clip: Clip) -> Path:
    """Give a clip that takes about two seconds to encode: long enough to be caught at it."""
    return clip("caught.mp4", seconds=15, size="640x360", audio=False)


@pytest.fixture
def unfenced_tools() -> Iterator[None]:
    """Start tools without the layers of the sandbox: those of some tests do what it refuses."""
    with unfenced():
        yield


@pytest.fixture
def channel(real_settings: Settings) -> Iterator[Channel]:
    """Give a channel of the workers' own transport to Redis, with their options."""
    with make_celery(real_settings, 2.0).connection_for_read() as connection:
        yield connection.default_channel


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Give a Redis of the test's own, to be stopped and started."""
    server = RedisServer(tmp_path / "redis").start()
    yield server
    server.stop()

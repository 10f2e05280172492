"""The local object store leaves room for the Redis beside it: a full store never ends the broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from storage.errors import StorageFullError
from storage.objects.contract import ObjectWriter
from storage.services.connect import KEPT_FOR_REDIS, REDIS_FOLDER, connect
from storage.settings import Settings
from tests.support.jobs import make_job
from tests.support.servers import RedisServer
from tests.support.small_disk import SmallDisk

MIB = 1024**2
ROOM = 16 * MIB  # for objects, above what is kept


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Give a disk for DATA_DIR."""
    with SmallDisk(tmp_path / "data", KEPT_FOR_REDIS + ROOM) as disk:
        yield disk


@pytest.fixture
def settings(tmp_path: Path, disk: SmallDisk) -> Iterator[Settings]:
    """Give settings of an installation on it, with its Redis."""
    data = disk.seen(tmp_path / "data")
    (data / REDIS_FOLDER).mkdir()
    redis = RedisServer(tmp_path / "data" / REDIS_FOLDER)
    redis.before = disk.inside
    redis.start()
    objects = f"file://{data}/objects"
    yield Settings(data_dir=data, redis_url=SecretStr(redis.url), object_store_url=objects)
    redis.stop()


def fill(writer: ObjectWriter) -> int:
    """Write until the store says that it is full; return how many bytes it took."""
    try:
        while writer.written < ROOM + KEPT_FOR_REDIS:
            writer.write(bytes(MIB))
    except StorageFullError:
        return writer.written
    raise AssertionError("The store took more than its disk holds.")


def test_a_store_that_is_full_leaves_redis_its_room(settings: Settings) -> None:
    """Whatever is written until the store says that it is full, jobs are still recorded."""
    services = connect(settings, patience=1.0)
    services.objects.prepare()
    with services.objects.writer("originals/a/original", content_type="video/mp4") as writer:
        written = fill(writer)
        assert services.objects.free_bytes() == pytest.approx(0, abs=MIB)
        for _ in range(200):
            services.jobs.create(make_job())
    assert ROOM - 2 * MIB <= written <= ROOM
    assert services.objects.free_bytes() == pytest.approx(ROOM, abs=MIB)

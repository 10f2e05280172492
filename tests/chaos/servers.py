"""The servers of an installation under attack, each behind a proxy that cuts: Redis, MinIO and perhaps RabbitMQ."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pydantic import SecretStr

from storage.broker.contract import QUEUES
from storage.settings import Settings
from tests.chaos.faults import Broker
from tests.chaos.journal import Journal
from tests.chaos.parts import Part
from tests.support.lossy_proxy import LossyProxy
from tests.support.rabbitmq import RabbitMQServer, find_rabbitmq
from tests.support.servers import MINIO_PASSWORD, MINIO_USER, MinioServer, RedisServer, find_minio
from tests.support.waiting import wait_until

SAVED_SECONDS = 30.0


class Servers:
    """Redis is there in any case, RabbitMQ only where it is the broker."""

    def __init__(self, folder: Path, journal: Journal, broker: Broker) -> None:
        binary = find_minio()
        assert binary is not None, "no MinIO: `make test` builds it with Go; or set RUNGS_MINIO to the binary"
        self._redis, self._minio = RedisServer(folder / "redis"), MinioServer(folder / "minio", binary)
        self.redis, self.minio = Part("redis", self._redis, journal), Part("minio", self._minio, journal)
        self.redis_door, self.minio_door = LossyProxy(self._redis.port), LossyProxy(self._minio.port)
        self.groups: tuple[tuple[Part, ...], ...] = ((self.redis, self.minio),)  # what may be started at once
        self.doors: tuple[LossyProxy, ...] = (self.redis_door, self.minio_door)
        self.rabbitmq = _rabbitmq(folder) if broker is Broker.RABBITMQ else None
        if self.rabbitmq is not None:
            self.broker, self.broker_door = Part("rabbitmq", self.rabbitmq, journal), LossyProxy(self.rabbitmq.port)
            # A node that finds no name service starts one, which would outlive it.
            self.groups = ((Part("epmd", self.rabbitmq.names, journal),), (self.broker, *self.groups[0]))
            self.doors = (self.broker_door, *self.doors)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of them, in the order in which they are started."""
        return tuple(part for group in self.groups for part in group)

    @property
    def settings(self) -> Settings:
        """Settings that lead to them through the doors."""
        broker = None if self.rabbitmq is None else self.rabbitmq.url_at(self.broker_door.port)
        return _settings(self.redis_door.port, self.minio_door.port, broker)

    @property
    def direct(self) -> Settings:
        """Settings that lead straight to them: what we look with is not to be cut."""
        return _settings(self._redis.port, self._minio.port, None if self.rabbitmq is None else self.rabbitmq.url)

    def wait_until_kills_are_fair(self) -> None:
        """Return when the queues that the workers have just made bear a kill of their server, see `is_saved`."""
        if (server := self.rabbitmq) is not None:
            for queue in QUEUES:
                wait_until(partial(server.is_saved, queue), seconds=SAVED_SECONDS, what=f"a saved {queue}")


def _rabbitmq(folder: Path) -> RabbitMQServer:
    binary = find_rabbitmq()
    assert binary is not None, "no RabbitMQ: install Debian's package rabbitmq-server; or set RUNGS_RABBITMQ"
    return RabbitMQServer(folder / "rabbitmq", binary)


def _settings(redis_port: int, minio_port: int, broker: str | None) -> Settings:
    return Settings(
        redis_url=SecretStr(f"redis://127.0.0.1:{redis_port}/0"),
        broker_url=None if broker is None else SecretStr(broker),
        object_store_url=f"s3://127.0.0.1:{minio_port}/rungs",
        object_store_access_key=MINIO_USER,
        object_store_secret_key=SecretStr(MINIO_PASSWORD),
    )

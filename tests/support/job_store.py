"""A job store of a test's own, on a Redis that this process starts when the first one is made."""

from __future__ import annotations

import atexit
import gc
import itertools
import shutil
import tempfile
from functools import cache
from pathlib import Path

from storage.job_store import redis_keys
from storage.job_store.redis_store import RedisJobStore
from storage.redis_client import PatientRedis
from tests.support.missing import require
from tests.support.servers import RedisServer

_DATABASES = 512  # of the server; a store that is older than so many others is not in use any more
_PATIENCE_SECONDS = 2.0
_numbers = itertools.count()


class _QuickRedisServer(RedisServer):
    """A Redis of many databases that keeps nothing on disk: the tests that stop a Redis have one of their own."""

    def command(self) -> list[str]:
        """See RedisServer.command."""
        return [*super().command(), "--appendonly", "no", "--databases", str(_DATABASES)]


class OwnJobStore(RedisJobStore):
    """A JobStore that is empty at first and that no other one shares."""

    def __init__(self) -> None:
        number = next(_numbers) % _DATABASES
        redis = PatientRedis(_server().url.removesuffix("0") + str(number), patience=_PATIENCE_SECONDS)
        redis.client.flushdb()
        super().__init__(redis)

    def end_rests(self, job_id: str) -> tuple[str, ...]:
        """Let all rests of the job's tasks be over and return their fields: for tests that do not wait."""
        rested = tuple(field for field, lease in self.leases(job_id).items() if not lease.attempt)
        if rested:
            self._client.hdel(redis_keys.of_job("leases", job_id), *rested)
        return rested

    def lose_sums(self) -> None:
        """Forget all sums of work and what stands beside them, as a version that kept none had them."""
        self._client.delete(*redis_keys.counted(), *self._client.keys("rungs:*-of:*"))


@cache
def _server() -> RedisServer:
    if shutil.which("redis-server") is None:
        require("redis-server", "install Debian's package redis-server")
    folder = Path(tempfile.mkdtemp(prefix="rungs-redis-"))
    atexit.register(shutil.rmtree, folder)
    server = _QuickRedisServer(folder).start()
    atexit.register(server.stop)
    gc.collect()  # what waiting for it failed with would keep the first store, and its connections, until later
    return server

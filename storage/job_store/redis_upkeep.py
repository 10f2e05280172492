"""What the job store on Redis knows beside single jobs and the queue: roles, leftovers, repairs made."""

from __future__ import annotations

from storage.job_store import redis_keys
from storage.job_store.contract import Leftovers
from storage.redis_client import PatientRedis, load_script


class RedisUpkeep:
    """The part of a JobStore that is about no single job's record; nothing connects before the first call."""

    def __init__(self, redis: PatientRedis) -> None:
        self._redis = redis
        self._client = redis.client
        self._hold = self._client.register_script(load_script(__package__, "hold"))
        self._leftovers = self._client.register_script(load_script(__package__, "leftovers"))
        self._clear = self._client.register_script(load_script(__package__, "clear"))

    def leftovers(self, limit: int) -> tuple[str, ...]:
        """See JobStore.leftovers."""
        return tuple(self._redis.call(lambda: self._leftovers(keys=[redis_keys.LEFTOVERS], args=[limit])))

    def begin_clearing(self, job_id: str, *, seconds: float) -> Leftovers | None:
        """See JobStore.begin_clearing."""
        keys = [redis_keys.LEFTOVERS, redis_keys.of_job("job", job_id)]
        answer = self._redis.call(lambda: self._clear(keys=keys, args=[job_id, seconds]))
        return Leftovers(answer) if answer else None

    def end_clearing(self, job_id: str, *, gone: bool) -> None:
        """See JobStore.end_clearing."""
        if gone:
            self._redis.call(lambda: self._client.zrem(redis_keys.LEFTOVERS, job_id))
        else:
            now = self._redis.now()
            self._redis.call(lambda: self._client.zadd(redis_keys.LEFTOVERS, {job_id: now}, xx=True))

    def count_repair(self, name: str) -> None:
        """See JobStore.count_repair."""
        self._redis.call(lambda: self._client.hincrby(redis_keys.REPAIRS, name, 1))

    def repairs(self) -> dict[str, int]:
        """See JobStore.repairs."""
        return {
            name: int(count)
            for name, count in self._redis.call(lambda: self._client.hgetall(redis_keys.REPAIRS)).items()
        }

    def hold(self, name: str, holder: str, *, seconds: float) -> bool:
        """See JobStore.hold."""
        key, milliseconds = f"rungs:role:{name}", max(int(seconds * 1000), 1)
        return bool(self._redis.call(lambda: self._hold(keys=[key], args=[holder, milliseconds])))

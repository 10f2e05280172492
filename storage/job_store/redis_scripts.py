"""What the eight parts of the job store on Redis have in common: its connection, and the scripts that run there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from storage.faults import of_one_job
from storage.job_store import redis_keys
from storage.redis_client import PatientRedis, load_script

# What goes before every script that changes a job, in this order.
_COMMON = ("common", "slim", "early_work", "work_sums")

Kept = TypeVar("Kept")
Read = TypeVar("Read")


class RedisScripts:
    """One script for each atomic change, so no reading is ever between two of its writes.

    Nothing connects before the first call.
    """

    def __init__(self, redis: PatientRedis) -> None:
        self._redis = redis
        self._client = redis.client
        self._common = "\n".join(load_script(__package__, name) for name in _COMMON)
        self._loaded: dict[str, Any] = {}

    def count_fault(self, place: str) -> None:
        """See UpkeepStore.count_fault."""
        self._redis.call(lambda: self._client.hincrby(redis_keys.FAULTS, place, 1))

    def _readable(self, found: Iterable[tuple[str, Kept]], read: Callable[[str, Kept], Read]) -> Iterator[Read]:
        """Yield what can be read of each job; one whose record was spoiled is left out, logged and counted."""
        for job_id, kept in found:
            with of_one_job("record", job_id, self.count_fault):
                yield read(job_id, kept)

    def _run(self, script: str, job_id: str, *arguments: str | float) -> Any:
        """Return what a script that begins with common.lua answers about this job."""
        if script not in self._loaded:
            self._loaded[script] = self._client.register_script(f"{self._common}\n{load_script(__package__, script)}")
        keys = redis_keys.all_of(job_id)
        return self._redis.call(lambda: self._loaded[script](keys=keys, args=[job_id, *arguments]))

    def _run_alone(self, script: str, keys: Sequence[str], *arguments: str | float) -> Any:
        """Return what a script that stands without common.lua answers about these keys."""
        if script not in self._loaded:
            self._loaded[script] = self._client.register_script(load_script(__package__, script))
        return self._redis.call(lambda: self._loaded[script](keys=keys, args=arguments))


def spaced(names: Iterable[str]) -> str:
    """Return names as scripts look for one among them, ' queued planning '."""
    return f" {' '.join(names)} "


def pairs(flat: list[str]) -> dict[str, str]:
    """Return a hash as a script's HGETALL gives it: names and values in turn."""
    return dict(zip(flat[::2], flat[1::2], strict=True))

"""What the five parts of the job store on Redis have in common: its connection, and the scripts that run there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from storage.job_store import redis_keys
from storage.redis_client import PatientRedis, load_script


class RedisScripts:
    """One script for each atomic change, so no reading is ever between two of its writes.

    Nothing connects before the first call.
    """

    def __init__(self, redis: PatientRedis) -> None:
        self._redis = redis
        self._client = redis.client
        self._common = load_script(__package__, "common")
        self._loaded: dict[str, Any] = {}

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

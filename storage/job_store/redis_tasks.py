"""A job's tasks in Redis: claims and leases, progress, results."""

from __future__ import annotations

import functools
import json
from typing import Any

from storage.errors import LeaseLostError
from storage.job_store import redis_keys
from storage.job_store.codec import encode_reason, result_of_record
from storage.job_store.contract import LOST, Claim, Lease
from storage.job_store.redis_scripts import RedisScripts, spaced
from storage.model.job import JobError
from storage.model.record_checks import number_of
from storage.model.task import WANTED_IN, Stage, Task

_COUNTED_IN_RECORD = (f"{Stage.PLAN}:0", f"{Stage.PACKAGE}:0")  # see attempts_at in common.lua


class RedisTasks(RedisScripts):
    """A TaskStore on Redis."""

    def claim(self, task: Task, attempt: str, *, lease_seconds: float, limit: int) -> Claim:
        """See TaskStore.claim."""
        return Claim(self._run_task("claim", task, attempt, lease_seconds, limit, encode_reason(LOST)))

    def renew(self, task: Task, attempt: str, *, lease_seconds: float) -> bool:
        """See TaskStore.renew."""
        return bool(self._run_task("renew", task, attempt, lease_seconds))

    def release(self, task: Task, attempt: str, *, rest: float = 0.0) -> None:
        """See TaskStore.release."""
        self._run("release", task.job_id, task.field, attempt, rest)

    def fail(self, task: Task, attempt: str, reason: JobError, *, rest: float = 0.0) -> bool:
        """See TaskStore.fail."""
        return bool(self._run("fail", task.job_id, task.field, attempt, encode_reason(reason), rest))

    def attempts(self, job_id: str) -> dict[str, int]:
        """See TaskStore.attempts."""
        counted = self._redis.call(lambda: self._client.hgetall(redis_keys.of_job("attempts", job_id)))
        record, names = redis_keys.of_job("job", job_id), [f"attempts:{field}" for field in _COUNTED_IN_RECORD]
        in_record = zip(_COUNTED_IN_RECORD, self._redis.call(lambda: self._client.hmget(record, names)), strict=True)
        counted |= {field: count for field, count in in_record if count is not None}
        return {field: number_of(job_id, count) for field, count in counted.items()}

    def leases(self, job_id: str) -> dict[str, Lease]:
        """See TaskStore.leases."""
        return {field: Lease(attempt, bool(live)) for field, attempt, live in self._run("leases", job_id)}

    def out(self, job_id: str) -> frozenset[str]:
        """See TaskStore.out."""
        return frozenset(self._redis.call(lambda: self._client.smembers(redis_keys.of_job("out", job_id))))

    def report(self, task: Task, attempt: str, frames: int) -> bool:
        """See TaskStore.report."""
        return bool(self._run_task("report", task, attempt, frames))

    def interim(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """See TaskStore.interim."""
        return bool(self._run_task("interim", task, attempt, json.dumps(result)))

    def finish(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """See TaskStore.finish."""
        (event, fields), seconds = _told(task, result), float(result.get("seconds", 0))
        answer = self._run_task("finish", task, attempt, json.dumps(result), event, seconds, json.dumps(fields))
        if answer == "lost":
            raise LeaseLostError(detail=f"Task {task.field} of job {task.job_id} is not this attempt's any more.")
        return answer == "last" or not task.is_encoding

    def results(self, job_id: str, *, interim: bool = False) -> dict[str, dict[str, Any]]:
        """See TaskStore.results."""
        results: dict[str, str] = {}
        for name in ("interim", "done") if interim else ("done",):
            results |= self._redis.call(functools.partial(self._client.hgetall, redis_keys.of_job(name, job_id)))
        return {field: result_of_record(job_id, field, text) for field, text in results.items()}

    def _run_task(self, script: str, task: Task, attempt: str, *arguments: str | float) -> Any:
        states = spaced(WANTED_IN[task.stage])
        return self._run(script, task.job_id, task.field, attempt, states, *arguments)


def _told(task: Task, result: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the event of what can be fetched by the task's result, and what the record says of it from then on."""
    if task.stage is Stage.POSTER:
        return ("poster", {"has_poster": "true"}) if result.get("made") else ("", {"has_poster": "false"})
    if task.stage is Stage.EARLY_SEGMENT and result.get("poster"):
        return "poster", {"has_poster": "true"}
    if task.stage is Stage.SUBTITLES:
        return "subtitles", {"subtitles_made": json.dumps([track["id"] for track in result.get("tracks", ())])}
    return "", {}

"""The job store on Redis: one script for each atomic change, so no reading is ever between two of its writes."""

from __future__ import annotations

import functools
import json
import time
from importlib.resources import files
from typing import Any
from uuid import uuid4

from storage.codec import (
    checked_cursor,
    checked_event_id,
    cursor_of,
    event_of_fields,
    fields_of_changes,
    fields_of_job,
    job_of_fields,
    wanted_frames,
)
from storage.errors import JobExistsError, JobNotFoundError, LeaseLostError, TransitionError
from storage.job_store import KEEPS_LEASES, RATES_KEPT, TOLD, Claim, Event, JobPage, Notice, QueueCounts, made_poster
from storage.jobs import ALLOWED_MOVES, TIME_OF_STATE, WANTED_IN, Changes, Job, JobState, Stage, Task, checked_move
from storage.plan import Plan
from storage.redis_client import PatientRedis

_EVENTS = "rungs:events"
_WAITING = "rungs:waiting"
_UNFINISHED = "rungs:unfinished"
_RATES = "rungs:rates"
_NOTICES = "rungs:notices"
_SLOTS = "rungs:slots"
_SHARED = (_EVENTS, _WAITING, _UNFINISHED, _RATES, _NOTICES)
_DELETED_EVENTS_SECONDS = 600  # time for open pages to come back and learn that their job was deleted
_CHANGES = (
    "create",
    "move",
    "delete",
    "claim",
    "renew",
    "release",
    "report",
    "finish",
    "leased",
    "notice",
    "issue",
    "replan",
    "interim",
)


class RedisJobStore:
    """A JobStore on Redis; nothing connects before the first call."""

    def __init__(self, redis: PatientRedis) -> None:
        self._redis = redis
        self._client = redis.client
        common = _lua("common")
        self._scripts = {name: self._client.register_script(f"{common}\n{_lua(name)}") for name in _CHANGES}
        self._page = self._client.register_script(_lua("page"))
        self._counts = self._client.register_script(_lua("counts"))
        self._due = self._client.register_script(_lua("due"))
        self._hold = self._client.register_script(_lua("hold"))
        self._slots = self._client.register_script(_lua("slots"))

    def create(self, job: Job) -> None:
        """See JobStore.create."""
        fields = json.dumps(fields_of_job(job))
        finished = "1" if job.state.finished else ""
        wanted = _wanted(job.plan, job.id)
        if not self._run("create", job.id, uuid4().hex, fields, wanted, finished, repr(job.created_at)):
            raise JobExistsError(f"Job {job.id} exists already.")

    def get(self, job_id: str) -> Job:
        """See JobStore.get."""
        fields = self._redis.call(lambda: self._client.hgetall(_job_key(job_id)))
        if not fields:
            raise _not_found(job_id)
        return job_of_fields(fields)

    def page(self, *, owner: str, state: JobState | None, limit: int, cursor: str | None) -> JobPage:
        """See JobStore.page."""
        key = f"rungs:owned:{owner}" if state is None else f"rungs:owned-in:{state}:{owner}"
        bound = "+" if cursor is None else f"({checked_cursor(cursor)}"
        records = self._redis.call(lambda: self._page(keys=[key], args=[bound, limit + 1]))
        jobs = tuple(job_of_fields(_pairs(record)) for record in records[:limit])
        return JobPage(jobs, cursor_of(jobs[-1]) if len(records) > limit else None)

    def move(self, job_id: str, to: JobState, changes: Changes | None = None) -> Job:
        """See JobStore.move."""
        written = changes or Changes()
        allowed = _spaced(state for state in JobState if to in ALLOWED_MOVES[state])
        answer = self._run(
            "move",
            job_id,
            uuid4().hex,
            to.value,
            allowed,
            json.dumps(fields_of_changes(written)),
            _wanted(written.plan, job_id),
            TIME_OF_STATE.get(to, ""),
            "1" if to in KEEPS_LEASES else "",
            RATES_KEPT,
            "1" if to in TOLD else "",
        )
        match answer:
            case ["moved", record]:
                return job_of_fields(_pairs(record))
            case ["refused", present]:
                checked_move(JobState(present), to)
        raise _not_found(job_id)

    def delete(self, job_id: str) -> None:
        """See JobStore.delete."""
        self._run("delete", job_id, _DELETED_EVENTS_SECONDS)

    def position(self, job_id: str) -> int | None:
        """See JobStore.position."""
        rank = self._redis.call(lambda: self._client.zrank(_WAITING, job_id))
        return None if rank is None else int(rank) + 1

    def counts(self) -> QueueCounts:
        """See JobStore.counts."""
        waiting, unfinished = self._redis.call(lambda: self._counts(keys=[_WAITING, _UNFINISHED]))
        return QueueCounts(waiting, unfinished - waiting)

    def unfinished(self) -> tuple[str, ...]:
        """See JobStore.unfinished."""
        return tuple(self._redis.call(lambda: self._client.zrange(_UNFINISHED, 0, -1)))

    def recent_rates(self) -> tuple[float, ...]:
        """See JobStore.recent_rates."""
        return tuple(float(rate) for rate in self._redis.call(lambda: self._client.lrange(_RATES, 0, -1)))

    def claim(self, task: Task, attempt: str, *, lease_seconds: float, limit: int) -> Claim:
        """See JobStore.claim."""
        return Claim(self._run_task("claim", task, attempt, lease_seconds, limit))

    def renew(self, task: Task, attempt: str, *, lease_seconds: float) -> bool:
        """See JobStore.renew."""
        return bool(self._run_task("renew", task, attempt, lease_seconds))

    def release(self, task: Task, attempt: str, *, refund: bool = False) -> int:
        """See JobStore.release."""
        return int(self._run("release", task.job_id, task.field, attempt, "1" if refund else ""))

    def report(self, task: Task, attempt: str, frames: int) -> bool:
        """See JobStore.report."""
        return bool(self._run_task("report", task, attempt, frames))

    def finish(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """See JobStore.finish."""
        answer = self._run_task("finish", task, attempt, json.dumps(result), "1" if made_poster(task, result) else "")
        if answer == "lost":
            raise LeaseLostError(f"Task {task.field} of job {task.job_id} is not this attempt's any more.")
        return answer == "last" or task.stage in {Stage.PLAN, Stage.PACKAGE}

    def issue(self, job_id: str, window: int) -> tuple[Task, ...]:
        """See JobStore.issue."""
        first, count = self._run("issue", job_id, window)
        return tuple(Task(job_id, Stage.SEGMENT, index) for index in range(first, first + count))

    def replan(self, job_id: str, plan: Plan, warnings: tuple[str, ...]) -> Job:
        """See JobStore.replan."""
        fields = json.dumps(fields_of_changes(Changes(plan=plan, warnings=warnings)))
        if not self._run("replan", job_id, uuid4().hex, fields, _wanted(plan, job_id)):
            raise TransitionError(f"Job {job_id}, in state {self.get(job_id).state}, cannot be planned anew.")
        return self.get(job_id)

    def interim(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """See JobStore.interim."""
        return bool(self._run_task("interim", task, attempt, json.dumps(result)))

    def announce(self, worker: str, slots: int, *, seconds: float) -> None:
        """See JobStore.announce."""
        self._redis.call(lambda: self._slots(keys=[_SLOTS], args=[worker, slots, seconds]))

    def slots(self) -> int:
        """See JobStore.slots."""
        return int(self._redis.call(lambda: self._slots(keys=[_SLOTS], args=["", 0, 0])))

    def results(self, job_id: str, *, interim: bool = False) -> dict[str, dict[str, Any]]:
        """See JobStore.results."""
        results: dict[str, str] = {}
        for name in ("interim", "done") if interim else ("done",):
            results |= self._redis.call(functools.partial(self._client.hgetall, f"rungs:{name}:{job_id}"))
        return {field: json.loads(result) for field, result in results.items()}

    def leased(self, job_id: str) -> frozenset[str]:
        """See JobStore.leased."""
        return frozenset(self._run("leased", job_id))

    def due_notices(self, limit: int) -> tuple[Notice, ...]:
        """See JobStore.due_notices."""
        records = self._redis.call(lambda: self._due(keys=[_NOTICES], args=[limit]))
        return tuple(_notice(_pairs(record)) for record in records)

    def postpone_notice(self, notice: Notice, *, seconds: float, failed: bool) -> None:
        """See JobStore.postpone_notice."""
        self._run_notice(notice, seconds, "1" if failed else "")

    def end_notice(self, notice: Notice) -> None:
        """See JobStore.end_notice."""
        self._run_notice(notice, "", "")

    def hold(self, name: str, holder: str, *, seconds: float) -> bool:
        """See JobStore.hold."""
        key, milliseconds = f"rungs:role:{name}", max(int(seconds * 1000), 1)
        return bool(self._redis.call(lambda: self._hold(keys=[key], args=[holder, milliseconds])))

    def events(self, job_id: str | None, after: str, *, limit: int = 200) -> tuple[Event, ...]:
        """See JobStore.events."""
        key = _EVENTS if job_id is None else f"{_EVENTS}:{job_id}"
        start = f"({checked_event_id(after)}"
        return _events(self._redis.call(lambda: self._client.xrange(key, start, "+", count=limit)))

    def wait_events(self, after: str, *, seconds: float) -> tuple[Event, ...]:
        """See JobStore.wait_events."""
        # The last id is asked once: with `$` in each of several reads, events between two of them would be missed.
        start = self.last_event_id() if after == "$" else checked_event_id(after)
        deadline = time.monotonic() + seconds
        longest = self._redis.timeout / 2  # a read that blocks must answer before its socket times out
        while True:
            block = min(max(deadline - time.monotonic(), 0.0), longest)
            milliseconds = max(int(block * 1000), 1)  # 0 would mean for ever
            answer = self._redis.call(lambda: self._client.xread({_EVENTS: start}, count=200, block=milliseconds))  # noqa: B023 - called at once
            if answer or time.monotonic() >= deadline:
                return _events(answer[0][1] if answer else [])

    def last_event_id(self) -> str:
        """See JobStore.last_event_id."""
        newest = self._redis.call(lambda: self._client.xrevrange(_EVENTS, count=1))
        return str(newest[0][0]) if newest else "0-0"

    def ping(self) -> None:
        """See JobStore.ping."""
        self._redis.call(self._client.ping)

    def _run_task(self, script: str, task: Task, attempt: str, *arguments: str | float) -> Any:
        states = _spaced(WANTED_IN[task.stage])
        return self._run(script, task.job_id, task.field, attempt, states, *arguments)

    def _run_notice(self, notice: Notice, *arguments: str | float) -> None:
        self._run("notice", notice.job.id, repr(notice.job.finished_at), notice.tries, *arguments)

    def _run(self, script: str, job_id: str, *arguments: str | float) -> Any:
        keys = _keys(job_id)
        return self._redis.call(lambda: self._scripts[script](keys=keys, args=[job_id, *arguments]))


def _lua(name: str) -> str:
    return files("storage").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


def _job_key(job_id: str) -> str:
    return f"rungs:job:{job_id}"


def _keys(job_id: str) -> list[str]:
    """Return the keys of common.lua, in its order."""
    own = ("wanted", "frames", "done", "attempts", "leases", "events")
    return [_job_key(job_id), *(f"rungs:{name}:{job_id}" for name in own), *_SHARED, f"rungs:interim:{job_id}"]


def _spaced(states: Any) -> str:
    return f" {' '.join(states)} "


def _wanted(plan: Plan | None, job_id: str) -> str:
    return json.dumps({} if plan is None else wanted_frames(plan, job_id))


def _pairs(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _notice(fields: dict[str, str]) -> Notice:
    return Notice(job_of_fields(fields), int(fields.get("tries", 0)))


def _events(entries: list[tuple[str, dict[str, str]]]) -> tuple[Event, ...]:
    return tuple(event_of_fields(event_id, fields) for event_id, fields in entries)


def _not_found(job_id: str) -> JobNotFoundError:
    return JobNotFoundError(f"There is no job {job_id}.")

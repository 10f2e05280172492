"""The job store on Redis: one script for each atomic change, so no reading is ever between two of its writes."""

from __future__ import annotations

import functools
import json
from operator import attrgetter
from typing import Any
from uuid import uuid4

from storage.errors import JobExistsError, JobNotFoundError, LeaseLostError, TransitionError
from storage.job_store import redis_keys
from storage.job_store.codec import (
    checked_cursor,
    cursor_of,
    decode_segment,
    encode_reason,
    fields_of_changes,
    fields_of_job,
    fields_of_wanted,
    job_of_fields,
)
from storage.job_store.contract import (
    KEEPS_LEASES,
    LAST_WRITES_SECONDS,
    LOST,
    TOLD,
    Claim,
    JobPage,
    Lease,
    Notice,
    being_cleared,
    finished_already,
    made_poster,
)
from storage.job_store.queue_contract import FINISHED_KEPT
from storage.job_store.redis_events import RedisEvents
from storage.model.job import ALLOWED_MOVES, TIME_OF_STATE, Changes, Job, JobError, JobState, Priority, checked_move
from storage.model.job_warnings import Warnings
from storage.model.plan import Plan, Segment
from storage.model.task import WANTED_IN, Results, Stage, Task
from storage.redis_client import PatientRedis, load_script
from storage.scheduling.fairness import APART_SECONDS, LEAD_SECONDS, START_ALONE_SECONDS, STRETCH

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
    "leases",
    "fail",
    "notice",
    "prioritise",
    "replan",
    "interim",
    "saved",
)
_LEADS = json.dumps(LEAD_SECONDS)
_ARRIVAL = (STRETCH * START_ALONE_SECONDS, _LEADS, APART_SECONDS)  # what scripts make a new job's start_target from


class RedisJobStore(RedisEvents):
    """A JobStore on Redis; nothing connects before the first call."""

    def __init__(self, redis: PatientRedis) -> None:
        super().__init__(redis)
        common = load_script(__package__, "common")
        self._scripts = {
            name: self._client.register_script(f"{common}\n{load_script(__package__, name)}") for name in _CHANGES
        }
        self._page = self._client.register_script(load_script(__package__, "page"))
        self._due = self._client.register_script(load_script(__package__, "due"))

    def create(self, job: Job, segments: tuple[Segment, ...] = ()) -> None:
        """See JobStore.create."""
        if not self._create(job, segments, {}, queued_at="", tell=False):
            raise JobExistsError(f"Job {job.id} exists already.")

    def restore(self, job: Job, segments: tuple[Segment, ...], results: Results, *, tell: bool) -> bool:
        """See JobStore.restore."""
        told = tell and job.webhook_url is not None and job.state in TOLD
        return self._create(job, segments, results, queued_at=repr(job.created_at), tell=told)

    def _create(self, job: Job, segments: tuple[Segment, ...], results: Results, *, queued_at: str, tell: bool) -> bool:
        fields = json.dumps(fields_of_job(job))
        wanted = json.dumps(fields_of_wanted(job.plan, segments, job.id))
        times = ("1" if job.state.finished else "", repr(job.created_at))
        done = json.dumps({field: json.dumps(result) for field, result in results.items()})
        restored = (done, queued_at, "1" if tell else "")
        until = repr(self._redis.now() + self._redis.patience)
        return bool(self._run("create", job.id, uuid4().hex, fields, wanted, *times, *restored, until, *_ARRIVAL))

    def get(self, job_id: str) -> Job:
        """See JobStore.get."""
        fields = self._redis.call(lambda: self._client.hgetall(redis_keys.of_job("job", job_id)))
        if not fields:
            raise _not_found(job_id)
        return job_of_fields(fields)

    def segment(self, job_id: str, index: int) -> Segment:
        """See JobStore.segment."""
        task = Task(job_id, Stage.SEGMENT, index)
        text = self._redis.call(lambda: self._client.hget(redis_keys.of_job("wanted", job_id), task.field))
        if text is None:
            raise LeaseLostError(f"Job {job_id} has no {task.field} any more.")
        return decode_segment(text)

    def segments(self, job_id: str) -> tuple[Segment, ...]:
        """See JobStore.segments."""
        wanted = self._redis.call(lambda: self._client.hgetall(redis_keys.of_job("wanted", job_id)))
        found = [decode_segment(text) for field, text in wanted.items() if field.startswith(Stage.SEGMENT)]
        return tuple(sorted(found, key=attrgetter("index")))

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
            json.dumps(fields_of_wanted(written.plan, written.segments, job_id)),
            TIME_OF_STATE.get(to, ""),
            "1" if to in KEEPS_LEASES else "",
            FINISHED_KEPT,
            "1" if to in TOLD else "",
            *_ARRIVAL,
        )
        match answer:
            case ["moved", record]:
                return job_of_fields(_pairs(record))
            case ["clearing"]:
                raise being_cleared()
            case ["refused", present]:
                checked_move(JobState(present), to)
        raise _not_found(job_id)

    def prioritise(self, job_id: str, priority: Priority) -> Job:
        """See JobStore.prioritise."""
        match self._run("prioritise", job_id, priority.value, _LEADS):
            case ["set", record]:
                return job_of_fields(_pairs(record))
            case ["refused", present]:
                raise finished_already(JobState(present))
        raise _not_found(job_id)

    def delete(self, job_id: str) -> None:
        """See JobStore.delete."""
        self._run("delete", job_id, _DELETED_EVENTS_SECONDS, LAST_WRITES_SECONDS)

    def claim(self, task: Task, attempt: str, *, lease_seconds: float, limit: int) -> Claim:
        """See JobStore.claim."""
        return Claim(self._run_task("claim", task, attempt, lease_seconds, limit, encode_reason(LOST)))

    def renew(self, task: Task, attempt: str, *, lease_seconds: float) -> bool:
        """See JobStore.renew."""
        return bool(self._run_task("renew", task, attempt, lease_seconds))

    def release(self, task: Task, attempt: str, *, rest: float = 0.0) -> None:
        """See JobStore.release."""
        self._run("release", task.job_id, task.field, attempt, rest)

    def fail(self, task: Task, attempt: str, reason: JobError, *, rest: float = 0.0) -> bool:
        """See JobStore.fail."""
        return bool(self._run("fail", task.job_id, task.field, attempt, encode_reason(reason), rest))

    def attempts(self, job_id: str) -> dict[str, int]:
        """See JobStore.attempts."""
        counted = self._redis.call(lambda: self._client.hgetall(redis_keys.of_job("attempts", job_id)))
        return {field: int(count) for field, count in counted.items()}

    def report(self, task: Task, attempt: str, frames: int) -> bool:
        """See JobStore.report."""
        return bool(self._run_task("report", task, attempt, frames))

    def finish(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """See JobStore.finish."""
        poster, seconds = "1" if made_poster(task, result) else "", float(result.get("seconds", 0))
        answer = self._run_task("finish", task, attempt, json.dumps(result), poster, seconds)
        if answer == "lost":
            raise LeaseLostError(f"Task {task.field} of job {task.job_id} is not this attempt's any more.")
        return answer == "last" or task.stage in {Stage.PLAN, Stage.PACKAGE}

    def replan(self, job_id: str, plan: Plan, segments: tuple[Segment, ...], warnings: Warnings) -> Job:
        """See JobStore.replan."""
        fields = json.dumps(fields_of_changes(Changes(plan=plan, warnings=warnings)))
        wanted = json.dumps(fields_of_wanted(plan, segments, job_id))
        if not self._run("replan", job_id, uuid4().hex, fields, wanted):
            raise TransitionError(f"Job {job_id}, in state {self.get(job_id).state}, cannot be planned anew.")
        return self.get(job_id)

    def out(self, job_id: str) -> frozenset[str]:
        """See JobStore.out."""
        return frozenset(self._redis.call(lambda: self._client.smembers(redis_keys.of_job("out", job_id))))

    def interim(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """See JobStore.interim."""
        return bool(self._run_task("interim", task, attempt, json.dumps(result)))

    def results(self, job_id: str, *, interim: bool = False) -> dict[str, dict[str, Any]]:
        """See JobStore.results."""
        results: dict[str, str] = {}
        for name in ("interim", "done") if interim else ("done",):
            results |= self._redis.call(functools.partial(self._client.hgetall, redis_keys.of_job(name, job_id)))
        return {field: json.loads(result) for field, result in results.items()}

    def leases(self, job_id: str) -> dict[str, Lease]:
        """See JobStore.leases."""
        return {field: Lease(attempt, bool(live)) for field, attempt, live in self._run("leases", job_id)}

    def due_notices(self, limit: int) -> tuple[Notice, ...]:
        """See JobStore.due_notices."""
        records = self._redis.call(lambda: self._due(keys=[redis_keys.NOTICES], args=[limit]))
        return tuple(_notice(_pairs(record)) for record in records)

    def postpone_notice(self, notice: Notice, *, seconds: float, failed: bool) -> None:
        """See JobStore.postpone_notice."""
        self._run_notice(notice, seconds, "1" if failed else "")

    def end_notice(self, notice: Notice) -> None:
        """See JobStore.end_notice."""
        self._run_notice(notice, "", "")

    def unsaved(self, limit: int) -> tuple[Job, ...]:
        """See JobStore.unsaved."""
        records = self._redis.call(lambda: self._due(keys=[redis_keys.UNSAVED], args=[limit]))
        return tuple(job_of_fields(_pairs(record)) for record in records)

    def saved(self, job: Job) -> bool:
        """See JobStore.saved."""
        return bool(self._run("saved", job.id, repr(job.finished_at)))

    def ping(self) -> None:
        """See JobStore.ping."""
        self._redis.call(self._client.ping)

    def _run_task(self, script: str, task: Task, attempt: str, *arguments: str | float) -> Any:
        states = _spaced(WANTED_IN[task.stage])
        return self._run(script, task.job_id, task.field, attempt, states, *arguments)

    def _run_notice(self, notice: Notice, *arguments: str | float) -> None:
        self._run("notice", notice.job.id, repr(notice.job.finished_at), notice.tries, *arguments)

    def _run(self, script: str, job_id: str, *arguments: str | float) -> Any:
        keys = redis_keys.all_of(job_id)
        return self._redis.call(lambda: self._scripts[script](keys=keys, args=[job_id, *arguments]))


def _spaced(states: Any) -> str:
    return f" {' '.join(states)} "


def _pairs(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _notice(fields: dict[str, str]) -> Notice:
    return Notice(job_of_fields(fields), int(fields.get("tries", 0)))


def _not_found(job_id: str) -> JobNotFoundError:
    return JobNotFoundError(f"There is no job {job_id}.")

"""What the in-memory job store does with tasks: claims, progress, results, credit. The other half is memory_jobs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from storage.codec import (
    event_data_of_state,
    event_order,
)
from storage.errors import JobNotFoundError, LeaseLostError, TransitionError
from storage.job_store import Claim, Event, made_poster
from storage.jobs import Job, JobState, Stage, Task
from storage.memory_record import MemoryLease, MemoryRecord
from storage.memory_registry import MemoryRegistry
from storage.plan import Plan


class MemoryTasks:
    """Jobs and their tasks in this process; `clock` returns Unix seconds and decides about times and leases."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._records: dict[str, MemoryRecord] = {}
        self._events: list[Event] = []
        self._rates: list[float] = []
        self._registry = MemoryRegistry(clock)
        self._changed = threading.Condition(threading.RLock())

    def claim(self, task: Task, attempt: str, *, lease_seconds: float, limit: int) -> Claim:
        """See JobStore.claim."""
        with self._changed:
            record = self._records.get(task.job_id)
            if record is None or not record.wants(task):
                return Claim.OBSOLETE
            if task.field in record.done and record.job.state is JobState.ENCODING:
                return Claim.DONE
            now = self._clock()
            lease = record.leases.get(task.field)
            if lease is not None and lease.attempt != attempt and lease.until > now:
                return Claim.HELD
            if lease is None or lease.attempt != attempt:
                if record.attempts.get(task.field, 0) >= limit:
                    return Claim.SPENT
                record.attempts[task.field] = record.attempts.get(task.field, 0) + 1
            record.leases[task.field] = MemoryLease(attempt, now + lease_seconds)
            return Claim.GRANTED

    def renew(self, task: Task, attempt: str, *, lease_seconds: float) -> bool:
        """See JobStore.renew."""
        with self._changed:
            record = self._records.get(task.job_id)
            if record is None or not record.held_by(task, attempt):
                return False
            record.leases[task.field].until = self._clock() + lease_seconds
            return True

    def release(self, task: Task, attempt: str, *, refund: bool = False) -> int:
        """See JobStore.release."""
        with self._changed:
            record = self._records.get(task.job_id)
            if record is None:
                return 0
            lease = record.leases.get(task.field)
            if lease is not None and lease.attempt == attempt:
                del record.leases[task.field]
                record.attempts[task.field] -= int(refund)
            return record.attempts.get(task.field, 0)

    def issue(self, job_id: str, window: int) -> tuple[Task, ...]:
        """See JobStore.issue."""
        with self._changed:
            record = self._records.get(job_id)
            if record is None or record.job.state is not JobState.ENCODING:
                return ()
            first, count = record.job.issued, record.credit(window)
            record.job = replace(record.job, issued=first + count)
            return tuple(Task(job_id, Stage.SEGMENT, index) for index in range(first, first + count))

    def replan(self, job_id: str, plan: Plan, warnings: tuple[str, ...]) -> Job:
        """See JobStore.replan."""
        with self._changed:
            record = self._record(job_id)
            if record.job.state is not JobState.ENCODING:
                raise TransitionError(f"Job {job_id}, in state {record.job.state}, cannot be planned anew.")
            record.plan_anew(plan, warnings)
            self._emit(job_id, "state", event_data_of_state(record.job.state))
            return record.job

    def interim(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """See JobStore.interim."""
        with self._changed:
            record = self._records.get(task.job_id)
            if record is None or not record.held_by(task, attempt):
                return False
            record.interim[task.field] = json.loads(json.dumps(result))
            self._emit(task.job_id, "task", {"field": task.field})
            self._note_playable(record)
            return True

    def _note_playable(self, record: MemoryRecord) -> None:
        if not record.job.playable and record.can_play():
            record.job = replace(record.job, playable=True)
            self._emit(record.job.id, "playable", {})

    def report(self, task: Task, attempt: str, frames: int) -> bool:
        """See JobStore.report."""
        with self._changed:
            record = self._records.get(task.job_id)
            if record is None or not record.held_by(task, attempt):
                return False
            if record.count_frames(task, frames):
                self._emit_progress(record)
            return True

    def finish(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """See JobStore.finish."""
        with self._changed:
            record = self._records.get(task.job_id)
            if record is None or not (task.field in record.done or record.held_by(task, attempt)):
                raise LeaseLostError(f"Task {task.field} of job {task.job_id} is not this attempt's any more.")
            if task.field not in record.done:
                self._record_result(record, task, result)
            return record.closed_by == task.field or task.stage in {Stage.PLAN, Stage.PACKAGE}

    def _record_result(self, record: MemoryRecord, task: Task, result: dict[str, Any]) -> None:
        record.done[task.field] = json.loads(json.dumps(result))
        record.leases.pop(task.field, None)
        record.interim.pop(task.field, None)
        if task.field in record.wanted and record.wanted.keys() <= record.done.keys():
            record.closed_by = task.field
        if record.count_frames(task, record.wanted.get(task.field, 0)):
            self._emit_progress(record)
        if made_poster(task, result):
            record.job = replace(record.job, has_poster=True)
            self._emit(task.job_id, "poster", {})
        else:
            self._emit(task.job_id, "task", {"field": task.field})
        self._note_playable(record)

    def results(self, job_id: str, *, interim: bool = False) -> dict[str, dict[str, Any]]:
        """See JobStore.results."""
        with self._changed:
            record = self._records.get(job_id)
            if record is None:
                return {}
            return (record.interim if interim else {}) | record.done

    def leased(self, job_id: str) -> frozenset[str]:
        """See JobStore.leased."""
        with self._changed:
            record = self._records.get(job_id)
            leases = record.leases if record is not None else {}
            return frozenset(name for name, lease in leases.items() if lease.until > self._clock())

    def last_event_id(self) -> str:
        """See JobStore.last_event_id."""
        with self._changed:
            return self._events[-1].id if self._events else "0-0"

    def _record(self, job_id: str) -> MemoryRecord:
        if job_id not in self._records:
            raise JobNotFoundError(f"There is no job {job_id}.")
        return self._records[job_id]

    def _emit_progress(self, record: MemoryRecord) -> None:
        total = record.job.plan.frames if record.job.plan is not None else 0
        self._emit(record.job.id, "progress", {"frames_done": record.job.frames_done, "frames": total})

    def _emit(self, job_id: str, kind: str, data: dict[str, Any]) -> None:
        milliseconds, sequence = event_order(self.last_event_id())
        now = int(self._clock() * 1000)
        event_id = f"{now}-0" if now > milliseconds else f"{milliseconds}-{sequence + 1}"
        self._events.append(Event(event_id, job_id, kind, data))
        self._changed.notify_all()

"""What the in-memory job store does with tasks: claims, progress, results. The other half is memory_jobs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from storage.errors import JobNotFoundError, LeaseLostError, TransitionError
from storage.job_store.codec import event_data_of_state
from storage.job_store.contract import LOST, Claim, Lease, made_poster
from storage.model.event import NO_EVENT, Event, event_order
from storage.model.job import Job, JobError, JobState
from storage.model.job_warnings import Warnings
from storage.model.plan import Plan, Segment
from storage.model.task import Stage, Task
from storage.scheduling.costs import FinishedJob
from storage.scheduling.queue_rates import Sample, Totals
from tests.twins.record import MemoryRecord
from tests.twins.upkeep import MemoryRegistry


class MemoryTasks:
    """Jobs and their tasks in this process; `clock` returns Unix seconds and decides about times and leases."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._records: dict[str, MemoryRecord] = {}
        self._events: list[Event] = []
        self._finished: list[FinishedJob] = []
        self._totals = Totals()
        self._samples: list[Sample] = []
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
                if lease is not None and lease.attempt:
                    record.note_failure(task, lease.attempt, LOST, now)
                record.end_lease(task)
                if record.attempts.get(task.field, 0) >= limit:
                    return Claim.SPENT
                record.attempts[task.field] = record.attempts.get(task.field, 0) + 1
            record.lend(task, attempt, now + lease_seconds)
            return Claim.GRANTED

    def renew(self, task: Task, attempt: str, *, lease_seconds: float) -> bool:
        """See JobStore.renew."""
        with self._changed:
            record = self._records.get(task.job_id)
            if record is None or not record.held_by(task, attempt):
                return False
            record.leases[task.field].until = self._clock() + lease_seconds
            return True

    def release(self, task: Task, attempt: str, *, rest: float = 0.0) -> None:
        """See JobStore.release."""
        with self._changed:
            record = self._granted(task, attempt)
            if record is not None:
                record.attempts[task.field] -= 1
                record.end_lease(task, rest_until=self._clock() + rest if rest else None)

    def fail(self, task: Task, attempt: str, reason: JobError, *, rest: float = 0.0) -> bool:
        """See JobStore.fail."""
        with self._changed:
            record = self._granted(task, attempt)
            if record is None:
                return False
            now = self._clock()
            record.note_failure(task, attempt, reason, now)
            record.end_lease(task, rest_until=now + rest if rest else None)
            return True

    def end_rests(self, job_id: str) -> tuple[str, ...]:
        """Let all rests of the job's tasks be over and return their fields: for tests that do not wait."""
        with self._changed:
            leases = self._records[job_id].leases
            rested = tuple(name for name, lease in leases.items() if not lease.attempt)
            for name in rested:
                del leases[name]
            return rested

    def attempts(self, job_id: str) -> dict[str, int]:
        """See JobStore.attempts."""
        with self._changed:
            record = self._records.get(job_id)
            return dict(record.attempts) if record is not None else {}

    def replan(self, job_id: str, plan: Plan, segments: tuple[Segment, ...], warnings: Warnings) -> Job:
        """See JobStore.replan."""
        with self._changed:
            record = self._record(job_id)
            if record.job.state is not JobState.ENCODING:
                raise TransitionError(f"Job {job_id}, in state {record.job.state}, cannot be planned anew.")
            record.plan_anew(plan, segments, warnings)
            self._emit(job_id, "state", event_data_of_state(record.job.state))
            return record.job

    def out(self, job_id: str) -> frozenset[str]:
        """See JobStore.out."""
        with self._changed:
            record = self._records.get(job_id)
            return frozenset() if record is None else frozenset(record.out)

    def segment(self, job_id: str, index: int) -> Segment:
        """See JobStore.segment."""
        task = Task(job_id, Stage.SEGMENT, index)
        with self._changed:
            record = self._records.get(job_id)
            segment = None if record is None else record.wanted.get(task.field)
        if segment is None:
            raise LeaseLostError(f"Job {job_id} has no {task.field} any more.")
        return segment

    def segments(self, job_id: str) -> tuple[Segment, ...]:
        """See JobStore.segments."""
        with self._changed:
            record = self._records.get(job_id)
            return () if record is None else tuple(filter(None, record.wanted.values()))

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
            if record.count_frames(task, frames, self._clock()):
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
        record.out.discard(task.field)
        record.handed.discard(task.field)
        if task.field in record.wanted:
            self._count_cost(record, task, float(result.get("seconds", 0)))
            if record.wanted.keys() <= record.done.keys():
                record.closed_by = task.field
        if record.count_frames(task, record.frames_of(task), self._clock()):
            self._emit_progress(record)
        if made_poster(task, result):
            record.job = replace(record.job, has_poster=True)
            self._emit(task.job_id, "poster", {})
        else:
            self._emit(task.job_id, "task", {"field": task.field})
        self._note_playable(record)

    def _count_cost(self, record: MemoryRecord, task: Task, seconds: float) -> None:
        record.count_cost(task, seconds)
        self._totals = replace(self._totals, delivered=self._totals.delivered + seconds)

    def results(self, job_id: str, *, interim: bool = False) -> dict[str, dict[str, Any]]:
        """See JobStore.results."""
        with self._changed:
            record = self._records.get(job_id)
            if record is None:
                return {}
            return (record.interim if interim else {}) | record.done

    def leases(self, job_id: str) -> dict[str, Lease]:
        """See JobStore.leases."""
        with self._changed:
            record = self._records.get(job_id)
            return record.leases_at(self._clock()) if record is not None else {}

    def last_event_id(self) -> str:
        """See JobStore.last_event_id."""
        with self._changed:
            return self._events[-1].id if self._events else NO_EVENT

    def _granted(self, task: Task, attempt: str) -> MemoryRecord | None:
        """Return the job's record if this attempt was granted the task last, whatever the job's state."""
        record = self._records.get(task.job_id)
        lease = record.leases.get(task.field) if record is not None else None
        return record if lease is not None and lease.attempt == attempt else None

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

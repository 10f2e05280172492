"""The job store's in-memory twin: the same contract without Redis, for tests that need no server."""

from __future__ import annotations

import json
from dataclasses import replace
from operator import itemgetter
from typing import Any

from storage.errors import JobExistsError
from storage.job_store.codec import checked_cursor, cursor_of, event_data_of_state
from storage.job_store.contract import (
    KEEPS_LEASES,
    LAST_WRITES_SECONDS,
    TOLD,
    JobPage,
    Leftovers,
    Notice,
    being_cleared,
    finished_already,
)
from storage.model.event import Event, checked_event_id, event_order
from storage.model.job import GIVEN_UP, TIME_OF_STATE, Changes, Job, JobState, Priority, checked_move
from storage.model.plan import Segment
from storage.model.task import Results, Task
from storage.scheduling.fairness import LEAD_SECONDS
from tests.twins.queue import MemoryQueue
from tests.twins.record import MemoryRecord


class MemoryJobStore(MemoryQueue):
    """A JobStore in this process; `clock` returns Unix seconds and decides about times and leases."""

    def create(self, job: Job, segments: tuple[Segment, ...] = ()) -> None:
        """See JobStore.create."""
        with self._changed:
            if job.id in self._records:
                raise JobExistsError(f"Job {job.id} exists already.")
            self._add(MemoryRecord(job), segments)

    def restore(self, job: Job, segments: tuple[Segment, ...], results: Results, *, tell: bool) -> bool:
        """See JobStore.restore."""
        with self._changed:
            if job.id in self._records:
                return False
            record = MemoryRecord(job)
            record.done = {field: json.loads(json.dumps(result)) for field, result in results.items()}
            if tell and job.webhook_url is not None and job.state in TOLD:
                record.due_at = self._clock()
            self._add(record, segments, restored=True)
            return True

    def _add(self, record: MemoryRecord, segments: tuple[Segment, ...], *, restored: bool = False) -> None:
        job = record.job
        if job.plan is not None and not job.state.finished:
            record.want(job.plan, segments)
            record.frames = {field: record.frames_of(Task.of_field(job.id, field)) for field in record.done}
        self._records[job.id] = record
        if not job.state.finished:
            if restored:
                self._note_arrival(record, job.created_at, job.in_flight)
            else:
                self._note_arrival(record, self._clock())
        if job.state in GIVEN_UP:
            self._registry.leave(job.id)
        self._emit(job.id, "created", event_data_of_state(job.state))
        if job.state is JobState.ENCODING:
            self._note_playable(record)

    def get(self, job_id: str) -> Job:
        """See JobStore.get."""
        with self._changed:
            return self._record(job_id).job

    def page(self, *, owner: str, state: JobState | None, limit: int, cursor: str | None) -> JobPage:
        """See JobStore.page."""
        before = checked_cursor(cursor) if cursor is not None else None
        with self._changed:
            jobs = [record.job for record in self._records.values() if record.job.owner == owner]
        chosen = [job for job in jobs if state in {None, job.state} and (before is None or cursor_of(job) < before)]
        chosen.sort(key=cursor_of, reverse=True)
        more = len(chosen) > limit
        return JobPage(tuple(chosen[:limit]), cursor_of(chosen[limit - 1]) if more else None)

    def move(self, job_id: str, to: JobState, changes: Changes | None = None) -> Job:
        """See JobStore.move."""
        with self._changed:
            record = self._record(job_id)
            if record.job.state is to:
                return record.job
            checked_move(record.job.state, to)
            if to is JobState.QUEUED and self._registry.is_clearing(job_id):
                raise being_cleared()
            self._apply(record, to, changes or Changes())
            self._emit(job_id, "state", event_data_of_state(to))
            return record.job

    def _apply(self, record: MemoryRecord, to: JobState, changes: Changes) -> None:
        now = self._clock()
        if to is not JobState.PLANNING:
            record.take_back()
        if to is JobState.QUEUED:
            self._start_again(record)
        if to in GIVEN_UP:
            self._registry.leave(record.job.id)
        job = record.job = replace(record.job, state=to, **_written(record.job, to, changes, now))
        if to is JobState.QUEUED:
            self._note_arrival(record, now)
        if to not in KEEPS_LEASES:
            record.leases.clear()
        if to is JobState.ENCODING and job.plan is not None:
            record.want(job.plan, changes.segments)
        if to.finished:
            self._note_end(record, now)
        if to in TOLD and job.webhook_url is not None:
            record.due_at = now
        record.saved = not to.finished

    def _start_again(self, record: MemoryRecord) -> None:
        job = record.job
        self._registry.end_clearing(job.id, gone=True)
        record.frames_finished = 0
        record.closed_by = ""
        record.due_at, record.tries = None, 0
        for kept in (record.wanted, record.frames, record.done, record.attempts, record.interim):
            kept.clear()
        record.job = Job(
            job.id, job.owner, job.title, job.filename, job.size, job.created_at, job.webhook_url, job.priority
        )

    def prioritise(self, job_id: str, priority: Priority) -> Job:
        """See JobStore.prioritise."""
        with self._changed:
            record = self._record(job_id)
            job = record.job
            if job.state.finished:
                raise finished_already(job.state)
            later = LEAD_SECONDS[job.priority] - LEAD_SECONDS[priority]
            record.job = replace(
                job, priority=priority, start_target=job.start_target + later, target=job.target + later
            )
            self._emit(job_id, "state", event_data_of_state(job.state))
            return record.job

    def delete(self, job_id: str) -> None:
        """See JobStore.delete."""
        with self._changed:
            if self._records.pop(job_id, None) is not None:
                self._registry.leave(job_id, seconds=LAST_WRITES_SECONDS)
                self._emit(job_id, "deleted", {})

    def due_notices(self, limit: int) -> tuple[Notice, ...]:
        """See JobStore.due_notices."""
        with self._changed:
            now = self._clock()
            due = [(record.due_at, record) for record in self._records.values() if record.due_at is not None]
            chosen = sorted((entry for entry in due if entry[0] <= now), key=itemgetter(0))
            return tuple(Notice(record.job, record.tries) for _, record in chosen[:limit])

    def postpone_notice(self, notice: Notice, *, seconds: float, failed: bool) -> None:
        """See JobStore.postpone_notice."""
        with self._changed:
            if notice.job.id in self._records:
                self._records[notice.job.id].settle(notice, self._clock() + seconds, failed=failed)

    def end_notice(self, notice: Notice) -> None:
        """See JobStore.end_notice."""
        with self._changed:
            if notice.job.id in self._records:
                self._records[notice.job.id].settle(notice, None)

    def leftovers(self, limit: int) -> tuple[str, ...]:
        """See JobStore.leftovers."""
        with self._changed:
            return self._registry.leftovers(limit)

    def begin_clearing(self, job_id: str, *, seconds: float) -> Leftovers | None:
        """See JobStore.begin_clearing."""
        with self._changed:
            if not self._registry.begin_clearing(job_id, seconds=seconds):
                return None
            return Leftovers.MADE if job_id in self._records else Leftovers.ALL

    def end_clearing(self, job_id: str, *, gone: bool) -> None:
        """See JobStore.end_clearing."""
        with self._changed:
            self._registry.end_clearing(job_id, gone=gone)

    def idle_seconds(self, job_id: str) -> float:
        """See JobStore.idle_seconds."""
        events = self.events(job_id, "0", limit=len(self._events))
        return self._clock() - event_order(events[-1].id)[0] / 1e3 if events else 0.0

    def count_repair(self, name: str) -> None:
        """See JobStore.count_repair."""
        with self._changed:
            self._registry.repairs[name] += 1

    def repairs(self) -> dict[str, int]:
        """See JobStore.repairs."""
        with self._changed:
            return dict(self._registry.repairs)

    def unsaved(self, limit: int) -> tuple[Job, ...]:
        """See JobStore.unsaved."""
        with self._changed:
            ended = [record.job for record in self._records.values() if not record.saved]
            return tuple(sorted(ended, key=lambda job: job.finished_at or 0.0)[:limit])

    def saved(self, job: Job) -> bool:
        """See JobStore.saved."""
        with self._changed:
            record = self._records.get(job.id)
            if record is None:
                return True
            record.saved = record.saved or record.job.finished_at == job.finished_at
            return record.job.finished_at == job.finished_at

    def hold(self, name: str, holder: str, *, seconds: float) -> bool:
        """See JobStore.hold."""
        with self._changed:
            return self._registry.hold(name, holder, seconds=seconds)

    def events(self, job_id: str | None, after: str, *, limit: int = 200) -> tuple[Event, ...]:
        """See JobStore.events."""
        start = event_order(checked_event_id(after))
        with self._changed:
            chosen = [
                event for event in self._events if job_id in {None, event.job_id} and event_order(event.id) > start
            ]
        return tuple(chosen[:limit])

    def wait_events(self, after: str, *, seconds: float) -> tuple[Event, ...]:
        """See JobStore.wait_events."""
        with self._changed:
            start = self.last_event_id() if after == "$" else after
            self._changed.wait_for(lambda: self.events(None, start, limit=1), timeout=seconds)
            return self.events(None, start)

    def ping(self) -> None:
        """See JobStore.ping: this store always answers."""


def _written(job: Job, to: JobState, changes: Changes, now: float) -> dict[str, Any]:
    """Return the fields that a move writes."""
    names = ("plan", "promise", "outputs", "has_storyboard", "warnings", "damage", "error")
    written = {name: value for name in names if (value := getattr(changes, name)) is not None}
    if to is JobState.ENCODING:
        written["target"] = job.start_target + (changes.after_start or 0.0)
    if to in TIME_OF_STATE:
        written[TIME_OF_STATE[to]] = now
    return written

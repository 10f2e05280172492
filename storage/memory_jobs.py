"""The job store's in-memory twin: the same contract without Redis, for tests that need no server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import itemgetter

from storage.codec import (
    checked_cursor,
    checked_event_id,
    cursor_of,
    event_data_of_state,
    event_order,
    wanted_frames,
)
from storage.errors import JobExistsError
from storage.job_store import KEEPS_LEASES, RATES_KEPT, TOLD, Event, JobPage, Notice, QueueCounts
from storage.jobs import TIME_OF_STATE, Changes, Job, JobState, checked_move
from storage.memory_record import MemoryRecord
from storage.memory_tasks import MemoryTasks


class MemoryJobStore(MemoryTasks):
    """A JobStore in this process; `clock` returns Unix seconds and decides about times and leases."""

    def create(self, job: Job) -> None:
        """See JobStore.create."""
        with self._changed:
            if job.id in self._records:
                raise JobExistsError(f"Job {job.id} exists already.")
            record = MemoryRecord(job, queued_at=self._clock())
            if job.plan is not None:
                record.wanted = wanted_frames(job.plan, job.id)
            self._records[job.id] = record
            self._emit(job.id, "created", event_data_of_state(job.state))

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
            self._apply(record, to, changes or Changes())
            self._emit(job_id, "state", event_data_of_state(to))
            return record.job

    def _apply(self, record: MemoryRecord, to: JobState, changes: Changes) -> None:
        now = self._clock()
        if to is JobState.QUEUED:
            self._start_again(record, now)
        written = {
            name: value
            for name in ("plan", "outputs", "warnings", "error")
            if (value := getattr(changes, name)) is not None
        }
        if to in TIME_OF_STATE:
            written[TIME_OF_STATE[to]] = now
        job = record.job = replace(record.job, state=to, **written)
        if to not in KEEPS_LEASES:
            record.leases.clear()
        if to is JobState.ENCODING and job.plan is not None:
            record.wanted = wanted_frames(job.plan, job.id)
        if to is JobState.READY and job.plan is not None and job.encoding_at is not None:
            self._rates.insert(0, (now - job.encoding_at) / job.plan.duration)
            del self._rates[RATES_KEPT:]
        if to in TOLD and job.webhook_url is not None:
            record.due_at = now

    def _start_again(self, record: MemoryRecord, now: float) -> None:
        job = record.job
        record.queued_at = now
        record.closed_by = ""
        record.due_at, record.tries = None, 0
        for kept in (record.wanted, record.frames, record.done, record.attempts, record.interim):
            kept.clear()
        record.job = Job(job.id, job.owner, job.title, job.filename, job.size, job.created_at, job.webhook_url)

    def delete(self, job_id: str) -> None:
        """See JobStore.delete."""
        with self._changed:
            if self._records.pop(job_id, None) is not None:
                self._emit(job_id, "deleted", {})

    def position(self, job_id: str) -> int | None:
        """See JobStore.position."""
        with self._changed:
            waiting = self._ids(frozenset({JobState.QUEUED}), key=lambda record: record.queued_at)
            return waiting.index(job_id) + 1 if job_id in waiting else None

    def counts(self) -> QueueCounts:
        """See JobStore.counts."""
        with self._changed:
            states = [record.job.state for record in self._records.values()]
        waiting = states.count(JobState.QUEUED)
        return QueueCounts(waiting, sum(not state.finished for state in states) - waiting)

    def unfinished(self) -> tuple[str, ...]:
        """See JobStore.unfinished."""
        with self._changed:
            states = frozenset(state for state in JobState if not state.finished)
            return tuple(self._ids(states, key=lambda record: record.job.created_at))

    def recent_rates(self) -> tuple[float, ...]:
        """See JobStore.recent_rates."""
        with self._changed:
            return tuple(self._rates)

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

    def hold(self, name: str, holder: str, *, seconds: float) -> bool:
        """See JobStore.hold."""
        with self._changed:
            return self._registry.hold(name, holder, seconds=seconds)

    def announce(self, worker: str, slots: int, *, seconds: float) -> None:
        """See JobStore.announce."""
        with self._changed:
            self._registry.announce(worker, slots, seconds=seconds)

    def slots(self) -> int:
        """See JobStore.slots."""
        with self._changed:
            return self._registry.slots()

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

    def _ids(self, states: frozenset[JobState], key: Callable[[MemoryRecord], float]) -> list[str]:
        chosen = [record for record in self._records.values() if record.job.state in states]
        return [record.job.id for record in sorted(chosen, key=key)]

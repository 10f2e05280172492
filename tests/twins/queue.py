"""What the in-memory job store knows of the queue as a whole: its work, its workers, its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from storage.job_store.queue_contract import FINISHED_KEPT, Pause, QueueCounts
from storage.model.job import Job, JobState
from storage.model.task import Stage, Task
from storage.scheduling.costs import FinishedJob, Work, nominal_cost
from storage.scheduling.fairness import START_ALONE_SECONDS, in_flight_beside, target
from storage.scheduling.queue_rates import SAMPLES_KEPT, Sample, Totals
from tests.twins.record import MemoryRecord
from tests.twins.tasks import MemoryTasks

_PLAN = Task("", Stage.PLAN).field


class MemoryQueue(MemoryTasks):
    """The part of a JobStore that QueueStore describes."""

    def issue(self, *, plans: int, tasks: int) -> tuple[Task, ...]:
        """See QueueStore.issue."""
        with self._changed:
            return (*self._issue_plans(plans), *self._issue_encoding(tasks))

    def _issue_plans(self, budget: int) -> list[Task]:
        issued: list[Task] = []
        for job_id in self._queued()[:budget]:
            if sum(_PLAN in record.handed for record in self._records.values()) < budget:
                issued += self._records[job_id].hand_out(_PLAN)
        return issued

    def _issue_encoding(self, budget: int) -> list[Task]:
        issued: list[Task] = []
        while sum(len(record.handed - {_PLAN}) for record in self._records.values()) < budget:
            placed = [(at, job_id) for job_id, record in self._records.items() if (at := record.placed_at) is not None]
            if not placed:
                break
            issued += self._records[min(placed)[1]].hand_out_next()
        return issued

    def position(self, job_id: str) -> int | None:
        """See QueueStore.position."""
        with self._changed:
            waiting = self._queued()
            return waiting.index(job_id) + 1 if job_id in waiting else None

    def counts(self) -> QueueCounts:
        """See QueueStore.counts."""
        with self._changed:
            states = [record.job.state for record in self._records.values()]
        waiting = states.count(JobState.QUEUED)
        return QueueCounts(waiting, sum(not state.finished for state in states) - waiting)

    def unfinished(self) -> tuple[str, ...]:
        """See QueueStore.unfinished."""
        with self._changed:
            states = frozenset(state for state in JobState if not state.finished)
            return tuple(self._ids(states, key=lambda record: record.job.created_at))

    def backlog(self) -> tuple[Work, ...]:
        """See QueueStore.backlog."""
        with self._changed:
            now = self._clock()
            return tuple(self._records[job_id].work_at(now) for job_id in self.unfinished())

    def recent_finished(self) -> tuple[FinishedJob, ...]:
        """See QueueStore.recent_finished."""
        with self._changed:
            return tuple(self._finished)

    def announce(self, worker: str, slots: int, *, seconds: float, pause: Pause | None = None) -> None:
        """See QueueStore.announce."""
        with self._changed:
            self._registry.announce(worker, slots, seconds=seconds, pause=pause)

    def workers(self) -> dict[str, int]:
        """See QueueStore.workers."""
        with self._changed:
            return self._registry.workers()

    def pauses(self) -> dict[str, Pause]:
        """See QueueStore.pauses."""
        with self._changed:
            return self._registry.pauses()

    def slots(self) -> int:
        """See QueueStore.slots."""
        return sum(self.workers().values())

    def totals(self) -> Totals:
        """See QueueStore.totals."""
        with self._changed:
            return self._totals

    def count_refusals(self, codes: Mapping[str, int]) -> None:
        """See QueueStore.count_refusals."""
        with self._changed:
            known = self._totals.refused
            added = {code: known.get(code, 0) + count for code, count in codes.items()}
            self._totals = replace(self._totals, refused={**known, **added})

    def record_sample(self, sample: Sample) -> None:
        """See QueueStore.record_sample."""
        with self._changed:
            self._samples.append(sample)
            del self._samples[:-SAMPLES_KEPT]

    def samples(self, limit: int) -> tuple[Sample, ...]:
        """See QueueStore.samples."""
        with self._changed:
            return tuple(self._samples[-limit:])

    def _in_flight(self, job: Job, since: float) -> float:
        mine = [other.job for other in self._records.values() if other.job.owner == job.owner]
        others = [other for other in mine if not other.state.finished and other.id != job.id]
        return in_flight_beside(since, [(other.start_target, other.priority) for other in others])

    def _note_arrival(self, record: MemoryRecord, since: float, known: float | None = None) -> None:
        job = record.job
        in_flight = self._in_flight(job, since) if known is None else known
        start = target(since, START_ALONE_SECONDS, in_flight=in_flight, priority=job.priority)
        record.job = replace(job, in_flight=in_flight, start_target=start, target=job.target or start)
        record.queued_at = self._clock()
        self._totals = replace(self._totals, arrived=self._totals.arrived + 1)

    def _note_end(self, record: MemoryRecord, now: float) -> None:
        totals = self._totals
        stayed = totals.stayed + now - record.queued_at
        self._totals = replace(totals, ended=totals.ended + 1, stayed=stayed)
        job = record.job
        if job.state is not JobState.READY or job.plan is None or job.encoding_at is None:
            return
        finished = FinishedJob(
            nominal=nominal_cost(job.plan),
            measured=job.encoder_seconds,
            size=job.size,
            queued_at=record.queued_at,
            ready_at=now,
            begun_at=job.begun_at,
            promised_start=job.promise.start_at if job.promise is not None else None,
            promised_ready=job.promise.ready_at if job.promise is not None else None,
        )
        self._finished.insert(0, finished)
        del self._finished[FINISHED_KEPT:]

    def _queued(self) -> list[str]:
        return self._ids(frozenset({JobState.QUEUED}), key=lambda record: record.job.start_target)

    def _ids(self, states: frozenset[JobState], key: Callable[[MemoryRecord], float]) -> list[str]:
        chosen = [record for record in self._records.values() if record.job.state in states]
        return [record.job.id for record in sorted(chosen, key=key)]

"""Jobs as the public sees them, with the facts about the other jobs (place in the queue, estimate) filled in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from storage.errors import JobNotFoundError
from storage.estimate import eta_seconds
from storage.job_store import JobStore
from storage.jobs import Job, JobState
from storage.public import job_json

# Others' progress may be this old in an estimate: a hundred watchers then cost Redis as much as one.
QUEUE_AGE_SECONDS = 1.0
# An estimate over more jobs than this is guesswork, and reading them all is not free.
AHEAD_LIMIT = 50


@dataclass(frozen=True, slots=True)
class _Queue:
    """The unfinished jobs, oldest first, and the measured rates, as read at a moment of the monotonic clock."""

    jobs: tuple[Job, ...]
    rates: tuple[float, ...]
    whole: bool
    read_at: float


class JobViews:
    """Makes public JSON of jobs; `clock` returns Unix seconds. Safe to share between threads."""

    def __init__(self, store: JobStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._queue: _Queue | None = None
        self._lock = threading.Lock()

    def by_id(self, job_id: str) -> dict[str, Any]:
        """Return the job's public JSON. Raises JobNotFoundError."""
        return self.of(self._store.get(job_id))

    def present(self, job_id: str) -> dict[str, Any] | None:
        """Return the job's public JSON, None when there is no such job (any more)."""
        try:
            return self.by_id(job_id)
        except JobNotFoundError:
            return None

    def of(self, job: Job) -> dict[str, Any]:
        """Return the public JSON of a job just read."""
        position = self._store.position(job.id) if job.state is JobState.QUEUED else None
        return job_json(job, position=position, eta=self._eta(job))

    def _eta(self, job: Job) -> float | None:
        if job.state is not JobState.ENCODING:
            return None
        now = self._clock()
        measured = eta_seconds(job, ahead=(), rates=(), now=now)
        if measured is not None:
            return measured
        queue = self._present_queue()
        ahead = tuple(other for other in queue.jobs if _before(other, job))
        return eta_seconds(job, ahead=ahead, rates=queue.rates, now=now) if queue.whole else None

    def _present_queue(self) -> _Queue:
        with self._lock:
            if self._queue is None or time.monotonic() - self._queue.read_at > QUEUE_AGE_SECONDS:
                self._queue = self._read_queue()
            return self._queue

    def _read_queue(self) -> _Queue:
        ids = self._store.unfinished()
        jobs = tuple(job for job in map(self._found, ids[:AHEAD_LIMIT]) if job is not None)
        return _Queue(jobs, self._store.recent_rates(), len(ids) <= AHEAD_LIMIT, time.monotonic())

    def _found(self, job_id: str) -> Job | None:
        try:
            return self._store.get(job_id)
        except JobNotFoundError:
            return None  # deleted since its id was read


def _before(other: Job, job: Job) -> bool:
    return (other.created_at, other.id) < (job.created_at, job.id)

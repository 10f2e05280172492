"""Jobs as the public sees them, with the facts about the other jobs (place in the queue, forecast) filled in."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from storage.errors import JobNotFoundError
from storage.job_store.contract import RecordStore, UpkeepStore
from storage.job_store.queue_contract import QueueStore
from storage.model.job import Job, JobState
from storage.objects.contract import ObjectStore
from storage.public.job_json import job_json, listed
from storage.scheduling.forecast import Forecast
from storage.services.whole_jobs import whole_or_less
from web.read.queue_snapshot import QueueSnapshot


class JobsInTurn(RecordStore, QueueStore, UpkeepStore, Protocol):
    """What a view needs of the job store: the record, its place in the queue, and where faults are counted."""


class JobViews:
    """Makes public JSON of jobs; `clock` returns Unix seconds. Safe to share between threads.

    The whole of a job that ended is one read of the object store, what lists say of it none.
    """

    def __init__(
        self,
        store: JobsInTurn,
        objects: ObjectStore,
        queue: QueueSnapshot,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._objects = objects
        self._queue = queue
        self._clock = clock

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
        return self._public(self.whole(job))

    def whole(self, job: Job) -> Job:
        """Return a job just read with all that is known of it; with a warning, what its record says, if that is all."""
        return whole_or_less(self._objects, job, self._store.count_fault)

    def listed(self, job: Job) -> dict[str, Any]:
        """Return what lists say of a job just read."""
        return listed(self._public(job))

    def present_listed(self, job_id: str) -> dict[str, Any] | None:
        """Return what lists say of the job, None when there is no such job (any more)."""
        try:
            return self.listed(self._store.get(job_id))
        except JobNotFoundError:
            return None

    def _public(self, job: Job) -> dict[str, Any]:
        forecast = None if job.state.finished else self._forecast(job)
        return job_json(job, position=self._position(job), forecast=forecast)

    def _position(self, job: Job) -> int | None:
        """Return the job's place among those with which no encoder has begun; None for one that is being planned."""
        queued = self._store.position(job.id) if job.state is JobState.QUEUED else None
        planned = job.state is JobState.ENCODING and job.begun_at is None
        if queued is None and not planned:
            return None
        return (queued or 1) + self._store.begins_before(job.start_target)

    def _forecast(self, job: Job) -> Forecast | None:
        """Return the job's forecast; for one of which nothing was estimated yet, what it was promised."""
        known = self._queue.read().forecasts([job.id]).get(job.id)
        if known is not None or job.promise is None:
            return known
        now = self._clock()
        return Forecast(job.promise.start_at - now, job.promise.ready_at - now)

"""Jobs as the public sees them, with the facts about the other jobs (place in the queue, forecast) filled in."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from storage.errors import JobNotFoundError
from storage.job_store.contract import RecordStore, UpkeepStore
from storage.job_store.early_contract import EarlyStore
from storage.job_store.queue_contract import QueueStore
from storage.job_store.upload_contract import UploadStore
from storage.model.job import Job, JobState
from storage.objects.contract import ObjectStore
from storage.public.job_json import job_json, listed
from storage.scheduling.forecast import Forecast
from storage.services.playing import as_played
from storage.services.whole_jobs import whole_or_less
from web.read.queue_snapshot import QueueSnapshot


class JobsInTurn(RecordStore, QueueStore, UpkeepStore, UploadStore, EarlyStore, Protocol):
    """What a view needs of the job store: the record, its upload, its place, and where faults are counted."""


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
        return self._public([self.whole(job)])[0]

    def whole(self, job: Job) -> Job:
        """Return a job just read with all that is known of it, the plan that it is played by if it has no other.

        Where the rest cannot be read, with a warning, what its record says.
        """
        return whole_or_less(self._objects, as_played(self._store, job), self._store.count_fault)

    def listed(self, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        """Return what lists say of jobs just read: as many reads for a page as for one job."""
        return [listed(shown) for shown in self._public(jobs)]

    def present_listed(self, job_id: str) -> dict[str, Any] | None:
        """Return what lists say of the job, None when there is no such job (any more)."""
        try:
            return self.listed([self._store.get(job_id)])[0]
        except JobNotFoundError:
            return None

    def _public(self, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        places = self._store.places({job.id: job.start_target for job in jobs if _is_waiting(job)})
        uploads = self._store.uploads_of([job.id for job in jobs if job.state is JobState.UPLOADING])
        forecasts = self._forecasts([job for job in jobs if not (job.state.finished or job.incomplete)])
        known = ((job, places.get(job.id), forecasts.get(job.id), uploads.get(job.id)) for job in jobs)
        now = self._clock()
        return [
            job_json(job, position=place, forecast=forecast, upload=upload, now=now)
            for job, place, forecast, upload in known
        ]

    def _forecasts(self, jobs: Sequence[Job]) -> dict[str, Forecast]:
        """Return the jobs' forecasts; of one of which nothing was estimated yet, what it was promised."""
        if not jobs:
            return {}
        now = self._clock()
        promised = {
            job.id: Forecast(job.promise.start_at - now, job.promise.ready_at - now) for job in jobs if job.promise
        }
        return promised | self._queue.read().forecasts([job.id for job in jobs])


def _is_waiting(job: Job) -> bool:
    """Tell whether no encoder has begun with the job; one that is being planned has no place meanwhile."""
    return job.state is JobState.QUEUED or (job.state is JobState.ENCODING and job.begun_at is None)

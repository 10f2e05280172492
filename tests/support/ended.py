"""What is known of jobs whose records may be slim already: the janitor of an installation is quick."""

from __future__ import annotations

from collections.abc import Mapping

from storage.model.event import Event
from storage.model.job import Job, JobError, Slim, SlimRung
from storage.model.slimming import KEPT
from storage.objects import keys
from storage.objects.manifests import Manifest, read_manifest
from storage.services import Services
from storage.services.all_events import all_events
from storage.services.whole_jobs import whole_job


def slimmed(job: Job) -> Job:
    """Return the ended job as its slim record says it: without what only the job's own page shows."""
    rungs = tuple(SlimRung(rung.name, rung.width, rung.height) for rung in job.rungs)
    names = {rung.name for rung in rungs}
    return Job(
        **{name: getattr(job, name) for name in KEPT},
        outputs=tuple(output for output in job.outputs if output.rung in names),
        error=None if job.error is None else JobError(job.error.code, job.error.message, values=job.error.values),
        slim=Slim(rungs, job.planned_frames),
    )


def whole(services: Services, job_id: str) -> Job:
    """Return the job with all that its objects have of it. Raises JobNotFoundError."""
    return whole_job(services.objects, services.jobs.get(job_id), services.jobs.count_fault)


def attempts(services: Services, job_id: str) -> Mapping[str, int]:
    """Return by task field how many attempts were counted, until now or until the job ended."""
    counted = services.jobs.attempts(job_id)
    ended = _end_of(services, job_id)
    return counted if ended is None else ended.attempts


def events(services: Services, job_id: str) -> tuple[Event, ...]:
    """Return the job's events that were kept, until now or until the job ended."""
    found = all_events(services.jobs, job_id)
    ended = _end_of(services, job_id)
    return found if ended is None else ended.events


def _end_of(services: Services, job_id: str) -> Manifest | None:
    """Return the end of a slim job, None for a whole one, and for one of which nothing is saved: its upload ended.

    The record is asked last: it may become slim meanwhile.
    """
    job = services.jobs.get(job_id)
    if job.slim is None or job.incomplete:
        return None
    return read_manifest(services.objects, keys.ended(job_id), job_id)

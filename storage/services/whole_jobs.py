"""The rest of an ended job, fetched from its objects when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from storage.errors import BusyError, ManifestError, ObjectNotFoundError
from storage.faults import note_fault
from storage.model.job import Job
from storage.model.job_warnings import warning
from storage.model.slimming import completed, is_end_of
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.objects.manifests import read_manifest

# Of a job's whole end, which has no segments: a hundred times what the longest plan and the last events take. Each page
# of the job reads it, so it is not to fill a web process.
LONGEST_END = 4 * 1024**2


def whole_job(objects: ObjectStore, job: Job, count_fault: Callable[[str], None]) -> Job:
    """Return the job with what its slim record no longer has: one read of the object store.

    Where that is missing, damaged or of another end, the fault is counted, and the job is as its record says it, with
    a warning. Raises BusyError while the store is away.
    """
    if job.slim is None or job.incomplete:
        return job  # of one without an original, nothing is saved
    try:
        return completed(job, _end_of(objects, job))
    except (ObjectNotFoundError, ManifestError) as error:
        note_fault("details", job.id, error, count_fault)
        return without_details(job)


def whole_or_less(objects: ObjectStore, job: Job, count_fault: Callable[[str], None]) -> Job:
    """Return the job as `whole_job` does; while the store is away, as its record says it, with the same warning."""
    try:
        return whole_job(objects, job, count_fault)
    except BusyError:
        return without_details(job)


def without_details(job: Job) -> Job:
    """Return the slim job with a warning that there was more."""
    return replace(job, warnings=(warning("details_missing"),))


def _end_of(objects: ObjectStore, job: Job) -> Job:
    key = keys.ended(job.id)
    ended = read_manifest(objects, key, job.id, most=LONGEST_END).job
    if not is_end_of(ended, job):
        raise ManifestError(detail=f"{key}: tells of another end.")
    return ended

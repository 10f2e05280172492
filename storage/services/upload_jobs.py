"""The job of an upload that is not whole yet: it begins with the upload, is found again, and ends with it.

The upload in the object store is the truth. The record of its job may be lost with Redis, and is made again by whoever
meets the upload. Who ends the two moves the job first, which decides; what is left of the upload, the janitor removes.
"""

from __future__ import annotations

from contextlib import suppress

import structlog

from storage.errors import (
    BusyError,
    ConflictError,
    JobExistsError,
    JobNotFoundError,
    ObjectNotFoundError,
    RecordError,
    UploadExpiredError,
)
from storage.model.job import Changes, Job, JobError, JobState
from storage.model.upload import Upload
from storage.objects import keys
from storage.services import Services
from storage.services.holding import held
from storage.services.uploads import job_of, job_to_be, note_open, remove_upload, save_upload, upload_of
from storage.upload_errors import UploadEndedError, UploadNotFoundError

_EXPIRED = JobError(**UploadExpiredError().told)

_log = structlog.get_logger(__name__)


def begin(services: Services, upload: Upload) -> None:
    """Save a new upload and make its job. Raises BusyError; nothing is left then, as far as the stores can be asked."""
    save_upload(services, upload)
    try:
        note_open(services, upload, 0, now=upload.created_at)
        with suppress(JobExistsError):  # the janitor looked at the upload in this very moment
            services.jobs.create(job_to_be(upload))
    except BusyError:
        with suppress(BusyError):
            services.objects.delete_prefix(keys.upload(upload.id))  # the note stays: the job may be there after all
        raise


def is_whole(services: Services, upload: Upload) -> bool:
    """Tell whether the upload is a job that waits or more; where its job was lost, it is there when this returns.

    Raises UploadNotFoundError if the job ended before, UploadEndedError if it was cancelled.
    """
    job = job_of(services, upload.id)
    if job is None:
        if not _is_accepted(services, upload.id):
            services.jobs.restore(job_to_be(upload), (), {}, tell=False)
        return False
    check_goes_on(job)
    return not job.incomplete


def check_goes_on(job: Job) -> None:
    """Raise UploadNotFoundError if the job ended before its upload was whole, UploadEndedError if it was cancelled."""
    if job.incomplete and job.state.finished:
        raise (UploadEndedError if job.state is JobState.CANCELLED else UploadNotFoundError)(detail=job.id)


def cancel(services: Services, job_id: str, *, if_in: JobState | None = None) -> Job:
    """Cancel a job, and end its upload if that is not whole. Raises as `RecordStore.move` does."""
    job = services.jobs.move(job_id, JobState.CANCELLED, if_in=if_in)
    if job.incomplete:
        try:
            with suppress(UploadNotFoundError), held(services.jobs, upload_of(services.objects, job_id)):
                remove_upload(services, job_id)
        except (BusyError, RecordError) as error:
            _log.warning("an ended upload is left to the janitor", job=job_id, error=str(error))
    return job


def give_up(services: Services, upload_id: str) -> None:
    """Remove an upload of which nothing came for too long. Its job fails, unless it ended already or never was."""
    with suppress(ConflictError, JobNotFoundError):
        services.jobs.move(upload_id, JobState.FAILED, Changes(error=_EXPIRED), if_in=JobState.UPLOADING)
    remove_upload(services, upload_id)


def _is_accepted(services: Services, job_id: str) -> bool:
    """Tell whether the upload was whole and its job's record is lost: that is for a rebuild to restore."""
    try:
        services.objects.stat(keys.manifest(job_id))
    except ObjectNotFoundError:
        return False
    return True

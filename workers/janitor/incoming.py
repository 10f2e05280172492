"""Uploads that take several requests: forgotten ones go with their jobs, the others are made known again.

The web service queues whole ones, as nobody else may write an original (web/upload/finishing.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from storage.errors import RecordError
from storage.faults import of_one_job
from storage.job_store.upload_contract import QUIET_SECONDS
from storage.model.job import JobState
from storage.model.upload import OpenUpload, expires_at
from storage.objects import keys
from storage.services import Services
from storage.services.holding import held
from storage.services.upload_jobs import give_up, is_whole
from storage.services.uploads import arrived, job_of, note_open, upload_of
from storage.upload_errors import UploadNotFoundError


def keep_uploads(services: Services, *, now: float, expiry: float) -> Iterator[str]:
    """Look at each upload that is stored, and yield those that are given up; `now` is Unix seconds.

    That is `expiry` seconds after the last of its bytes came. One that is whole is never given up.
    """
    known = {upload.id: upload for upload in services.jobs.open_uploads()}
    stored = dict.fromkeys(key.split("/")[1] for key in services.objects.keys(keys.UPLOADS))
    for upload_id in stored:
        gone = False
        with of_one_job("upload", upload_id, services.jobs.count_fault):
            gone = _is_over(services, upload_id, now, expiry, known.get(upload_id))
            if gone:
                give_up(services, upload_id)
        if gone:
            yield upload_id
    for upload_id in known.keys() - stored.keys():
        with of_one_job("upload", upload_id, services.jobs.count_fault):
            _forget(services, known[upload_id], now, expiry)


def _forget(services: Services, missing: OpenUpload, now: float, expiry: float) -> None:
    """Forget an upload that is not stored; one that did not end may be back when its store is mounted again."""
    job = job_of(services, missing.id)
    if job is None or job.state is not JobState.UPLOADING:
        services.jobs.forget_upload(missing.id)
    elif missing.at + expiry < now:
        give_up(services, missing.id)


def _is_over(services: Services, upload_id: str, now: float, expiry: float, known: OpenUpload | None) -> bool:
    """Tell whether the upload is to go, and then who receives it stores nothing more; else note how far it is."""
    found = arrived(services.objects, upload_id)
    try:
        upload = upload_of(services.objects, upload_id)
        is_whole(services, upload)  # or its job was lost, and is there again
    except UploadNotFoundError:
        return True  # its job ended, or its removal broke off
    except RecordError:
        if now - found.at < expiry:
            raise
        return True
    if upload.lacks(found.size) and expires_at(upload, found.at, expiry) < now:
        with held(services.jobs, upload):  # who receives it still stores nothing more
            return True
    if known is None or (known.size != found.size and now - known.at > QUIET_SECONDS):
        note_open(services, upload, found.size, now=found.at or upload.created_at)
    return False

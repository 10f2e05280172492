"""Uploads over several requests: their records beside their bytes, and how they become jobs.

An upload is what lies under its prefix in the object store, so it survives the loss of everything else. Whoever meets
one that is whole makes it a job: the request that brought the last byte, a client that asks how far it is, the janitor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pydantic import TypeAdapter

from storage.errors import JobNotFoundError, ObjectNotFoundError, TransitionError
from storage.model.job import Job, JobState, Promise, is_job_id
from storage.model.record_checks import spoiled
from storage.model.upload import Upload, check_upload
from storage.objects import keys
from storage.objects.contract import ObjectInfo, ObjectStore
from storage.objects.incoming import Arrived
from storage.objects.manifests import delete_originals
from storage.services import Services
from storage.services.accepting import accept
from storage.upload_errors import UploadEndedError, UploadNotFoundError

_UPLOAD = TypeAdapter(Upload)
_JSON = "application/json"
_LONGEST = 64 * 1024  # bytes of a record: the longest metadata, and names
# What the browser says of the type is a guess from the name; nothing relies on it.
_TYPE = "application/octet-stream"


def save_upload(services: Services, upload: Upload) -> None:
    """Write the record of an upload; it is there when this returns."""
    key = keys.upload_record(upload.id)
    services.objects.put_bytes(key, _UPLOAD.dump_json(upload, indent=1), content_type=_JSON)


def upload_of(objects: ObjectStore, upload_id: str) -> Upload:
    """Return the upload. Raises UploadNotFoundError, also for what is no id; RecordError for what nobody wrote."""
    if not is_job_id(upload_id):
        raise UploadNotFoundError
    try:
        text = b"".join(objects.read(keys.upload_record(upload_id), length=_LONGEST))
    except ObjectNotFoundError as error:
        raise UploadNotFoundError(detail=upload_id) from error
    with spoiled(upload_id):
        upload = _UPLOAD.validate_json(text)
        check_upload(upload, upload_id)
    return upload


def arrived(objects: ObjectStore, upload_id: str) -> Arrived:
    """Return how much of the upload has come for good. What came and was not checked does not count."""
    original = _stored_original(objects, upload_id)
    if original is not None:
        return Arrived(original.size, original.modified_at)
    found, doubt = objects.incoming.arrived(upload_id), _noted(objects, keys.upload_doubt(upload_id))
    return found if doubt is None else Arrived(min(found.size, doubt), found.at)


def arrived_to_stay(objects: ObjectStore, upload: Upload, known: int = 0) -> int:
    """Return how many bytes of an upload that is no original yet have come and stay what they are, whoever writes.

    So many as are `known` were returned before. Unlike `arrived` this is also right beside a request whose bytes are
    found to be wrong meanwhile: where that happened once, nothing behind it is counted.
    """
    # In this order: a doubt goes only after the note of what was cut off for it.
    size = objects.incoming.arrived(upload.id, known=known, part_bytes=upload.part_bytes).size
    doubt = _noted(objects, keys.upload_doubt(upload.id))
    cut = _noted(objects, keys.upload_cut(upload.id))
    return min(border for border in (size, doubt, cut) if border is not None)


def begin_doubt(objects: ObjectStore, upload_id: str, size: int) -> None:
    """Note that what comes behind the first `size` bytes counts only once it is checked."""
    _note(objects, keys.upload_doubt(upload_id), size)


def end_doubt(objects: ObjectStore, upload_id: str, *, keep: bool) -> None:
    """Count what came, or `keep` none of it; nothing happens where there is no doubt."""
    doubt = _noted(objects, keys.upload_doubt(upload_id))
    if doubt is None:
        return
    if not keep and objects.incoming.arrived(upload_id).size > doubt:
        if _noted(objects, keys.upload_cut(upload_id)) is None:  # else it lies before this one
            _note(objects, keys.upload_cut(upload_id), doubt)
        objects.incoming.cut(upload_id, doubt)
    objects.delete_prefix(keys.upload_doubt(upload_id))


def complete(
    services: Services,
    upload: Upload,
    *,
    promise: Callable[[int], Promise | None] = lambda _: None,
    estimate: Callable[[Job], object] = lambda _: None,
) -> Job:
    """Queue the job of a whole upload, once, and return it.

    `promise` tells what a job of so many bytes is promised. Raises BusyError; the upload is still there then, and
    whole, and this can be called again. Raises UploadEndedError if the job was; nothing of the upload is left then.
    """
    job = job_of(services, upload.id)
    try:
        if job is None or job.incomplete:
            size = _original(services.objects, upload.id)
            job = replace(job_to_be(upload), size=size, state=JobState.QUEUED, incomplete=False, promise=promise(size))
            accept(services, job, sha256="", estimate=estimate, undo=lambda: None)
    except TransitionError as error:
        remove_incomplete(services, upload.id)
        raise UploadEndedError(detail=upload.id) from error
    _forget_upload(services, upload.id)
    return job


def job_to_be(upload: Upload) -> Job:
    """Return the job of an upload that is not whole."""
    return Job(
        id=upload.id,
        owner=upload.owner,
        title=upload.title,
        filename=upload.filename,
        size=upload.length or 0,
        created_at=upload.created_at,
        webhook_url=upload.webhook_url,
        loudness=upload.loudness,
        state=JobState.UPLOADING,
        incomplete=True,
    )


def job_of(services: Services, job_id: str) -> Job | None:
    """Return the job of this id, None where none is known."""
    try:
        return services.jobs.get(job_id)
    except JobNotFoundError:
        return None


def remove_upload(services: Services, upload_id: str) -> None:
    """Remove what there is of an upload, unless that is an original by now.

    Its whole parts go first: if the removal breaks off, the record still tells of the upload, and less of it is stored.
    """
    if _stored_original(services.objects, upload_id) is None:
        services.objects.delete_prefix(keys.upload_parts(upload_id))
    _forget_upload(services, upload_id)


def _forget_upload(services: Services, upload_id: str) -> None:
    """Remove what tells of an upload, its record first: if this breaks off, the rest is what nobody knows."""
    services.objects.delete_prefix(keys.upload_record(upload_id))
    services.objects.delete_prefix(keys.upload(upload_id))
    services.jobs.forget_upload(upload_id)


def remove_incomplete(services: Services, job_id: str) -> None:
    """Remove all that there is of a job whose upload did not become whole, or was just becoming its original."""
    delete_originals(services.objects, job_id)
    services.jobs.forget_upload(job_id)


def note_open(services: Services, upload: Upload, size: int, *, now: float) -> None:
    """Let all web processes know of an upload; `now` is Unix seconds."""
    services.jobs.note_upload(upload.standing(size, now))


def _original(objects: ObjectStore, upload_id: str) -> int:
    """Make what came the original, unless it is, and return its bytes."""
    found = _stored_original(objects, upload_id)
    if found is None:
        found = objects.incoming.finish(upload_id, keys.original(upload_id), content_type=_TYPE)
    return found.size


def _stored_original(objects: ObjectStore, upload_id: str) -> ObjectInfo | None:
    try:
        return objects.stat(keys.original(upload_id))
    except ObjectNotFoundError:
        return None


def _note(objects: ObjectStore, key: str, size: int) -> None:
    objects.put_bytes(key, str(size).encode(), content_type="text/plain")


def _noted(objects: ObjectStore, key: str) -> int | None:
    """Return the number that was noted under the key of an upload, None where there is none."""
    try:
        text = b"".join(objects.read(key, length=32))
    except ObjectNotFoundError:
        return None
    with spoiled(key):
        return int(text)

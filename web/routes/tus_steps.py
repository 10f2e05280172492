"""What the requests of tus have in common: letting an upload in, going on with it, telling how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from flask import Response, request, url_for

from storage.errors import DrainingError, InvalidRequestError, JobNotFoundError
from storage.model.job import Job
from storage.model.upload import Upload, expires_at
from storage.services.holding import Holding, held
from storage.services.upload_index import place_of_index, store_index
from storage.services.upload_jobs import begin, check_goes_on, is_whole
from storage.services.uploads import arrived, complete, end_doubt, job_of, save_upload, upload_of
from storage.upload_errors import UploadIndexError, UploadNotFoundError, UploadOffsetError, UploadTakenError
from web.admission.decision import RETRY_AFTER_DRAINING
from web.admission.ticket import Ticket
from web.context import Web
from web.http.addresses import client
from web.http.connection import ask_for_body
from web.http.problems import TURN
from web.routes.owned import OWNER, owned_job
from web.routes.uploading import count_bytes, counted_refusals, elsewhere
from web.upload import tus
from web.upload.body_reader import body_reader
from web.upload.continuing import continue_upload
from web.upload.limits import too_large

JOB = "Rungs-Job"  # the header that names the job which a whole upload has become


class Sent(NamedTuple):
    """What a request says of the bytes that it brings, if it brings any."""

    offset: int
    length: int | None
    checksum: tus.Checksum | None


def admitted(web: Web, upload: Upload) -> None:
    """Create the upload if admission lets it in, which is asked once, by what it announces."""
    services, now = web.services, web.clock()
    free, queue = services.objects.free_bytes(), web.queue.read().queue_of(OWNER, upload.length, now)
    token = request.headers.get(TURN, "")
    others = elsewhere(web)
    with (
        counted_refusals(web),
        web.gate.admit(upload.length, free, queue, others, client=upload.client, token=token),
    ):
        begin(services, upload)
    web.metrics.uploads.labels("begun").inc()


def open_upload(web: Web, upload_id: str) -> Upload | None:
    """Return the caller's upload, None where it may be whole by now. Raises UploadNotFoundError for another's."""
    try:
        upload = upload_of(web.services.objects, upload_id)
    except UploadNotFoundError:
        return None
    if upload.owner != OWNER:
        raise UploadNotFoundError
    return None if is_whole(web.services, upload) else upload


def _standing(web: Web, upload: Upload) -> int:
    """Return how many bytes have come for good, to whoever holds the upload. Raises UploadNotFoundError: expired."""
    end_doubt(web.services.objects, upload.id, keep=False)
    found = arrived(web.services.objects, upload.id)
    expired = expires_at(upload, found.at, web.settings.upload_expiry_seconds) < web.clock()
    if expired and upload.lacks(found.size):
        raise UploadNotFoundError
    return found.size


def of_job(web: Web, upload_id: str) -> Response:
    """Tell that the upload is whole, as its job is. Raises UploadNotFoundError where there is none, or it ended."""
    try:
        job = owned_job(web, upload_id)
    except JobNotFoundError as error:
        raise UploadNotFoundError from error
    check_goes_on(job)
    if job.incomplete:
        raise UploadNotFoundError  # this will be told of its job, too
    return _whole(job)


def _whole(job: Job) -> Response:
    answer = Response(status=HTTPStatus.NO_CONTENT)
    answer.headers["Upload-Offset"] = answer.headers["Upload-Length"] = str(job.size)
    answer.headers[JOB] = job.id
    answer.headers["Location"] = url_for("jobs.get_job", job_id=job.id)
    return answer


def progress(web: Web, upload: Upload, size: int) -> Response:
    """Tell how far an upload is that goes on."""
    answer = Response(status=HTTPStatus.NO_CONTENT)
    answer.headers["Upload-Offset"] = str(size)
    answer.headers.update(tus.length_told(upload.length))
    answer.headers.update(tus.expires(web.clock() + web.settings.upload_expiry_seconds))
    return answer


def as_stored(web: Web, upload: Upload, holding: Holding) -> Response:
    """Tell how far the upload is by what is stored; one that is whole becomes its job first."""
    size = _standing(web, upload)
    return progress(web, upload, size) if upload.lacks(size) else _completed(web, upload, holding)


def continued(web: Web, upload: Upload, sent: Sent) -> Response:
    """Store the request's bytes and tell how far the upload is then."""
    services = web.services
    # Before the upload is taken from whoever receives it: a request of a dead line may be looked at late.
    if arrived(services.objects, upload.id).size != sent.offset:
        raise UploadOffsetError
    standing = upload.standing(sent.offset, web.clock())
    with (
        _told_of_its_end(web, upload),
        web.gate.receive(standing, services.objects.free_bytes(), elsewhere(web), client=client()) as ticket,
        held(services.jobs, upload) as holding,
    ):
        upload = upload_of(services.objects, upload.id)  # it may have ended, or become a job, before it was ours
        if _standing(web, upload) != sent.offset:
            raise UploadOffsetError
        upload = holding.upload = _with_length(web, upload, sent)
        most = upload.length or web.gate.limits.upload_bytes
        if sent.offset + (request.content_length or 0) > most:
            raise too_large(most)
        ask_for_body()
        size = continue_upload(
            services.objects,
            holding,
            body_reader(kept=sent.checksum is None),
            offset=sent.offset,
            most=most,
            checksum=sent.checksum,
            on_bytes=partial(_count, web, ticket),
        )
        if not upload.lacks(size):
            return _completed(web, upload, holding)
        holding.look()  # so that the job's page tells where it stopped
        return progress(web, upload, size)


@contextmanager
def _told_of_its_end(web: Web, upload: Upload) -> Iterator[None]:
    """Raise UploadEndedError where the upload was taken away, or is gone, as it was ended."""
    try:
        yield
    except (UploadTakenError, UploadNotFoundError):
        job = job_of(web.services, upload.id)
        if job is not None:
            check_goes_on(job)
        raise


def keep_index(web: Web, upload: Upload, begin: int, size: int) -> None:
    """Store the request's bytes as the upload's index, unless one of this place is there, which a client sent again.

    Raises UploadIndexError where there is one of another place, and BusyError where no room is left.
    """
    objects = web.services.objects
    there = place_of_index(objects, upload.id)
    if there == (begin, begin + size):
        return
    if there is not None:
        raise UploadIndexError
    web.gate.go_on(objects.free_bytes())
    ask_for_body()
    store_index(objects, upload.id, body_reader(kept=False), begin=begin, size=size)


def _count(web: Web, ticket: Ticket, size: int) -> None:
    """Count bytes that came. Raises BusyError when the upload has to stop: no room is left, or the service stops."""
    count_bytes(web, ticket, size)
    if web.gate.is_draining():
        raise DrainingError(retry_after=RETRY_AFTER_DRAINING)


def _with_length(web: Web, upload: Upload, sent: Sent) -> Upload:
    """Return the upload with the length that was told later, kept. Raises InvalidRequestError for another one."""
    if sent.length is None or sent.length == upload.length:
        return upload
    if upload.length is not None or sent.length < sent.offset:
        raise InvalidRequestError(reason="upload_length")
    upload = replace(upload, length=sent.length)
    save_upload(web.services, upload)
    return upload


def _completed(web: Web, upload: Upload, holding: Holding) -> Response:
    """Queue the job of the upload and name it."""
    now = web.clock()
    with holding.beating():
        job = complete(
            web.services,
            upload,
            promise=lambda size: web.queue.promise(OWNER, size, now),
            estimate=web.queue.estimate,
        )
    web.gate.landed(job.size)
    web.metrics.uploads.labels("accepted").inc()
    return _whole(job)

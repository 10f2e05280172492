"""`/api/uploads`: uploads that go on where they broke off, by the protocol tus 1.0.0; docs/uploads.md.

    POST /api/uploads            create one; its bytes may come with it
    HEAD /api/uploads/<id>       how far it is
    PATCH /api/uploads/<id>      more of its bytes
    DELETE /api/uploads/<id>     end it
    OPTIONS /api/uploads         what is spoken here

The upload's id is that of the job which it becomes, so that who lost the answer to the last byte finds the job.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from flask import Blueprint, Response, request, url_for
from spectree import Response as Answers

from storage.errors import (
    BusyError,
    ConflictError,
    DrainingError,
    InvalidRequestError,
    JobNotFoundError,
    RungsError,
    UploadNotFoundError,
    UploadOffsetError,
)
from storage.model.job import Job
from storage.model.upload import OpenUpload, Upload, expires_at
from storage.objects.contract import PART_BYTES
from storage.objects.incoming import part_bytes_for
from storage.services.holding import Holding, held
from storage.services.uploads import arrived, complete, end_doubt, note_open, remove_upload, save_upload, upload_of
from web.admission.decision import RETRY_AFTER_DRAINING
from web.admission.elsewhere import Elsewhere
from web.admission.ticket import Ticket
from web.context import Web, current
from web.http.addresses import client
from web.http.connection import TUS_PATH, ask_for_body, close_after_answer
from web.http.openapi import Problem, spec
from web.http.problems import TURN
from web.routes.owned import OWNER, owned_job
from web.upload import tus
from web.upload.body_reader import body_reader
from web.upload.continuing import continue_upload
from web.upload.limits import too_large

JOB = "Rungs-Job"  # the header that names the job which a whole upload has become

blueprint = Blueprint("tus", __name__)


class _Sent(NamedTuple):
    """What a request says of the bytes that it brings, if it brings any."""

    offset: int
    length: int | None
    checksum: tus.Checksum | None


@blueprint.after_request
def speak_tus(response: Response) -> Response:
    """Say which version of tus is spoken; close the connection after a refusal: nobody reads the rest of the body."""
    response.headers["Tus-Resumable"] = tus.VERSION
    if response.status_code == HTTPStatus.PRECONDITION_FAILED:
        response.headers["Tus-Version"] = tus.VERSION
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        close_after_answer()
    return response


@blueprint.route(TUS_PATH, methods=["OPTIONS"], provide_automatic_options=False)
@blueprint.route(f"{TUS_PATH}/<upload_id>", methods=["OPTIONS"], provide_automatic_options=False)
def what_is_spoken(upload_id: str = "") -> Response:  # noqa: ARG001 - all uploads are alike
    """Tell which parts of tus are here."""
    limit = current().gate.limits.upload_bytes
    return Response(status=HTTPStatus.NO_CONTENT, headers=tus.what_is_here(limit))


@blueprint.post(TUS_PATH)
@spec.validate(
    resp=Answers(
        HTTP_201=None,
        HTTP_409=Problem,
        HTTP_412=Problem,
        HTTP_413=Problem,
        HTTP_415=Problem,
        HTTP_423=Problem,
        HTTP_429=Problem,
        HTTP_503=Problem,
    ),
    tags=["uploads"],
)
def create_upload() -> Response:
    """Create an upload by tus 1.0.0.

    `Upload-Length` or `Upload-Defer-Length` is asked for; `Upload-Metadata` may hold `filename`, `title` and
    `webhook_url`. The answer's `Location` is where the bytes go by PATCH. The first of them may come as the body.
    """
    web = current()
    tus.check_version(_said())
    limit = web.gate.limits.upload_bytes
    length = tus.length_of(_said(), limit=limit, required=True)
    about, brings = tus.described(_said()), _has_body()
    checksum = tus.checksum_of(_said()) if brings else None
    if brings:
        tus.check_type(_said())
    upload = Upload(
        id=secrets.token_hex(16),
        owner=OWNER,
        client=client(),
        length=length,
        part_bytes=part_bytes_for(limit if length is None else length, PART_BYTES),
        filename=about.filename,
        title=about.title,
        webhook_url=about.webhook_url,
        metadata=about.metadata,
        created_at=web.clock(),
    )
    _admitted(web, upload)
    answer = _progress(web, upload, 0) if not brings else _continued(web, upload, _Sent(0, None, checksum))
    answer.status_code = HTTPStatus.CREATED
    answer.headers["Location"] = url_for("tus.continue_upload_of", upload_id=upload.id)
    return answer


@blueprint.route(f"{TUS_PATH}/<upload_id>", methods=["HEAD"])
def ask_for_offset(upload_id: str) -> Response:
    """Tell how far the upload is. Whoever receives it still, for a client that is gone, stores what came and stops."""
    web = current()
    tus.check_version(_said())
    upload = _open_upload(web, upload_id)
    if upload is None:
        answer = _of_job(web, upload_id)
    else:
        with held(web.services.jobs, upload) as holding:
            answer = _as_stored(web, upload, holding)
        if upload.metadata:
            answer.headers["Upload-Metadata"] = upload.metadata
    answer.status_code = HTTPStatus.OK
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.patch(f"{TUS_PATH}/<upload_id>")
@spec.validate(
    resp=Answers(
        HTTP_204=None,
        HTTP_404=Problem,
        HTTP_409=Problem,
        HTTP_412=Problem,
        HTTP_413=Problem,
        HTTP_415=Problem,
        HTTP_423=Problem,
        HTTP_429=Problem,
        HTTP_503=Problem,
    ),
    tags=["uploads"],
)
def continue_upload_of(upload_id: str) -> Response:
    """Send more bytes of an upload by tus 1.0.0: those behind `Upload-Offset`, which is where it stands.

    The answer that completes it names the job in `Rungs-Job` and `Location`. A checksum that is wrong gets 460.
    """
    web = current()
    tus.check_version(_said())
    tus.check_type(_said())
    length = tus.length_of(_said(), limit=web.gate.limits.upload_bytes, required=False)
    sent = _Sent(tus.offset_of(_said()), length, tus.checksum_of(_said()))
    upload = _open_upload(web, upload_id)
    if upload is not None:
        return _continued(web, upload, sent)
    answer = _of_job(web, upload_id)
    if answer.headers["Upload-Offset"] != str(sent.offset):
        raise UploadOffsetError
    return answer


@blueprint.delete(f"{TUS_PATH}/<upload_id>")
@spec.validate(
    resp=Answers(HTTP_204=None, HTTP_404=Problem, HTTP_409=Problem, HTTP_412=Problem, HTTP_503=Problem),
    tags=["uploads"],
)
def end_upload(upload_id: str) -> Response:
    """End an upload and remove what has come of it. One that is a job already is cancelled or deleted as a job."""
    web = current()
    tus.check_version(_said())
    upload = _open_upload(web, upload_id)
    if upload is None:
        _of_job(web, upload_id)
        raise ConflictError(reason="upload_is_a_job")
    with held(web.services.jobs, upload):
        remove_upload(web.services, upload.id)
    web.metrics.uploads.labels("ended").inc()
    return Response(status=HTTPStatus.NO_CONTENT)


def _said() -> dict[str, str]:
    """Return the request's headers, named as HTTP writes them."""
    return dict(request.headers)


def _has_body() -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def _admitted(web: Web, upload: Upload) -> None:
    """Create the upload if admission lets it in, which is asked once, by what it announces."""
    services, now = web.services, web.clock()
    elsewhere = Elsewhere.of(services.jobs.open_uploads(), now)
    free, queue = services.objects.free_bytes(), web.queue.read().queue_of(OWNER, upload.length, now)
    token = request.headers.get(TURN, "")
    try:
        with web.gate.admit(upload.length, free, queue, elsewhere, client=upload.client, token=token):
            save_upload(services, upload)
            note_open(services, upload, 0, now=now)
    except BusyError as error:
        web.metrics.uploads.labels("busy").inc()
        web.queue.note_refusal(error.code)
        raise
    except RungsError:
        web.metrics.uploads.labels("refused").inc()
        raise
    web.metrics.uploads.labels("begun").inc()


def _open_upload(web: Web, upload_id: str) -> Upload | None:
    """Return the caller's upload, None where it may be a job by now. Raises UploadNotFoundError for another's."""
    try:
        upload = upload_of(web.services.objects, upload_id)
    except UploadNotFoundError:
        return None
    if upload.owner != OWNER:
        raise UploadNotFoundError
    return upload


def _standing(web: Web, upload: Upload) -> int:
    """Return how many bytes have come for good, to whoever holds the upload. Raises UploadNotFoundError: expired."""
    end_doubt(web.services.objects, upload.id, keep=False)
    found = arrived(web.services.objects, upload.id)
    expired = expires_at(upload, found.at, web.settings.upload_expiry_seconds) < web.clock()
    if expired and upload.lacks(found.size):
        raise UploadNotFoundError
    return found.size


def _of_job(web: Web, upload_id: str) -> Response:
    """Tell that the upload has become a job. Raises UploadNotFoundError where there is none."""
    try:
        job = owned_job(web, upload_id)
    except JobNotFoundError as error:
        raise UploadNotFoundError from error
    return _whole(job)


def _whole(job: Job) -> Response:
    answer = Response(status=HTTPStatus.NO_CONTENT)
    answer.headers["Upload-Offset"] = answer.headers["Upload-Length"] = str(job.size)
    answer.headers[JOB] = job.id
    answer.headers["Location"] = url_for("jobs.get_job", job_id=job.id)
    return answer


def _progress(web: Web, upload: Upload, size: int) -> Response:
    """Tell how far an upload is that goes on."""
    answer = Response(status=HTTPStatus.NO_CONTENT)
    answer.headers["Upload-Offset"] = str(size)
    answer.headers.update(tus.length_told(upload.length))
    answer.headers.update(tus.expires(web.clock() + web.settings.upload_expiry_seconds))
    return answer


def _as_stored(web: Web, upload: Upload, holding: Holding) -> Response:
    """Tell how far the upload is by what is stored; one that is whole becomes its job first."""
    size = _standing(web, upload)
    return _progress(web, upload, size) if upload.lacks(size) else _completed(web, upload, holding)


def _continued(web: Web, upload: Upload, sent: _Sent) -> Response:
    """Store the request's bytes and tell how far the upload is then."""
    services = web.services
    standing = OpenUpload(upload.id, upload.client, sent.offset, max(0, (upload.length or 0) - sent.offset), 0.0)
    elsewhere = Elsewhere.of(services.jobs.open_uploads(), web.clock())
    with (
        web.gate.receive(standing, services.objects.free_bytes(), elsewhere, client=client()) as ticket,
        held(services.jobs, upload) as holding,
    ):
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
        return _progress(web, upload, size) if upload.lacks(size) else _completed(web, upload, holding)


def _count(web: Web, ticket: Ticket, size: int) -> None:
    """Count bytes that came. Raises BusyError when the upload has to stop: no room is left, or the service stops."""
    ticket.received(size)
    web.metrics.upload_bytes.inc(size)
    if web.gate.is_draining():
        raise DrainingError(retry_after=RETRY_AFTER_DRAINING)
    if ticket.part_is_full():
        web.gate.go_on(web.services.objects.free_bytes())


def _with_length(web: Web, upload: Upload, sent: _Sent) -> Upload:
    """Return the upload with the length that was told later, kept. Raises InvalidRequestError for another one."""
    if sent.length is None or sent.length == upload.length:
        return upload
    if upload.length is not None or sent.length < sent.offset:
        raise InvalidRequestError(reason="upload_length")
    upload = replace(upload, length=sent.length)
    save_upload(web.services, upload)
    return upload


def _completed(web: Web, upload: Upload, holding: Holding) -> Response:
    """Make the upload its job and name it."""
    now = web.clock()
    with holding.beating():
        job = complete(
            web.services,
            upload,
            now=now,
            promise=lambda size: web.queue.promise(OWNER, size, now),
            estimate=web.queue.estimate,
        )
    web.gate.landed(job.size)
    web.metrics.uploads.labels("accepted").inc()
    return _whole(job)

"""`/api/uploads`: uploads that go on where they broke off, by the protocol tus 1.0.0; docs/uploads.md.

    POST /api/uploads            create one; its bytes may come with it
    HEAD /api/uploads/<id>       how far it is
    PATCH /api/uploads/<id>      more of its bytes
    PUT /api/uploads/<id>/index  its index, ahead of the media; not of tus
    DELETE /api/uploads/<id>     end it
    OPTIONS /api/uploads         what is spoken here

The upload's id is that of the job which it becomes, so that who lost the answer to the last byte finds the job.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, request, url_for
from spectree import Response as Answers

from storage.errors import ConflictError, TransitionError
from storage.model.job import JobState
from storage.model.upload import Upload
from storage.objects.contract import PART_BYTES
from storage.objects.incoming import part_bytes_for
from storage.services.holding import held
from storage.services.upload_jobs import cancel
from storage.upload_errors import UploadOffsetError
from web.context import current
from web.http.addresses import client
from web.http.connection import TUS_PATH
from web.http.openapi import Problem, spec
from web.routes.owned import OWNER
from web.routes.tus_steps import Sent, admitted, as_stored, continued, keep_index, of_job, open_upload, progress
from web.routes.uploading import close_if_refused, new_job_id
from web.upload import tus

# What may become of bytes of an upload; 460 is added where the description is completed.
_REFUSED = {f"HTTP_{status}": Problem for status in (409, 412, 413, 415, 423, 429, 503)}

blueprint = Blueprint("tus", __name__)
blueprint.after_request(close_if_refused)


@blueprint.after_request
def speak_tus(response: Response) -> Response:
    """Say which version of tus is spoken."""
    response.headers["Tus-Resumable"] = tus.VERSION
    if response.status_code == HTTPStatus.PRECONDITION_FAILED:
        response.headers["Tus-Version"] = tus.VERSION
    return response


@blueprint.route(TUS_PATH, methods=["OPTIONS"], provide_automatic_options=False)
@blueprint.route(f"{TUS_PATH}/<upload_id>", methods=["OPTIONS"], provide_automatic_options=False)
def what_is_spoken(upload_id: str = "") -> Response:  # noqa: ARG001 - all uploads are alike
    """Tell which parts of tus are here."""
    limit = current().gate.limits.upload_bytes
    return Response(status=HTTPStatus.NO_CONTENT, headers=tus.what_is_here(limit))


@blueprint.post(TUS_PATH)
@spec.validate(
    resp=Answers(HTTP_201=None, **_REFUSED),
    tags=["uploads"],
)
def create_upload() -> Response:
    """Create an upload by tus 1.0.0.

    `Upload-Length` or `Upload-Defer-Length` is asked for; `Upload-Metadata` may hold `filename`, `title`,
    `webhook_url` and `loudness`. The answer's `Location` is where the bytes go by PATCH. The first of them may come as
    the body.
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
        id=new_job_id(),
        owner=OWNER,
        client=client(),
        length=length,
        part_bytes=part_bytes_for(limit if length is None else length, PART_BYTES),
        filename=about.filename,
        title=about.title,
        webhook_url=about.webhook_url,
        loudness=about.loudness,
        metadata=about.metadata,
        created_at=web.clock(),
    )
    admitted(web, upload)
    answer = progress(web, upload, 0) if not brings else continued(web, upload, Sent(0, None, checksum))
    answer.status_code = HTTPStatus.CREATED
    answer.headers["Location"] = url_for("tus.continue_upload_of", upload_id=upload.id)
    return answer


@blueprint.route(f"{TUS_PATH}/<upload_id>", methods=["HEAD"])
def ask_for_offset(upload_id: str) -> Response:
    """Tell how far the upload is. Whoever receives it still, for a client that is gone, stores what came and stops."""
    web = current()
    tus.check_version(_said())
    upload = open_upload(web, upload_id)
    if upload is None:
        answer = of_job(web, upload_id)
    else:
        with held(web.services.jobs, upload) as holding:
            answer = as_stored(web, upload, holding)
        if upload.metadata:
            answer.headers["Upload-Metadata"] = upload.metadata
    answer.status_code = HTTPStatus.OK
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.patch(f"{TUS_PATH}/<upload_id>")
@spec.validate(
    resp=Answers(HTTP_204=None, HTTP_404=Problem, HTTP_410=Problem, **_REFUSED),
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
    sent = Sent(tus.offset_of(_said()), length, tus.checksum_of(_said()))
    upload = open_upload(web, upload_id)
    if upload is not None:
        return continued(web, upload, sent)
    answer = of_job(web, upload_id)
    if answer.headers["Upload-Offset"] != str(sent.offset):
        raise UploadOffsetError
    return answer


@blueprint.put(f"{TUS_PATH}/<upload_id>/index")
@spec.validate(
    resp=Answers(HTTP_204=None, HTTP_404=Problem, HTTP_410=Problem, **_REFUSED),
    tags=["uploads"],
)
def take_index(upload_id: str) -> Response:
    """Send the index of an MP4 ahead of its media: bytes of the file as they lie from `Upload-Offset` on.

    It is taken once, and only makes the job ready sooner: what counts are the file's own bytes. Where these have all
    come, nothing is done.
    """
    web = current()
    tus.check_version(_said())
    tus.check_type(_said())
    upload = open_upload(web, upload_id)
    if upload is None:
        of_job(web, upload_id)
    else:
        size = request.content_length
        keep_index(web, upload, tus.index_place(_said(), size=size, length=upload.length), size or 0)
    return Response(status=HTTPStatus.NO_CONTENT)


@blueprint.delete(f"{TUS_PATH}/<upload_id>")
@spec.validate(
    resp=Answers(
        HTTP_204=None, HTTP_404=Problem, HTTP_409=Problem, HTTP_410=Problem, HTTP_412=Problem, HTTP_503=Problem
    ),
    tags=["uploads"],
)
def end_upload(upload_id: str) -> Response:
    """End an upload, remove what has come of it and cancel its job. One that is whole is ended as a job alone."""
    web = current()
    tus.check_version(_said())
    try:
        if open_upload(web, upload_id) is None:
            of_job(web, upload_id)
            raise ConflictError(reason="upload_is_a_job")
        cancel(web.services, upload_id, if_in=JobState.UPLOADING)
    except TransitionError as error:
        raise ConflictError(reason="upload_is_a_job") from error
    web.metrics.uploads.labels("ended").inc()
    return Response(status=HTTPStatus.NO_CONTENT)


def _said() -> dict[str, str]:
    """Return the request's headers, named as HTTP writes them."""
    return dict(request.headers)


def _has_body() -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers

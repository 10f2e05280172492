"""`POST /api/jobs`: one upload becomes one job."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import structlog
from flask import Blueprint, Response, jsonify, redirect, request, url_for
from gunicorn.http.errors import ParseException
from spectree import Response as Answers
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Response as AnyResponse
from werkzeug.wsgi import get_input_stream

from storage.errors import (
    BusyError,
    InvalidRequestError,
    JobExistsError,
    JobStoreDownError,
    ObjectStoreDownError,
    RungsError,
    UploadIncompleteError,
)
from storage.model.job import Job, Promise
from storage.objects import keys
from storage.objects.manifests import Manifest, delete_job_objects, put_manifest
from storage.public.job_json import job_json
from storage.services import Services
from storage.services.dispatch import dispatch_or_leave
from web.context import Web, current
from web.http.addresses import client
from web.http.connection import UPLOAD_PATH, ask_for_body, close_after_answer
from web.http.openapi import Problem, spec
from web.http.problems import TURN, prefers_html
from web.read.queue_snapshot import QueueSnapshot
from web.routes.owned import OWNER
from web.schemas.jobs import AcceptedJob, UploadForm
from web.upload.multipart_form import read_form
from web.upload.receiving import Received, receive

MESSAGE = "The upload is complete. You will be told when encoding is done."

blueprint = Blueprint("uploads", __name__)
_log = structlog.get_logger(__name__)


@blueprint.post(UPLOAD_PATH)
@spec.validate(
    form=UploadForm,
    resp=Answers(
        HTTP_202=AcceptedJob,
        HTTP_303=None,
        HTTP_413=Problem,
        HTTP_429=Problem,
        HTTP_503=Problem,
    ),
    tags=["jobs"],
)
def create_job() -> AnyResponse:
    """Upload a video.

    The body is streamed into the object store. The answer is 202 with the job; a browser's form post without
    JavaScript is sent on to the job's page.
    """
    web = current()
    try:
        job = _take(web)
    except BusyError as error:
        web.metrics.uploads.labels("busy").inc()
        web.queue.note_refusal(error.code)
        raise
    except RungsError:
        web.metrics.uploads.labels("refused").inc()
        raise
    web.metrics.uploads.labels("accepted").inc()
    place = url_for("jobs.get_job", job_id=job.id)
    if prefers_html():
        return redirect(f"/jobs/{job.id}", 303)
    answer = jsonify({**_shown(web, job), "message": MESSAGE})
    answer.status_code = 202
    answer.headers["Location"] = place
    return answer


@blueprint.after_request
def close_if_refused(response: Response) -> Response:
    """Close the connection after a refusal: most of the body may still be on its way, and nobody will read it."""
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        close_after_answer()
    return response


def _shown(web: Web, job: Job) -> dict[str, Any]:
    """Return the new job's public JSON; an accepted upload is never answered with an error, or it would come twice."""
    try:
        return web.views.of(job)
    except JobStoreDownError:
        return job_json(job)


def _take(web: Web) -> Job:
    """Receive the request's file and make it a job; everything that can be refused early is."""
    boundary = _boundary()
    announced = request.content_length
    web.services.jobs.ping()
    objects, queue = web.services.objects, web.queue.read().queue_of(OWNER, announced, web.clock())
    token = request.headers.get(TURN, "")
    with web.gate.enter(announced, objects.free_bytes(), queue, client=client(), token=token) as ticket:

        def count(size: int) -> None:
            ticket.received(size)
            web.metrics.upload_bytes.inc(size)
            if ticket.part_is_full():
                web.gate.go_on(objects.free_bytes())

        ask_for_body()
        events = read_form(_body_reader(), boundary, announced=announced)
        limit = web.gate.limits.upload_bytes
        received = receive(events, objects, new_job_id(), limit=limit, on_bytes=count)
        return register(received, web.services, web.queue, now=web.clock())


def new_job_id() -> str:
    """Return an unguessable id: 128 random bits as 32 hex digits."""
    return secrets.token_hex(16)


def _boundary() -> str:
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not (boundary and boundary.isascii()):
        raise InvalidRequestError(reason="no_form")
    return boundary


def _body_reader() -> Callable[[int], bytes]:
    # Not request.stream: that one is held to the size of a form. Here the admission and the counting set the limits.
    stream = get_input_stream(request.environ)

    def read(size: int) -> bytes:
        # Only the client's side can fail here, so no error of the object store is mistaken for the client's.
        try:
            return stream.read(size)
        except TimeoutError as error:
            raise UploadIncompleteError from error
        except (OSError, ParseException, ClientDisconnected) as error:
            raise UploadIncompleteError from error

    return read


def register(received: Received, services: Services, queue: QueueSnapshot, *, now: float) -> Job:
    """Make a received upload a job, with a promise by the `queue`, and publish its first task; `now` is Unix seconds.

    The manifest comes before the record, so that an accepted job can always be rebuilt. Raises BusyError if one of the
    stores went away. If that is the object store, nothing is left of the upload. If it is the job store, the original
    stays: the record may be there, and only the word of it was lost. If not, the janitor removes it in the end.
    """
    job = Job(
        id=received.job_id,
        owner=OWNER,
        title=received.title,
        filename=received.filename,
        size=received.size,
        created_at=now,
        webhook_url=received.webhook_url,
        promise=_promise(queue, received.size, now),
    )
    objects = services.objects
    with _or_removed(lambda: delete_job_objects(objects, job.id)):
        put_manifest(objects, keys.manifest(job.id), Manifest(job=job, sha256=received.sha256))
    # A job that nobody was promised is not to be restored.
    with _or_removed(lambda: objects.delete_prefix(keys.manifest(job.id))):
        _create(services, job)
    queue.estimate(job)
    dispatch_or_leave(services)  # a broker that is away is no reason to refuse an upload
    return job


def _promise(queue: QueueSnapshot, size: int, now: float) -> Promise | None:
    """Return what the job is promised; nothing while the job store is away, which is no reason to lose an upload."""
    try:
        return queue.read().promise(OWNER, size, now)
    except JobStoreDownError:
        return None


def _create(services: Services, job: Job) -> None:
    """Create the record; once more if the answer was lost, since a job without its objects is worse than a delay."""
    try:
        services.jobs.create(job)
    except JobExistsError:
        return  # nobody else knows this id: an earlier try of the store's own went through
    except JobStoreDownError:
        try:
            services.jobs.create(job)
        except JobExistsError:
            return


@contextmanager
def _or_removed(remove: Callable[[], object]) -> Iterator[None]:
    """Call `remove` if the upload is refused in the block."""
    try:
        yield
    except BaseException:
        try:
            remove()
        except ObjectStoreDownError as error:
            _log.warning("objects of a refused upload are left behind", error=error.message, detail=error.detail)
        raise

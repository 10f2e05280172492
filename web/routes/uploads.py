"""`POST /api/jobs`: one upload becomes one job."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, jsonify, redirect, request, url_for
from spectree import Response as Answers
from werkzeug.wrappers import Response as AnyResponse

from storage.errors import InvalidRequestError, JobStoreDownError
from storage.model.job import Job
from storage.objects.manifests import delete_job_objects
from storage.public.job_json import job_json
from storage.services import Services
from storage.services.accepting import accept
from web.context import Web, current
from web.http.addresses import client
from web.http.connection import UPLOAD_PATH, ask_for_body
from web.http.openapi import Problem, spec
from web.http.problems import TURN, prefers_html
from web.read.queue_snapshot import QueueSnapshot
from web.routes.owned import OWNER
from web.routes.uploading import close_if_refused, count_bytes, counted_refusals, elsewhere, new_job_id
from web.schemas.jobs import AcceptedJob, UploadForm
from web.upload.body_reader import body_reader
from web.upload.multipart_form import read_form
from web.upload.receiving import Received, receive

MESSAGE = "The upload is complete. You will be told when encoding is done."

blueprint = Blueprint("uploads", __name__)
blueprint.after_request(close_if_refused)


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
    with counted_refusals(web):
        job = _take(web)
    web.metrics.uploads.labels("accepted").inc()
    place = url_for("jobs.get_job", job_id=job.id)
    if prefers_html():
        return redirect(f"/jobs/{job.id}", 303)
    answer = jsonify({**_shown(web, job), "message": MESSAGE})
    answer.status_code = 202
    answer.headers["Location"] = place
    return answer


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
    others, free = elsewhere(web), objects.free_bytes()
    with web.gate.enter(announced, free, queue, client=client(), token=token, elsewhere=others) as ticket:
        ask_for_body()
        events = read_form(body_reader(kept=False), boundary, announced=announced)
        limit = web.gate.limits.upload_bytes
        received = receive(events, objects, new_job_id(), limit=limit, on_bytes=partial(count_bytes, web, ticket))
        return register(received, web.services, web.queue, now=web.clock())


def _boundary() -> str:
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not (boundary and boundary.isascii()):
        raise InvalidRequestError(reason="no_form")
    return boundary


def register(received: Received, services: Services, queue: QueueSnapshot, *, now: float) -> Job:
    """Make a received upload a job, with a promise by the `queue`; `now` is Unix seconds. Raises as `accept` does."""
    job = Job(
        id=received.job_id,
        owner=OWNER,
        title=received.title,
        filename=received.filename,
        size=received.size,
        created_at=now,
        webhook_url=received.webhook_url,
        loudness=received.loudness,
        promise=queue.promise(OWNER, received.size, now),
    )
    undo = partial(delete_job_objects, services.objects, job.id)
    accept(services, job, sha256=received.sha256, estimate=queue.estimate, undo=undo)
    return job

"""`/api/jobs`: read jobs, cancel, retry and delete them, and say which are urgent."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, Response, jsonify, request
from spectree import Response as Answers

from storage.errors import BusyError, ConflictError, ObjectNotFoundError, TransitionError
from storage.model.job import GIVEN_UP, Job, JobState
from storage.objects import keys
from storage.objects.manifests import delete_job_objects, forget_run
from storage.services.dispatch import dispatch_or_leave
from storage.services.upload_jobs import cancel
from web.context import Web, current
from web.http.addresses import client
from web.http.openapi import Problem, checked_body, checked_query, spec
from web.http.problems import TURN
from web.routes.owned import OWNER, owned_job
from web.schemas.jobs import Jobs, JobsQuery, PriorityChange, PublicJob

blueprint = Blueprint("jobs", __name__)


@blueprint.get("/api/jobs")
@spec.validate(query=JobsQuery, resp=Answers(HTTP_200=Jobs, HTTP_503=Problem), tags=["jobs"])
def list_jobs() -> Response:
    """List jobs, newest first; what lists leave out of a job, the job itself shows."""
    web = current()
    query = checked_query(JobsQuery)
    page = web.services.jobs.page(owner=OWNER, state=query.state, limit=query.limit, cursor=query.cursor)
    return jsonify({"jobs": web.views.listed(page.jobs), "cursor": page.cursor})


@blueprint.get("/api/jobs/<job_id>")
@spec.validate(resp=Answers(HTTP_200=PublicJob, HTTP_404=Problem, HTTP_503=Problem), tags=["jobs"])
def get_job(job_id: str) -> Response:
    """Show a job."""
    web = current()
    return jsonify(web.views.of(owned_job(web, job_id)))


@blueprint.post("/api/jobs/<job_id>/cancel")
@spec.validate(resp=Answers(HTTP_200=PublicJob, HTTP_404=Problem, HTTP_409=Problem, HTTP_503=Problem), tags=["jobs"])
def cancel_job(job_id: str) -> Response:
    """Cancel a job that is not finished; one that is uploading ends with its upload."""
    web = current()
    owned_job(web, job_id)
    return jsonify(web.views.of(_cancelled(web, job_id)))


@blueprint.post("/api/jobs/<job_id>/retry")
@spec.validate(
    resp=Answers(HTTP_200=PublicJob, HTTP_404=Problem, HTTP_409=Problem, HTTP_429=Problem, HTTP_503=Problem),
    tags=["jobs"],
)
def retry_job(job_id: str) -> Response:
    """Start a failed or cancelled job again from the beginning, if the queue has room for it.

    A refusal is that of an upload: with `Retry-After`, and a turn that is kept.
    """
    web = current()
    job = owned_job(web, job_id)
    if job.incomplete:
        raise ConflictError(reason="no_original")
    try:
        # It comes after the original and goes before it: where it is, the original is too.
        web.services.objects.stat(keys.manifest(job_id))
    except ObjectNotFoundError as error:
        raise ConflictError(reason="original_gone") from error
    if job.state in GIVEN_UP:
        web.services.jobs.check_cleared(job_id)  # before anything is forgotten of a job that stays as it is
        _readmit(web, job)
        forget_run(web.services.objects, job_id)
    job = web.services.jobs.move(job_id, JobState.QUEUED)
    web.queue.estimate(job)
    dispatch_or_leave(web.services)
    return jsonify(web.views.of(job))


@blueprint.put("/api/jobs/<job_id>/priority")
@spec.validate(
    json=PriorityChange,
    resp=Answers(
        HTTP_200=PublicJob, HTTP_400=Problem, HTTP_404=Problem, HTTP_409=Problem, HTTP_429=Problem, HTTP_503=Problem
    ),
    tags=["jobs"],
)
def set_priority(job_id: str) -> Response:
    """Let a job that is not finished go before others, or behind them.

    A tenth of an owner's unfinished jobs may be high, one at least; one more is refused.
    """
    web = current()
    owned_job(web, job_id)
    change = checked_body(PriorityChange)
    return jsonify(web.views.of(web.services.jobs.prioritise(job_id, change.priority)))


@blueprint.delete("/api/jobs/<job_id>")
@spec.validate(resp=Answers(HTTP_204=None, HTTP_404=Problem, HTTP_503=Problem), tags=["jobs"])
def delete_job(job_id: str) -> Response:
    """Delete a job with all its objects; a running one is cancelled first."""
    web = current()
    job = owned_job(web, job_id)
    if not job.state.finished:
        with suppress(TransitionError):  # it finished in this very moment
            _cancelled(web, job_id)
    # The record goes last: a deletion that breaks off can be repeated.
    delete_job_objects(web.services.objects, job_id)
    web.services.jobs.delete(job_id)
    return Response(status=204)


def _readmit(web: Web, job: Job) -> None:
    """Ask admission as for an upload: the queue has no more room for a job that was there before. Raises BusyError."""
    queue = web.queue.read().queue_of(OWNER, job.size, web.clock(), plan=web.views.whole(job).plan)
    try:
        web.gate.readmit(job.size, queue, client=client(), token=request.headers.get(TURN, ""))
    except BusyError as error:
        web.queue.note_refusal(error.code)
        raise


def _cancelled(web: Web, job_id: str) -> Job:
    job = cancel(web.services, job_id)
    if job.incomplete:
        web.metrics.uploads.labels("ended").inc()
    return job

"""`/api/queue`: the queue as a queue, with its rates, its workers, its last hour, and whether uploads are taken."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify
from spectree import Response as Answers

from storage.errors import BusyError
from storage.model.job import JobState
from storage.scheduling.promises_kept import accuracy
from storage.scheduling.queue_rates import rates
from web.context import Web, current
from web.http.openapi import Problem, spec
from web.read.queue_figures import history, machines, per_hour, utilisation
from web.read.queue_snapshot import Snapshot
from web.routes.owned import OWNER
from web.routes.uploading import elsewhere
from web.schemas.queue import QUEUE_SHOWN, Queue, QueueHistory

_SHOWN = ("id", "title", "state", "queue_position", "progress", "starts_in_seconds", "eta_seconds")
_SHOWN_UPLOAD = ("id", "title", "upload")

blueprint = Blueprint("queue", __name__)


@blueprint.get("/api/queue")
@spec.validate(resp=Answers(HTTP_200=Queue, HTTP_503=Problem), tags=["queue"])
def get_queue() -> Response:
    """Show what waits and what is being worked on, how fast, and whether uploads are taken."""
    web = current()
    named = [{name: job[name] for name in _SHOWN} for job in unfinished(web)]
    coming = [{name: job[name] for name in _SHOWN_UPLOAD} for job in uploading(web)]
    return jsonify({**queue_json(web), "jobs": named, "uploading": coming})


@blueprint.get("/api/queue/history")
@spec.validate(resp=Answers(HTTP_200=QueueHistory, HTTP_503=Problem), tags=["queue"])
def get_history() -> Response:
    """Show the last hour in samples of ten seconds, one list for each figure."""
    return jsonify(history(current().queue.read().reading.samples))


def unfinished(web: Web) -> list[dict[str, Any]]:
    """Return what lists say of the oldest jobs that have not ended, as many as the page shows."""
    jobs = web.services.jobs.records(web.services.jobs.unfinished(QUEUE_SHOWN))
    return web.views.listed([job for job in jobs if job.owner == OWNER])


def uploading(web: Web) -> list[dict[str, Any]]:
    """Return what lists say of the newest jobs whose file is on its way: they stand in no line yet."""
    page = web.services.jobs.page(owner=OWNER, state=JobState.UPLOADING, limit=QUEUE_SHOWN, cursor=None)
    return web.views.listed(page.jobs)


def queue_json(web: Web) -> dict[str, Any]:
    """Return everything about the queue but its jobs."""
    snapshot = web.queue.read()
    outlook, reading, jobs = snapshot.outlook, snapshot.reading, web.services.jobs
    return {
        "waiting": outlook.waiting,
        "active": outlook.running,
        "waiting_work_seconds": round(outlook.waiting_work, 1),
        "running_work_seconds": round(outlook.work - outlook.waiting_work, 1),
        "wait_seconds": round(outlook.wait, 1),
        "uploads": web.gate.active,
        "max_uploads": web.gate.limits.uploads,
        "slots": reading.slots,
        "busy": reading.busy,
        "workers": machines(reading.workers, jobs.pauses(), jobs.lacking(), outlook.active),
        "refused": jobs.totals().refused,
        "admission": _admission(web, snapshot),
        "rates": _rates(snapshot),
        "promises": _promises(snapshot),
    }


def _admission(web: Web, snapshot: Snapshot) -> dict[str, Any]:
    queue = snapshot.queue_of(OWNER, 0, web.clock())
    refusal = web.gate.state(web.services.objects.free_bytes(), queue, elsewhere(web))
    nothing: dict[str, Any] = {"code": None, "message": None, "values": {}}
    return {
        "open": refusal is None,
        "max_wait_seconds": web.gate.limits.wait,
        **(nothing if refusal is None else refusal.told),
        "retry_after": refusal.retry_after if isinstance(refusal, BusyError) else None,
    }


def _rates(snapshot: Snapshot) -> dict[str, Any]:
    measured, outlook = rates(snapshot.reading.samples), snapshot.outlook
    per_job = outlook.known.per_job
    return {
        "measured_seconds": round(measured.seconds),
        "arrivals_per_hour": per_hour(measured.arrival),
        "finished_per_hour": per_hour(measured.finished),
        "service_per_hour": per_hour(None if per_job is None else outlook.capacity / per_job),
        "capacity": round(outlook.capacity, 2),
        "job_seconds": _rounded(per_job),
        "utilisation": _rounded(utilisation(measured.arrival, per_job, outlook.capacity)),
        "jobs": _rounded(measured.jobs),
        "stay_seconds": _rounded(measured.stay),
        "jobs_by_little": _rounded(measured.jobs_by_little),
    }


def _promises(snapshot: Snapshot) -> dict[str, Any]:
    found = accuracy(snapshot.reading.finished)
    return {
        "compared": found.compared,
        "start_kept": _rounded(found.start),
        "ready_kept": _rounded(found.ready),
        "median_late_seconds": _rounded(found.late),
    }


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 2)

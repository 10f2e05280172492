"""`/healthz`, `/readyz`, `/metrics` and the API's description."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from spectree import Response as Answers

from storage.model.job import JOB_ID
from storage.model.timed_text import SUBTITLE_ID
from web.context import current
from web.http.description import completed
from web.http.openapi import MetricsText, Problem, Words, spec
from web.schemas.jobs import MEDIA_NAME, Health

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@spec.validate(resp=Answers(HTTP_200=Health), tags=["operation"])
def health() -> Response:
    """Tell that this process answers, whatever the stores do."""
    return jsonify(Health().model_dump())


@blueprint.get("/readyz")
@spec.validate(resp=Answers(HTTP_200=Health, HTTP_503=Problem), tags=["operation"])
def ready() -> Response:
    """Tell that both stores answer, so that uploads can be taken."""
    services = current().services
    services.jobs.ping()
    services.objects.ping()
    return jsonify(Health().model_dump())


@blueprint.get("/metrics")
@spec.validate(resp=Answers(HTTP_200=MetricsText), tags=["operation"])
def metrics() -> Response:
    """Give the figures for Prometheus."""
    return Response(current().metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")


@blueprint.get("/api/openapi.json")
@spec.validate(resp=Answers(HTTP_200=Words), tags=["operation"])
def description() -> Response:
    """Describe this API (OpenAPI 3.1)."""
    return jsonify(
        completed(spec.spec, {"job_id": JOB_ID, "upload_id": JOB_ID, "name": MEDIA_NAME, "track_id": SUBTITLE_ID})
    )

"""The API's description is complete, and the figures are there."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from storage.model.job import JobState
from storage.services import Services
from tests.support.jobs import make_job


def test_every_route_is_described(app: Flask, client: FlaskClient) -> None:
    """Each rule and method of the app but Flask's own static files is in the document."""
    document = client.get("/api/openapi.json").get_json()
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }
    assert described == routes


def test_every_route_of_the_api_says_what_it_answers(client: FlaskClient) -> None:
    """Routes of the API have a summary and their answers; every reference leads somewhere."""
    document = client.get("/api/openapi.json").get_json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        if not path.startswith(("/api/", "/media/")):
            continue
        for operation in methods.values():
            assert operation["summary"]
            assert operation["responses"]
    form = document["paths"]["/api/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["$ref"] == "#/components/schemas/UploadForm"
    references = set(re.findall(r'"#/components/schemas/(\w+)"', client.get("/api/openapi.json").text))
    assert references <= set(document["components"]["schemas"])


def test_figures_count_requests_problems_and_jobs(client: FlaskClient, own_services: Services) -> None:
    """Counters by route, never by path, and the queue's gauges."""
    own_services.jobs.create(make_job())
    own_services.jobs.create(make_job(state=JobState.ENCODING))
    own_services.jobs.count_repair("publish")
    client.get("/api/jobs")
    client.get(f"/api/jobs/{'0' * 32}")
    client.get("/whatever/1")
    figures = client.get("/metrics")
    assert figures.mimetype == "text/plain"
    for line in (
        'rungs_http_requests_total{method="GET",route="/api/jobs",status="200"} 1.0',
        'rungs_http_requests_total{method="GET",route="/api/jobs/<job_id>",status="404"} 1.0',
        'rungs_http_requests_total{method="GET",route="none",status="404"} 1.0',
        'rungs_problems_total{code="job_not_found"} 1.0',
        "rungs_jobs_waiting 1.0",
        "rungs_jobs_active 1.0",
        'rungs_repairs_total{repair="publish"} 1.0',
        "rungs_uploads_active 0.0",
        "rungs_watchers 0.0",
    ):
        assert line in figures.text.splitlines()


def test_no_client_makes_the_figures_grow(client: FlaskClient) -> None:
    """Methods, paths, hosts and codes that nobody knows share one line each."""
    client.open("/nothing", method="INVENTED")
    before = len(client.get("/metrics").text.splitlines())
    for number in range(50):
        client.open("/nothing", method=f"M{number}")
        client.open(f"/nothing/{number}", method=f"M{number}")
        client.open("/api/jobs", method=f"M{number}")
        client.get("/api/jobs", headers={"Host": f"h{number}.example"})
        client.get(f"/media/{number}/{number}")
        client.get(f"/static/{number}")
    after = client.get("/metrics").text
    assert 'method="other",route="none",status="404"' in after
    assert len(after.splitlines()) < before + 20

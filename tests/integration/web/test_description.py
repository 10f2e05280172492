"""The API's description is complete, and the figures are there."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from storage.model.job import JobState
from storage.services import Services
from tests.support.jobs import make_job
from web.schemas.jobs import URL_LENGTH, WEBHOOK_URL
from web.upload import form_fields
from web.upload.form_fields import checked_webhook_url


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


def test_problems_are_described_as_they_are_sent(client: FlaskClient) -> None:
    """As problem documents and as pages, on every route; a 422 that nobody sends is not promised."""
    paths = client.get("/api/openapi.json").get_json()["paths"]
    for operation in (operation for methods in paths.values() for operation in methods.values()):
        answers = operation["responses"]
        assert {"400", "408", "414", "417", "421", "429", "431", "501"} <= set(answers)
        assert "422" not in answers
        for status, answer in answers.items():
            if int(status) >= 400:
                assert set(answer["content"]) == {"application/problem+json", "text/html"}


@pytest.mark.parametrize(
    "path", ["/api/jobs", f"/api/jobs/{'0' * 32}", "/api/queue", "/api/events", "/healthz", "/metrics", "/rows"]
)
@pytest.mark.parametrize("query", ["nobody=knows", "limit=1&limit=2"])
def test_a_parameter_that_nobody_knows_is_refused(client: FlaskClient, path: str, query: str) -> None:
    """It was meant for something; so was the second of two."""
    answer = client.get(f"{path}?{query}")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")


def test_people_come_by_any_link(client: FlaskClient) -> None:
    """Others add parameters of their own to the address of a page."""
    for path in ("/", "/queue"):
        assert client.get(f"{path}?utm_source=a&utm_source=b").status_code == 200


@given(st.from_regex(f"^(?:{WEBHOOK_URL})?$", fullmatch=True).filter(lambda url: len(url) <= URL_LENGTH))
def test_a_webhook_that_is_described_is_taken(url: str) -> None:
    """The description's pattern and the check of the form agree."""
    assert checked_webhook_url(url) == (url or None)
    assert form_fields.URL_LENGTH == URL_LENGTH


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

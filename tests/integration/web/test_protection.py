"""Hosts, other sites, headers and errors, on every route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storage.errors import JobStoreDownError
from storage.job_store.contract import JobPage
from storage.job_store.queue_contract import QueueCounts
from storage.model.job import JobState
from storage.services import Services
from tests.support.job_store import OwnJobStore
from web.http.security import HEADERS

NAVIGATION = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    "path", ["/", "/queue", "/api/jobs", "/api/queue", "/healthz", "/metrics", "/nothing", "/static/x"]
)
def test_every_answer_has_the_security_headers(client: FlaskClient, path: str) -> None:
    """Pages, JSON, figures and errors carry the policy."""
    with client.get(path) as answer:
        assert set(HEADERS) <= set(answer.headers.keys())
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/api/jobs", "/healthz", "/nothing"])
def test_a_foreign_host_name_is_refused_everywhere(client: FlaskClient, path: str) -> None:
    """A page under another name that was pointed here reads nothing."""
    answer = client.get(path, headers={"Host": "evil.example:8000"})
    assert (answer.status_code, answer.get_json()["code"]) == (421, "misdirected_request")


@pytest.mark.parametrize("path", ["/", "/api/jobs", "/healthz", "/nothing"])
def test_a_request_names_its_host(client: FlaskClient, path: str) -> None:
    """HTTP/1.1 wants the header Host; without one nobody knows whose page it is."""
    answer = client.get(path, environ_overrides={"HTTP_HOST": None})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_request")


def test_a_foreign_host_in_the_target_is_refused(client: FlaskClient) -> None:
    """It overrules the header, so the header alone is not enough."""
    answer = client.get("/healthz", environ_overrides={"RAW_URI": "http://evil.example/healthz"})
    assert (answer.status_code, answer.get_json()["code"]) == (421, "misdirected_request")


def test_listed_hosts_are_served(make_app: Callable[..., Flask], own_services: Services) -> None:
    """Every name of ALLOWED_HOSTS works, with any port."""
    client = make_app(own_services, allowed_hosts=("video.example", "[::1]")).test_client()
    for host in ("video.example", "VIDEO.example:444", "[::1]:8000", "127.0.0.1:8000"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200
    assert client.get("/healthz", headers={"Host": "localhost"}).status_code == 421


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}, {"Origin": "http://[::1"}]
)
def test_another_sites_page_cannot_act(client: FlaskClient, headers: dict[str, str]) -> None:
    """Unsafe requests of other sites are refused, safe ones answered."""
    for method, path in (
        ("POST", "/api/jobs"),
        ("POST", f"/api/jobs/{'0' * 32}/cancel"),
        ("DELETE", f"/api/jobs/{'0' * 32}"),
    ):
        answer = client.open(path, method=method, headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "cross_site")
    assert client.get("/api/jobs", headers=headers).status_code == 200


def test_errors_are_problem_documents(client: FlaskClient) -> None:
    """Flask's own errors have the same form, a stable code and what belongs to them."""
    missing = client.get("/nothing")
    assert missing.mimetype == "application/problem+json"
    assert missing.get_json() == {
        "type": "urn:rungs:problem:not_found",
        "title": "Not Found",
        "status": 404,
        "detail": missing.get_json()["detail"],
        "code": "not_found",
        "values": {},
        "instance": "/nothing",
    }
    method = client.put("/api/jobs")
    assert (method.status_code, method.get_json()["code"]) == (405, "method_not_allowed")
    assert "POST" in method.headers["Allow"]
    large = client.post("/language", data={"language": "x" * 100_000})
    assert (large.status_code, large.get_json()["code"]) == (413, "request_too_large")


def test_people_get_errors_as_pages(client: FlaskClient) -> None:
    """A browser that navigates sees a page; a script that fetches sees JSON."""
    page = client.get("/nothing", headers=NAVIGATION)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert client.get("/nothing", headers={"Accept": "*/*"}).mimetype == "application/problem+json"
    assert client.get("/nothing", headers={"Accept": "application/json"}).mimetype == "application/problem+json"


class _Broken(OwnJobStore):
    """A job store with a bug."""

    def page(self, *, owner: str, state: JobState | None, limit: int, cursor: str | None) -> JobPage:
        raise RuntimeError(f"secret {owner} {state} {limit} {cursor}")


class _Away(OwnJobStore):
    """A job store that does not answer."""

    def page(self, *, owner: str, state: JobState | None, limit: int, cursor: str | None) -> JobPage:
        raise JobStoreDownError(detail=f"Redis is away. secret {owner} {state} {limit} {cursor}")

    def counts(self) -> QueueCounts:
        raise JobStoreDownError(detail="Redis is away.")

    def ping(self) -> None:
        raise JobStoreDownError(detail="Redis is away.")


def test_a_bug_is_answered_without_internals(make_app: Callable[..., Flask], own_services: Services) -> None:
    """An unknown exception is a 500 that says nothing of the inside."""
    answer = make_app(replace(own_services, jobs=_Broken())).test_client().get("/api/jobs")
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal_error")
    assert b"secret" not in answer.data


def test_an_outage_says_when_to_come_back(make_app: Callable[..., Flask], own_services: Services) -> None:
    """503 with Retry-After and the same figure in the document; the process itself is healthy and says so."""
    client = make_app(replace(own_services, jobs=_Away())).test_client()
    answer = client.get("/api/jobs")
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (503, "job_store_unavailable")
    assert answer.headers["Retry-After"] == str(problem["retry_after"])
    assert b"secret" not in answer.data
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    assert b"rungs_job_store_up 0.0" in client.get("/metrics").data

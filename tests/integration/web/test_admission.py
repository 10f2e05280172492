"""Uploads that would wait too long are refused before their body is read, and told when to come back."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storage.job_store.contract import JobStore
from storage.model.job import Changes, JobState
from storage.objects import keys
from storage.objects.manifests import Manifest, put_manifest
from storage.scheduling.fairness import target_delay
from storage.services import Services
from storage.services.connect import connect
from storage.services.queue_reading import estimate_all
from storage.settings import Settings
from tests.support.forms import CONTENT_TYPE, upload
from tests.support.jobs import make_job, make_plan, make_segments
from tests.support.servers import RedisServer
from tests.support.web_client import answer_of, connected, head
from tests.support.web_server import WebServer
from web.http.openapi import Problem
from web.read import queue_snapshot

LARGE = 100_000_000  # bytes: two minutes and more of encoding


class Unread(io.BytesIO):
    """A body that nobody is to read."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Fail."""
        raise AssertionError(f"{size} bytes of a refused body were asked for.")


def ask_to_upload(client: FlaskClient, body: io.BytesIO | None = None, *, accept: str = "*/*") -> tuple[int, str, int]:
    """Send a small upload; return status, code (empty for a page) and Retry-After."""
    environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(upload()))}
    stream = body or io.BytesIO(upload())
    answer = client.post(
        "/api/jobs",
        input_stream=stream,
        content_type=CONTENT_TYPE,
        environ_overrides=environ,
        headers={"Accept": accept},
    )
    problem = answer.get_json(silent=True) or {}
    return answer.status_code, problem.get("code", ""), int(answer.headers.get("Retry-After", 0))


def busy(store: JobStore) -> str:
    """Put a large job into the store; return its id."""
    job = make_job(size=LARGE)
    store.create(job)
    estimate_all(store)
    return job.id


@pytest.fixture(autouse=True)
def _always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every reading of the queue be a new one."""
    monkeypatch.setattr(queue_snapshot, "AGE_SECONDS", -1.0)


def test_a_full_queue_is_said_before_the_body_is_read(make_app: Callable[..., Flask], own_services: Services) -> None:
    """The time to come back is when the work is down to the limit; then the upload is taken."""
    client = make_app(own_services, admission_max_wait_seconds=60, encoders=1).test_client()
    job_id = busy(own_services.jobs)
    status, code, retry_after = ask_to_upload(client, Unread())
    assert (status, code) == (503, "queue_full")
    assert 80 < retry_after < 100
    own_services.jobs.move(job_id, JobState.CANCELLED)
    assert ask_to_upload(client)[0] == 202


def test_who_comes_back_with_its_token_keeps_its_turn(make_app: Callable[..., Flask], own_services: Services) -> None:
    """The refusal has it in header and document; a newcomer is told a later time, the one with the turn the same."""
    client = make_app(own_services, admission_max_wait_seconds=60, encoders=1).test_client()
    busy(own_services.jobs)
    first = client.post("/api/jobs", data=upload(b"x" * 100_000), content_type=CONTENT_TYPE)
    token = first.headers["Rungs-Turn"]
    assert Problem.model_validate(first.get_json()).turn == token
    newcomer = client.post("/api/jobs", data=upload(), content_type=CONTENT_TYPE)
    assert newcomer.headers["Rungs-Turn"] != token
    assert newcomer.get_json()["retry_after"] > first.get_json()["retry_after"]
    moved = {"REMOTE_ADDR": "192.0.2.7"}
    again = client.post(
        "/api/jobs",
        data=upload(b"x" * 100_000),
        content_type=CONTENT_TYPE,
        headers={"Rungs-Turn": token},
        environ_overrides=moved,
    )
    assert again.headers["Rungs-Turn"] == token
    assert again.get_json()["retry_after"] <= first.get_json()["retry_after"]


def test_more_encoders_are_more_room(make_app: Callable[..., Flask], own_services: Services) -> None:
    """Slots that announce themselves count at once."""
    client = make_app(own_services, admission_max_wait_seconds=60, encoders=1).test_client()
    busy(own_services.jobs)
    assert ask_to_upload(client)[0] == 503
    own_services.jobs.announce("new", 8, seconds=60)
    assert ask_to_upload(client)[0] == 202


def test_an_owner_has_a_share(make_app: Callable[..., Flask], own_services: Services) -> None:
    """429 until the first of the owner's jobs is ready; other owners' jobs do not count."""
    client = make_app(own_services, owner_max_jobs=1).test_client()
    own_services.jobs.create(make_job(owner="somebody else"))
    assert ask_to_upload(client)[0] == 202
    status, code, retry_after = ask_to_upload(client, Unread())
    assert (status, code) == (429, "owner_share")
    assert 1 <= retry_after < 60


def test_a_person_sees_a_page(make_app: Callable[..., Flask], own_services: Services) -> None:
    """Without scripts the form's answer says in words why, and when to send it again."""
    client = make_app(own_services, admission_max_wait_seconds=60, encoders=1).test_client()
    busy(own_services.jobs)
    status, _, retry_after = ask_to_upload(client, Unread(), accept="text/html")
    assert status == 503
    assert retry_after > 60


def test_refusals_are_counted_for_all_to_see(make_app: Callable[..., Flask], own_services: Services) -> None:
    """By code, in the job store."""
    client = make_app(own_services, admission_max_wait_seconds=60, encoders=1).test_client()
    busy(own_services.jobs)
    for _ in range(3):
        ask_to_upload(client, Unread())
    client.get("/api/queue")
    assert own_services.jobs.totals().refused == {"queue_full": 3}


def test_an_accepted_job_has_a_promise(make_app: Callable[..., Flask], own_services: Services) -> None:
    """Behind much work it is promised for later."""
    client = make_app(own_services, encoders=1).test_client()
    ask_to_upload(client)
    busy(own_services.jobs)
    ask_to_upload(client)
    jobs = [own_services.jobs.get(job_id) for job_id in own_services.jobs.unfinished()]
    first, second = (job.promise for job in jobs if job.size != LARGE)
    assert first is not None
    assert second is not None
    assert first.start_at < first.ready_at < second.ready_at


@pytest.mark.parametrize("full", [False, True])
def test_a_client_that_waits_to_be_asked_is_asked_only_if_there_is_room(
    tmp_path: Path, redis_server: RedisServer, real_settings: Settings, *, full: bool
) -> None:
    """With `Expect: 100-continue` a refused client has sent nothing but its head."""
    store = connect(real_settings, patience=2.0).jobs
    if full:
        busy(store)
    settings = {"ADMISSION_MAX_WAIT_SECONDS": "60", "ENCODERS": "1"}
    server = WebServer(tmp_path / "web", redis_server.url, **settings).start()
    try:
        with connected(server) as connection:
            body = upload()
            connection.sendall(head(len(body))[:-2] + b"Expect: 100-continue\r\n\r\n")
            if not full:
                assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
                connection.sendall(body)
            status, headers, answer = answer_of(connection)
    finally:
        server.stop()
    assert status == (503 if full else 202)
    assert ("retry-after" in headers, answer.get("code")) == (full, "queue_full" if full else None)


def test_a_retry_asks_admission(make_app: Callable[..., Flask], own_services: Services) -> None:
    """Through a closed door it is refused as an upload is, with a turn; nothing of the job has changed by then."""
    client = make_app(own_services, admission_max_wait_seconds=60, encoders=1).test_client()
    job_id = accepted(client)
    own_services.jobs.move(job_id, JobState.CANCELLED)
    full = busy(own_services.jobs)
    answer = client.post(f"/api/jobs/{job_id}/retry")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "queue_full")
    assert int(answer.headers["Retry-After"]) > 60
    again = client.post(f"/api/jobs/{job_id}/retry", headers={"Rungs-Turn": answer.headers["Rungs-Turn"]})
    assert again.headers["Rungs-Turn"] == answer.headers["Rungs-Turn"]
    assert own_services.jobs.get(job_id).state is JobState.CANCELLED
    own_services.jobs.move(full, JobState.CANCELLED)
    assert client.post(f"/api/jobs/{job_id}/retry").get_json()["state"] == "queued"


def test_a_retry_counts_against_the_owners_share(make_app: Callable[..., Flask], own_services: Services) -> None:
    """As the upload did."""
    client = make_app(own_services, owner_max_jobs=1).test_client()
    job_id = accepted(client)
    own_services.jobs.move(job_id, JobState.CANCELLED)
    accepted(client)
    answer = client.post(f"/api/jobs/{job_id}/retry")
    assert (answer.status_code, answer.get_json()["code"]) == (429, "owner_share")


def test_retries_at_once_count_before_the_queue_is_read_again(
    make_app: Callable[..., Flask], own_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As uploads that have landed do."""
    monkeypatch.setattr(queue_snapshot, "AGE_SECONDS", 3600.0)
    client = make_app(own_services, admission_max_wait_seconds=60, encoders=1).test_client()
    jobs = [make_job(size=20_000_000) for _ in range(8)]
    for job in jobs:
        own_services.jobs.create(job)
        put_manifest(own_services.objects, keys.manifest(job.id), Manifest(job=job))
        own_services.jobs.move(job.id, JobState.CANCELLED)
    answers = [client.post(f"/api/jobs/{job.id}/retry").status_code for job in jobs]
    assert answers[0] == 200
    assert answers[-1] == 503


def test_a_small_file_of_twelve_hours_leaves_the_door_open(
    make_app: Callable[..., Flask], own_services: Services
) -> None:
    """Once its plan is known: by then a thousand times as much work as its bytes let expect."""
    client = make_app(own_services, admission_max_wait_seconds=600, encoders=2).test_client()
    plan = make_plan(segments=1, frames=12 * 3600 * 25)
    job = make_job(size=1_300_000, owner="somebody else")
    own_services.jobs.create(job)
    own_services.jobs.move(job.id, JobState.PLANNING)
    changes = Changes(plan=plan, segments=make_segments(plan), after_start=target_delay(60_000.0, 2.0, in_flight=1))
    estimate_all(own_services.jobs)  # what its bytes told
    own_services.jobs.move(job.id, JobState.ENCODING, changes)
    estimate_all(own_services.jobs)
    found = client.get("/api/queue").get_json()
    assert found["wait_seconds"] > 20_000
    assert found["admission"]["open"] is True
    assert ask_to_upload(client)[0] == 202


def accepted(client: FlaskClient) -> str:
    """Upload a clip; return the job's id."""
    answer = client.post("/api/jobs", data=upload(), content_type=CONTENT_TYPE)
    assert answer.status_code == 202
    return str(answer.get_json()["id"])

"""`POST /api/jobs`: what is accepted, what is refused, and that a refusal leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storage.errors import JobExistsError, JobStoreDownError, ObjectStoreDownError
from storage.model.job import Job, JobState
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.objects.contract import ObjectInfo
from storage.objects.local import LocalObjectStore
from storage.objects.manifests import read_manifest
from storage.services import Services
from tests.support.forms import CONTENT_TYPE, form, part, upload
from tests.support.job_store import OwnJobStore
from tests.support.memory_publisher import MemoryPublisher

DOWN = "The store is away."
NAVIGATION = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def post(client: FlaskClient, body: bytes | io.BytesIO, length: int | None = None, accept: str = "*/*") -> TestResponse:
    """Send a form as gunicorn hands it over: the raw stream, and the length that was announced."""
    stream = io.BytesIO(body) if isinstance(body, bytes) else body
    announced = len(body) if isinstance(body, bytes) and length is None else length
    environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": str(announced)}
    return client.post(
        "/api/jobs",
        input_stream=stream,
        content_type=CONTENT_TYPE,
        environ_overrides=environ,
        headers={"Accept": accept},
    )


def left(services: Services) -> tuple[list[str], tuple[str, ...]]:
    """Return the objects and the unfinished jobs there are."""
    return list(services.objects.keys("")), services.jobs.unfinished()


def test_an_upload_becomes_a_job(client: FlaskClient, own_services: Services) -> None:
    """The answer is 202 with the job and the promise; original, manifest, record and task are there."""
    body = upload(b"bytes of a film", "Mein Film.mp4", title="  Ferien 日本 ", webhook_url="https://example.org/hook")
    answer = post(client, body)
    job = answer.get_json()
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/api/jobs/{job['id']}")
    assert "complete" in job["message"]
    assert (job["title"], job["filename"], job["size"]) == ("Ferien 日本", "Mein Film.mp4", 15)
    assert (job["state"], job["queue_position"], job["rungs"]) == ("queued", 1, [])
    assert b"".join(own_services.objects.read(keys.original(job["id"]))) == b"bytes of a film"
    manifest = read_manifest(own_services.objects, keys.manifest(job["id"]), job["id"])
    # Its place among the others is found anew by whoever restores it.
    assert manifest.job == replace(own_services.jobs.get(job["id"]), start_target=0.0, target=0.0)
    assert manifest.job.webhook_url == "https://example.org/hook"
    assert manifest.sha256 == hashlib.sha256(b"bytes of a film").hexdigest()
    assert own_services.publisher.pending() == {(job["id"], Task(job["id"], Stage.PLAN).field)}


def test_fields_behind_the_file_count_too(client: FlaskClient) -> None:
    """Curl sends fields in the order they were named."""
    answer = post(client, form(part("file", b"x", "a.mov"), part("title", b"Later")))
    assert answer.get_json()["title"] == "Later"


def test_a_body_in_chunks_needs_no_length(client: FlaskClient) -> None:
    """Without Content-Length the closing boundary decides."""
    body = upload()
    chunked = {"environ_overrides": {"wsgi.input_terminated": True}, "content_type": CONTENT_TYPE}
    answers = [client.post("/api/jobs", input_stream=io.BytesIO(data), **chunked) for data in (body, body[:-30])]
    assert [answer.status_code for answer in answers] == [202, 400]
    assert answers[1].get_json()["code"] == "upload_incomplete"


def test_file_names_never_become_paths(client: FlaskClient, own_services: Services) -> None:
    """A name that climbs is shown without its path, and no key holds any of it."""
    job = post(client, upload(b"x", "../../../etc/passwd")).get_json()
    assert job["filename"] == "passwd"
    assert set(own_services.objects.keys("")) == {keys.original(job["id"]), keys.manifest(job["id"])}


def test_a_browser_without_scripts_is_sent_to_the_jobs_page(client: FlaskClient) -> None:
    """A form post that asks for HTML is answered with 303."""
    answer = post(client, upload(), accept=NAVIGATION["Accept"])
    assert answer.status_code == 303
    assert client.get(answer.headers["Location"], headers=NAVIGATION).status_code == 200


def test_a_refused_form_post_of_a_browser_is_a_page(client: FlaskClient) -> None:
    """Without scripts a person sees the error as a page."""
    answer = post(client, form(part("title", b"x")), accept=NAVIGATION["Accept"])
    assert (answer.status_code, answer.mimetype) == (400, "text/html")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (form(part("title", b"only")), 400, "invalid_request"),
        (form(), 400, "invalid_request"),
        (form(part("file", b"x", "a.mp4"), part("file", b"y", "b.mp4")), 400, "invalid_request"),
        (form(part("film", b"x", "a.mp4")), 400, "invalid_request"),
        (form(part("file", b"text")), 400, "invalid_request"),
        (form(part("file", b"", "")), 400, "invalid_request"),
        (upload(webhok_url="http://example.org/"), 400, "invalid_request"),
        (upload(webhook_url="file:///etc/passwd"), 400, "invalid_request"),
        (form(part("title", b"a"), part("title", b"b"), part("file", b"x", "a.mp4")), 400, "invalid_request"),
        (upload(b""), 400, "upload_empty"),
        (upload(b"x" * 10_001), 413, "upload_too_large"),
        (upload(b"x" * 200_000), 413, "upload_too_large"),
        (upload()[:-10], 400, "upload_incomplete"),
        (b"", 400, "upload_incomplete"),
    ],
    ids=["no file", "empty form", "two files", "wrong field", "text", "nothing chosen", "unknown field", "bad hook",
         "twice", "empty file", "too large", "much too large", "cut", "no body"],
)  # fmt: skip
def test_refusals_name_their_code_and_leave_nothing(
    client: FlaskClient, own_services: Services, body: bytes, status: int, code: str
) -> None:
    """Each refusal is a problem document; no object and no job is left."""
    answer = post(client, body)
    problem = answer.get_json()
    assert (answer.status_code, problem["code"], problem["status"]) == (status, code, status)
    assert answer.mimetype == "application/problem+json"
    assert left(own_services) == ([], ())


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "multipart/form-data; boundary=ä", ""])
def test_only_forms_are_taken(client: FlaskClient, kind: str) -> None:
    """Other bodies, and forms without a boundary, are refused."""
    assert client.post("/api/jobs", data=b"x", content_type=kind).get_json()["code"] == "invalid_request"


def test_a_connection_that_breaks_leaves_nothing(client: FlaskClient, own_services: Services) -> None:
    """Fewer bytes than announced, even of a whole form, are refused."""
    body = upload()
    answer = post(client, body, len(body) + 5)
    assert answer.get_json()["code"] == "upload_incomplete"
    assert left(own_services) == ([], ())


class _Stalling(io.BytesIO):
    """A body whose second read waits for the test."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.reading = threading.Event()
        self.go_on = threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() == 0:
            return super().read(100)
        self.reading.set()
        assert self.go_on.wait(10)
        return super().read(size)


def test_one_upload_too_many_is_refused_before_its_body_is_read(app: Flask, own_services: Services) -> None:
    """With two uploads under way a third gets 503 with a time, its body untouched; then there is room again."""
    bodies = [_Stalling(upload()) for _ in range(2)]
    answers: list[int] = []

    def send(body: _Stalling) -> None:
        answer = post(app.test_client(), body, len(upload()))
        answers.append(answer.status_code)

    threads = [threading.Thread(target=send, args=(body,)) for body in bodies]
    for thread, body in zip(threads, bodies, strict=True):
        thread.start()
        assert body.reading.wait(10)
    third = io.BytesIO(upload())
    refused = app.test_client().post("/api/jobs", input_stream=third, content_type=CONTENT_TYPE)
    assert (refused.status_code, refused.get_json()["code"], third.tell()) == (503, "too_many_uploads", 0)
    assert refused.headers["Retry-After"] == str(refused.get_json()["retry_after"])
    for body in bodies:
        body.go_on.set()
    for thread in threads:
        thread.join(10)
    assert answers == [202, 202]
    assert post(app.test_client(), upload()).status_code == 202
    assert len(own_services.jobs.unfinished()) == 3


def test_the_reserve_of_free_space_is_kept(make_app: Callable[..., Flask], own_services: Services) -> None:
    """Where the store would fall below its reserve, uploads get 503."""
    client = make_app(own_services, free_space_reserve=1 << 60).test_client()
    assert post(client, upload()).get_json()["code"] == "storage_full"


class _Jobs(OwnJobStore):
    """A job store that goes away, before or after `create` did its work, for so many calls."""

    def __init__(self, *, failures: int, after: bool) -> None:
        super().__init__()
        self._failures = failures
        self._after = after

    def create(self, job: Job, segments: tuple[Any, ...] = ()) -> None:
        if self._failures and not self._after:
            self._failures -= 1
            raise JobStoreDownError(detail=DOWN)
        super().create(job, segments)
        if self._failures:
            self._failures -= 1
            raise JobStoreDownError(detail=DOWN)


@pytest.mark.parametrize(("failures", "after"), [(1, False), (1, True)])
def test_a_short_outage_or_a_lost_answer_loses_no_upload(
    make_app: Callable[..., Flask], own_services: Services, failures: int, after: bool  # noqa: FBT001 - a table
) -> None:  # fmt: skip
    """If only the answer to `create` was lost, the job is accepted once and whole."""
    services = replace(own_services, jobs=_Jobs(failures=failures, after=after))
    answer = post(make_app(services).test_client(), upload())
    assert answer.status_code == 202
    assert services.jobs.unfinished() == (answer.get_json()["id"],)


class _Mute(OwnJobStore):
    """A job store that makes the job, and goes away before it has said so."""

    def create(self, job: Job, segments: tuple[Any, ...] = ()) -> None:
        with suppress(JobExistsError):
            super().create(job, segments)
        raise JobStoreDownError(detail=DOWN)


def test_a_job_store_that_goes_away_leaves_no_half_job(make_app: Callable[..., Flask], own_services: Services) -> None:
    """If Redis is lost while the record is made, the client is told to come back; a job that is there has its file.

    Without a manifest a rebuild will not bring back what nobody was promised, and the janitor may remove it.
    """
    services = replace(own_services, jobs=_Mute())
    answer = post(make_app(services).test_client(), upload(b"not really a video"))
    assert (answer.status_code, answer.get_json()["code"]) == (503, "job_store_unavailable")
    (job_id,) = services.jobs.unfinished()
    assert b"".join(services.objects.read(keys.original(job_id))) == b"not really a video"
    assert list(services.objects.keys("")) == [keys.original(job_id)]


class _Silent(MemoryPublisher):
    """A broker that is away."""

    def publish(self, task: Task) -> None:
        raise JobStoreDownError(detail=task.field)


def test_a_broker_that_is_away_does_not_refuse_the_upload(
    make_app: Callable[..., Flask], own_services: Services
) -> None:
    """The job exists and waits for the janitor."""
    services = replace(own_services, publisher=_Silent())
    answer = post(make_app(services).test_client(), upload())
    assert answer.status_code == 202
    assert services.jobs.get(answer.get_json()["id"]).state is JobState.QUEUED


class _Forgetful(OwnJobStore):
    """A job store that goes away right after a job was created."""

    def places(self, starts: Mapping[str, float]) -> dict[str, int]:
        raise JobStoreDownError(detail=str(starts))


def test_an_accepted_upload_is_answered_as_accepted(make_app: Callable[..., Flask], own_services: Services) -> None:
    """If the place in the queue cannot be read any more, the answer leaves it out and is 202 all the same."""
    services = replace(own_services, jobs=_Forgetful())
    answer = post(make_app(services).test_client(), upload())
    assert (answer.status_code, answer.get_json()["queue_position"]) == (202, None)
    assert services.jobs.unfinished() == (answer.get_json()["id"],)


class _NoManifests(LocalObjectStore):
    """An object store that goes away between original and manifest."""

    def put_bytes(self, key: str, data: bytes, *, content_type: str) -> ObjectInfo:
        raise ObjectStoreDownError(detail=f"{key} {content_type} {len(data)}")


def test_an_object_store_that_goes_away_leaves_nothing(
    make_app: Callable[..., Flask], own_services: Services, tmp_path: Any
) -> None:
    """Without a manifest there is no job, and the original goes too."""
    objects = _NoManifests(tmp_path / "objects")
    services = replace(own_services, objects=objects)
    answer = post(make_app(services).test_client(), upload())
    assert (answer.status_code, answer.get_json()["code"]) == (503, "object_store_unavailable")
    assert left(services) == ([], ())


class _Away(OwnJobStore):
    """A job store that never answers."""

    def ping(self) -> None:
        raise JobStoreDownError(detail=DOWN)


def test_uploads_are_refused_early_while_the_job_store_is_away(
    make_app: Callable[..., Flask], own_services: Services
) -> None:
    """Nobody sends gigabytes to hear of an outage at the end."""
    body = io.BytesIO(upload())
    client = make_app(replace(own_services, jobs=_Away())).test_client()
    answer = client.post("/api/jobs", input_stream=body, content_type=CONTENT_TYPE)
    assert (answer.get_json()["code"], body.tell()) == ("job_store_unavailable", 0)

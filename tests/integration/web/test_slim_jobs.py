"""Jobs whose end was saved, as the API and the pages show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from storage.model.job import Changes, Job, JobError, JobState, Output
from storage.model.job_warnings import warning
from storage.objects import keys
from storage.objects.local import LocalObjectStore
from storage.objects.manifests import Manifest, put_manifest
from storage.services import Services
from tests.support.jobs import created, finish_all, with_plan
from tests.support.streams import parse_events
from web.schemas.jobs import PublicJob
from workers.janitor.saving import save_ended

ERROR = JobError("decode_failed", "It broke.", "last line")


class Counting(LocalObjectStore):
    """Objects that count how often they are read."""

    reads = 0

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See ObjectStore.read."""
        self.reads += 1
        return super().read(key, start=start, length=length)


@pytest.fixture
def own_services(own_services: Services, tmp_path: Path) -> Services:
    """Give parts whose objects count their reads."""
    return replace(own_services, objects=Counting(tmp_path / "objects"))


@pytest.fixture
def ended(own_services: Services) -> tuple[Job, ...]:
    """Give a ready, a failed and a cancelled job."""
    jobs = own_services.jobs
    ready, failed, cancelled = (created(jobs) for _ in range(3))
    for job in (ready, failed):
        jobs.move(job.id, JobState.PLANNING)
        finish_all(jobs, jobs.move(job.id, JobState.ENCODING, with_plan()))
    jobs.move(ready.id, JobState.PACKAGING)
    outputs = (Output("1080p", 9), Output("480p", 3))
    jobs.move(ready.id, JobState.READY, Changes(outputs=outputs, warnings=(warning("not_cut"),)))
    jobs.move(failed.id, JobState.FAILED, Changes(error=ERROR))
    jobs.move(cancelled.id, JobState.CANCELLED)
    for job in (ready, failed, cancelled):
        put_manifest(own_services.objects, keys.manifest(job.id), Manifest(job=job))
    return ready, failed, cancelled


def pages(client: FlaskClient, job: Job) -> tuple[str, ...]:
    """Return everything that is shown of the job alone."""
    paths = (f"/api/jobs/{job.id}", f"/jobs/{job.id}/words", f"/jobs/{job.id}")
    return tuple(client.get(path).get_data(as_text=True) for path in paths)


def lists(client: FlaskClient) -> tuple[str, ...]:
    """Return what lists show of all jobs."""
    paths = ("/api/jobs", "/rows", "/", *(f"/api/jobs?state={state}" for state in JobState))
    with client.get("/api/events", buffered=False) as answer:
        events = parse_events(line for chunk in answer.iter_encoded() for line in chunk.decode().splitlines())
        recent = [next(events).data["job"] for _ in range(3)]
    return (str(recent), *(client.get(path).get_data(as_text=True) for path in paths))


def test_nothing_that_is_shown_changes(client: FlaskClient, own_services: Services, ended: tuple[Job, ...]) -> None:
    """Neither on a job's own page nor in lists; a page of lists reads no object, a job's own answer one."""
    objects = own_services.objects
    assert isinstance(objects, Counting)
    before = [pages(client, job) for job in ended], lists(client)
    assert save_ended(own_services) == 3
    objects.reads = 0
    assert lists(client) == before[1]
    assert objects.reads == 0
    assert [pages(client, job) for job in ended] == before[0]
    assert objects.reads == 3 * len(ended)


@pytest.mark.parametrize("data", [None, b"", b"{", b"\xff\xfe", b'{"job": 1}'])
def test_a_lost_end_is_no_error(
    client: FlaskClient, own_services: Services, ended: tuple[Job, ...], data: bytes | None
) -> None:
    """The page, its words, its JSON and its events say what the record has, with a warning."""
    save_ended(own_services)
    for job in ended:
        key = keys.ended(job.id)
        own_services.objects.delete_prefix(key)
        if data is not None:
            own_services.objects.put_bytes(key, data, content_type="application/json")
        shown = client.get(f"/api/jobs/{job.id}")
        assert shown.status_code == 200
        PublicJob.model_validate(shown.get_json())
        assert [known["code"] for known in shown.get_json()["warnings"]] == ["details_missing"]
        assert client.get(f"/jobs/{job.id}").status_code == client.get(f"/jobs/{job.id}/words").status_code == 200
        assert client.get(f"/api/jobs/{job.id}/events").status_code == 200
        page = client.get(f"/jobs/{job.id}", headers={"Accept-Language": "ko"}).get_data(as_text=True)
        assert "상세 정보를 저장소에서 읽을 수 없습니다" in page


def test_who_comes_back_to_a_slim_job_learns_its_end(
    client: FlaskClient, own_services: Services, ended: tuple[Job, ...]
) -> None:
    """Once, with the whole job, from whatever event on; then the stream is over for good."""
    known = {job.id: [event.id for event in own_services.jobs.events(job.id, "0")] for job in ended}
    save_ended(own_services)
    for job in ended:
        *earlier, newest = known[job.id]
        shown = client.get(f"/api/jobs/{job.id}").get_json()
        for last in earlier:
            answer = client.get(f"/api/jobs/{job.id}/events", headers={"Last-Event-ID": last})
            first, end = parse_events(answer.get_data(as_text=True).splitlines())
            assert (first.kind, end.kind, end.id) == ("job", "state", newest)
            assert first.data["job"] == end.data["job"] == shown
        headers = {"Last-Event-ID": newest}
        assert client.get(f"/api/jobs/{job.id}/events", headers=headers).status_code == 204


def test_a_slim_job_can_be_started_again(client: FlaskClient, own_services: Services, ended: tuple[Job, ...]) -> None:
    """As a whole one, also where what is kept of its end was lost."""
    save_ended(own_services)
    _, failed, cancelled = ended
    own_services.objects.delete_prefix(keys.ended(cancelled.id))
    for job in (failed, cancelled):
        own_services.jobs.end_clearing(job.id, gone=True)
        again = client.post(f"/api/jobs/{job.id}/retry")
        assert (again.status_code, again.get_json()["state"]) == (200, "queued")
        assert (again.get_json()["title"], again.get_json()["warnings"]) == (job.title, [])
        assert list(own_services.objects.keys(keys.originals(job.id))) == [keys.manifest(job.id)]


def test_a_slim_job_can_be_deleted(client: FlaskClient, own_services: Services, ended: tuple[Job, ...]) -> None:
    """It is gone from lists and store."""
    save_ended(own_services)
    for job in ended:
        assert client.delete(f"/api/jobs/{job.id}").status_code == 204
        assert client.get(f"/api/jobs/{job.id}").status_code == 404
    assert client.get("/api/jobs").get_json()["jobs"] == []
    assert list(own_services.objects.keys("")) == []


def test_media_of_a_slim_job_are_served(client: FlaskClient, own_services: Services, ended: tuple[Job, ...]) -> None:
    """What it needs to know of the job stands in its record."""
    save_ended(own_services)
    ready = ended[0]
    own_services.objects.put_bytes(keys.rendition(ready.id, "report.json"), b"{}", content_type="application/json")
    with client.get(f"/media/{ready.id}/report.json?download") as answer:
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert "report.json" in answer.headers["Content-Disposition"]
